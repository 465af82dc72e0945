"""A key socket that tells who watches it when a key was switched off, when it is left alone, and why it was lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.smp.key_socket import SmpKeySocket
from station.core.facts import KeyClock
from station.ports import KeyFile, ReaderLost

QUIET_S = 0.3
"""So long without a transfer means that all work on the key is done: between two there are milliseconds."""


class WatchedSocket(SmpKeySocket):
    """The key reader, for one visit."""

    def __init__(self, port: str, baud: int, folder: str) -> None:
        super().__init__(port, baud, folder)
        self.lost: ReaderLost | None = None
        """Why there is no reader; None while there is one."""
        self.inserted_s: float | None = None
        """Monotonic, of the last insertion."""
        self.off_s: float | None = None
        """Monotonic: since that insertion the key has been read to be off."""
        self.bytes_before = 0
        """Bytes on the wire until that insertion."""
        self._transfers = 0
        self.ended_s = 0.0
        """Monotonic, of the last transfer's end."""

    async def quiet(self) -> None:
        """Return when nobody has talked to the key for `QUIET_S`."""
        while (left_s := self.ended_s + QUIET_S - time.monotonic()) > 0 or self._transfers:  # noqa: ASYNC110 - time
            await asyncio.sleep(max(left_s, QUIET_S / 10))

    async def inserted(self) -> None:
        """See `KeySocket.inserted`."""
        try:
            await super().inserted()
        except ReaderLost as error:
            self.lost = error
            raise
        self.lost = None
        self.inserted_s, self.off_s, self.bytes_before = time.monotonic(), None, self.wire_bytes

    async def read(self, file: KeyFile, limit_bytes: int = 4096, offset: int = 0) -> bytes:
        """See `KeySocket.read`."""
        async with self._transferring():
            content = await super().read(file, limit_bytes, offset)
        if file is KeyFile.ACT and not content and self.off_s is None:
            self.off_s = time.monotonic()
        return content

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`."""
        async with self._transferring():
            return await super().read_some(file, offset)

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`."""
        async with self._transferring():
            return await super().holds(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`."""
        async with self._transferring():
            await super().write(file, content)

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`."""
        async with self._transferring():
            await super().rewrite(file, content)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`."""
        async with self._transferring():
            await super().clear(file)

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
        async with self._transferring():
            return await super().clock()

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        async with self._transferring():
            await super().set_clock(unix_s)

    @asynccontextmanager
    async def _transferring(self) -> AsyncIterator[None]:
        self._transfers += 1
        try:
            yield
        finally:
            self._transfers -= 1
            self.ended_s = time.monotonic()
