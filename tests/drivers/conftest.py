"""A real pseudo-terminal with an emulated key behind it, and the real driver in front."""

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from drivers.emulated_key.options import KeyOptions
from drivers.smp.reader import SmpKeyReader
from drivers.smp.session import SmpKeySession
from station.ports import ReaderSettings

FAST_BAUD = 1_000_000


@dataclass
class Hands:
    """Makes keys, lines and readers, and puts them away after the test."""

    folder: Path
    lines: list[SerialLine] = field(default_factory=list)
    readers: list[SmpKeyReader] = field(default_factory=list)

    def key(self, name: str = "key", *, pressed: bool = True, **options: object) -> EmulatedKey:
        # What is left open for too long is closed by the time in which the driver goes on with it.
        monotonic = asyncio.get_running_loop().time
        key = EmulatedKey(self.folder / name, KeyOptions(**options), monotonic=monotonic)  # type: ignore[arg-type]
        if pressed:
            key.press()
        return key

    def line(self, baud: int = FAST_BAUD, key: EmulatedKey | None = None) -> SerialLine:
        line = SerialLine(self.folder / "port", baud)
        self.lines.append(line)
        if key is not None:
            line.insert(key)
        return line

    def reader(self, baud: int = FAST_BAUD) -> SmpKeyReader:
        reader = SmpKeyReader(ReaderSettings(str(self.folder / "port"), baud))
        self.readers.append(reader)
        return reader

    async def next_key(self, wait_s: float = 5) -> SmpKeySession:
        """With the last reader; makes one if there is none."""
        reader = self.readers[-1] if self.readers else self.reader()
        return await asyncio.wait_for(reader.next_key(), wait_s)

    async def inserted(self, key: EmulatedKey, baud: int = FAST_BAUD) -> tuple[SmpKeySession, SerialLine]:
        line, _ = self.line(baud, key), self.reader(baud)
        return await self.next_key(), line


@pytest.fixture
async def hands(tmp_path: Path) -> AsyncIterator[Hands]:
    hands = Hands(tmp_path)
    yield hands
    for reader in hands.readers:
        await reader.close()
    for line in hands.lines:
        line.close()


class BadLine:
    """A line without pace that may do anything to the answers: ``mangle`` gets each and gives the pieces to be sent."""

    def __init__(self, path: Path, key: EmulatedKey, mangle: Callable[[bytes], list[bytes]]) -> None:
        self.key = key
        self.mangle = mangle
        self.heard = b""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path.symlink_to(os.ttyname(self._slave))
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        self._sending = asyncio.create_task(self._send())

    def _readable(self) -> None:
        data = os.read(self._master, 4096)
        self.heard += data
        answer = self.key.receive(data)
        if answer:
            for piece in self.mangle(answer):
                self._pieces.put_nowait(piece)

    def say(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    async def _send(self) -> None:
        while True:
            os.write(self._master, await self._pieces.get())
            await asyncio.sleep(0)  # lets the driver read this piece alone
            await asyncio.sleep(0)

    async def close(self) -> None:
        self._sending.cancel()
        with suppress(asyncio.CancelledError):
            await self._sending
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
async def bad_line(hands: Hands) -> AsyncIterator[Callable[[EmulatedKey, Callable[[bytes], list[bytes]]], BadLine]]:
    lines: list[BadLine] = []

    def make(key: EmulatedKey, mangle: Callable[[bytes], list[bytes]]) -> BadLine:
        lines.append(BadLine(hands.folder / "port", key, mangle))
        return lines[-1]

    yield make
    for reader in hands.readers:
        await reader.close()
    for line in lines:
        await line.close()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for something that no event tells of; fails after 5 s."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.002)

    return wait


@dataclass
class WorldTime:
    """A clock that a test moves."""

    unix_s: float = 1_790_000_000.25
    mono_s: float = 100.0

    def forward(self, seconds: float) -> None:
        self.unix_s += seconds
        self.mono_s += seconds


@pytest.fixture
def world() -> WorldTime:
    return WorldTime()
