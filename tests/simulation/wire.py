"""The real key reader of ``drivers.smp`` on the real emulated key: only the line's bytes are left out.

Requests and answers are whole messages here, in virtual time; framing, pacing and the terminal have tests of their own.
What a pulled key makes of half an upload is thus `drivers.emulated_key.file_system`'s doing, not drawn.
"""

import asyncio
from pathlib import Path
from typing import Any, cast

from drivers.emulated_key.file_system import FILE_WRITE_FAILED, FS_GROUP, FileSystem, SmpError
from drivers.emulated_key.key import EmulatedKey
from drivers.smp.client import SmpClient
from drivers.smp.messages import Answer, Request
from drivers.smp.reader import SmpKeyReader
from drivers.smp.session import SmpKeySession
from station.ports import KeyFile, KeyLost, ReaderLost, ReaderSettings
from tests.simulation.keys import BYTE_S, ENVELOPE_BYTES, SimulatedKey, Slot

IDLE_S = 4.1
"""A key commits a file that nobody has touched for four seconds."""


class WornFileSystem(FileSystem):
    """The emulated key's, on a flash memory that may refuse some files."""

    def __init__(self, key: SimulatedKey, emulated: EmulatedKey) -> None:
        super().__init__(key, emulated.options)
        self._key = key

    def _write(self, file: Any, offset: int, data: bytes, *, truncates: bool) -> None:
        if KeyFile(file.name) in self._key.refuses:
            self.close()
            raise SmpError(FS_GROUP, FILE_WRITE_FAILED)
        super()._write(file, offset, data, truncates=truncates)


class WiredKey(EmulatedKey):
    """What answers for a `SimulatedKey` on the wire."""

    def __init__(self, key: SimulatedKey, folder: Path) -> None:
        super().__init__(folder / str(key.number), now=key.now, monotonic=key.now)
        self.folder = key
        self._files = WornFileSystem(key, self)
        self._keep()

    def handle(self, request: bytes) -> bytes | None:
        answer = super().handle(request)
        if self.has_open_file:
            asyncio.get_running_loop().call_later(IDLE_S, self.commit_idle_file)
        return answer


class Line:
    """What answers on the wire for each key; ``folder`` is where they are made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[int, WiredKey] = {}

    def key(self, key: SimulatedKey) -> WiredKey:
        """What answers for a key."""
        if key.number not in self._keys:
            self._keys[key.number] = WiredKey(key, self._folder)
        return self._keys[key.number]


class Client:
    """As `drivers.smp.client.SmpClient`, without bytes."""

    def __init__(self, line: Line, slot: Slot, reader: "WiredReader") -> None:
        self._line, self._slot, self._reader = line, slot, reader
        self._loop = asyncio.get_running_loop()
        self._sequence = 0
        self._closed = False
        self._given_up = ""
        self.turn = asyncio.Lock()
        self.wire_bytes = 0
        self.heard_at = 0.0

    is_stuck = False

    @property
    def is_open(self) -> bool:
        return not self._closed and not self._slot.unplugged

    @property
    def flows(self) -> bool:
        return self.is_open

    async def ask(self, request: Request, timeout_s: float, *, fresh_line: bool = False) -> Answer:
        del fresh_line
        contact, sent_s = self._slot.contact, self._sent_s(len(request))
        self._sequence = (self._sequence + 1) & 0xFF
        self._given_up = ""
        await asyncio.sleep(sent_s)
        await self._alive()
        answered = self._answered(request, contact)
        if answered is not None:
            await asyncio.sleep(self._sent_s(len(answered)))
            await self._alive()
        if answered is None or self._slot.contact != contact:
            await asyncio.sleep(timeout_s)
            await self._alive()
            raise KeyLost("no_answer")
        self.heard_at = self._loop.time()
        answer = Answer.from_bytes(answered)
        if answer is None or not answer.answers(request, self._sequence):
            raise KeyLost("damaged_answer")
        return answer

    def _answered(self, request: Request, contact: int) -> bytes | None:
        key = self._slot.key
        if key is None or self._slot.contact != contact:
            return None
        wired = self._line.key(key)
        wired.press()  # its person has, or it sits in a socket that talks to it
        return wired.handle(request.to_bytes(self._sequence))

    def _sent_s(self, message_bytes: int) -> float:
        wire_bytes = ENVELOPE_BYTES // 2 + message_bytes * 4 // 3
        self.wire_bytes += wire_bytes
        return wire_bytes * BYTE_S

    async def _alive(self) -> None:
        if self._reader.dead:
            # This process is no more: nothing that it still had in mind happens.
            await self._loop.create_future()
        if self._given_up:
            raise KeyLost(self._given_up)
        if not self.is_open:
            raise KeyLost("port_lost")

    def give_up(self, code: str) -> None:
        self._given_up = code

    def close(self) -> None:
        self._closed = True


class WiredReader(SmpKeyReader):
    """The real key reader, and what a simulation wants to know of it."""

    def __init__(self, line: Line, slot: Slot) -> None:
        super().__init__(ReaderSettings("a slot"))
        self._line, self._slot = line, slot
        self.dead = False
        self.spoken_of: SimulatedKey | None = None
        """The key of the last session: the one that the screen speaks of."""
        self._before: SimulatedKey | None = None

    @property
    def lost(self) -> SimulatedKey | None:
        """The key that was last lost: the one that a farewell speaks of."""
        return self.spoken_of if self._session is None or self._session.over else self._before

    def die(self) -> None:
        """The process is gone, perhaps in the middle of a word to the key."""
        self.dead = True

    async def next_key(self) -> SmpKeySession:
        session = await super().next_key()
        self._before, self.spoken_of = self.spoken_of, self._slot.key
        return session

    async def _opened(self) -> SmpClient:
        if self._closed:
            raise ReaderLost("closed")
        if self._slot.unplugged:
            raise ReaderLost("port_missing")
        if self._client is None or not self._client.is_open:
            self._client = cast(SmpClient, Client(self._line, self._slot, self))
        return self._client
