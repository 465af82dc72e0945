"""Keys, and the sockets they are put into: files in memory, transfers that take their time on the wire and can be cut
off at any instant, which leaves the file as it was, torn, or whole and unconfirmed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

from drivers.emulated_key.folder import KeyFolder, KeyState
from station.core.facts import KeyClock
from station.ports import KeyFile, KeyLost, KeyRefused, ReaderLost

BYTE_S = 10 / 115200
"""A byte at the key link's speed."""
ENVELOPE_BYTES = 60
"""What a request and its answer carry beside the content."""
PIECE_BYTES = 280
ECHO_S = 0.25
NOTICED_AFTER_S = 0.2
"""Silence for so long is a lost answer."""


class SimulatedKey(KeyFolder):
    """The emulated key's files and state, kept in memory. ``changed`` is told after every write."""

    def __init__(self, number: int, now: Callable[[], float], changed: Callable[["SimulatedKey"], None]) -> None:
        self.number = number
        self.path = Path(f"key{number}")
        self._now = now
        self._changed = changed
        self._contents: dict[str, bytes] = {}
        self._state = KeyState(clock_offset_s=0.0)
        self.refuses: frozenset[KeyFile] = frozenset()
        """Files that cannot be written at the moment: a worn flash memory."""

    def stored(self, name: str) -> bytes | None:
        return self._contents.get(name)

    def store(self, name: str, content: bytes) -> None:
        self._contents[name] = content
        self._changed(self)

    def used_bytes(self, *, without: str) -> int:
        return sum(len(content) for name, content in self._contents.items() if name != without)

    def state(self) -> KeyState:
        return self._state

    def store_state(self, state: KeyState) -> None:
        self._state = state

    def now(self) -> float:
        """The world's Unix time."""
        return self._now()

    def lose_power(self) -> None:
        self._state = replace(self._state, clock_offset_s=None)

    @property
    def act(self) -> bytes:
        return self.read(KeyFile.ACT)


class Slot:
    """The hole that keys are put into: what is in it, over restarts of the station."""

    def __init__(self) -> None:
        self.key: SimulatedKey | None = None
        self.contact = 0
        """Another number each time that the contact has been interrupted."""
        self.unplugged = False
        """The reader's cable is out."""
        self.in_since_s = 0.0
        self._changed = asyncio.Event()

    def put(self, key: SimulatedKey) -> None:
        self.key = key
        self.in_since_s = asyncio.get_running_loop().time()
        self._interrupted()

    def pull(self) -> SimulatedKey | None:
        key, self.key = self.key, None
        self._interrupted()
        return key

    def spark(self) -> None:
        """The contact is lost for an instant."""
        self.in_since_s = asyncio.get_running_loop().time()
        self._interrupted()

    def plug(self, *, unplugged: bool) -> None:
        self.unplugged = unplugged
        self._interrupted()

    def _interrupted(self) -> None:
        self.contact += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        await self._changed.wait()


class SimulatedSocket:
    """A `station.ports.KeySocket` over a slot, for one process of a station. Loses keys as the real driver does."""

    def __init__(self, slot: Slot, random: Random) -> None:
        self._slot, self._random = slot, random
        self._lock = asyncio.Lock()
        self._insertion: object | None = None
        self._gone = asyncio.Event()
        self.dead = False
        self.spoken_of: SimulatedKey | None = None
        """The key of the last insertion: the one that the screen speaks of."""
        self.lost: SimulatedKey | None = None
        """The key that was last lost: the one that a farewell speaks of."""
        self.wire_bytes = 0
        self._writing: tuple[SimulatedKey, KeyFile, bytes] | None = None

    def die(self) -> None:
        """The process is gone, perhaps in the middle of a word to the key."""
        if self._writing is not None:
            self._tear(*self._writing)
        self.dead = True

    async def inserted(self) -> None:
        while True:
            await self._alive()
            if self._slot.key is None:
                await self._slot.change()
                continue
            contact = self._slot.contact
            await asyncio.sleep(self._random.uniform(0.005, 0.15))
            await self._alive()
            if self._slot.contact == contact:
                self._insertion = object()
                self._gone = asyncio.Event()
                self.spoken_of = self._slot.key
                return

    async def removed(self) -> None:
        misses = 0
        while self._insertion is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTICED_AFTER_S if misses else ECHO_S):
                    await self._gone.wait()
            await self._alive()
            key = self._slot.key
            misses = misses + 1 if key is None else 0
            # A swapped key answers, but says another id.
            if misses == 2 or (key is not None and key is not self.spoken_of):
                self._lose()

    async def read(self, file: KeyFile, limit_bytes: int = 4096, offset: int = 0) -> bytes:
        async with self._lock:
            key = await self._exchange(0)
            content = key.read(file)[offset:]
            if len(content) > limit_bytes:
                raise KeyRefused("too_large")
            if len(content) > PIECE_BYTES:
                await self._exchange(len(content) - PIECE_BYTES)
            return content

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        async with self._lock:
            key = await self._exchange(PIECE_BYTES)
            return key.read(file)[offset : offset + PIECE_BYTES]

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        async with self._lock:
            return (await self._exchange(32)).read(file) == content

    async def write(self, file: KeyFile, content: bytes) -> None:
        async with self._lock:
            key = await self._exchange(0)
            if file in key.refuses:
                raise KeyRefused("key_error")
            self._writing = key, file, content
            try:
                await self._exchange(len(content))
            except (KeyLost, ReaderLost):
                self._tear(key, file, content)
                raise
            finally:
                self._writing = None
            key.store(file.value, content)

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        async with self._lock:
            key = await self._exchange(0)
            if file in key.refuses:
                raise KeyRefused("key_error")
            try:
                await self._exchange(len(content))
            except (KeyLost, ReaderLost):
                # One request: the key has heard all of it, or nothing.
                if self._random.random() < 0.5:
                    key.store(file.value, content)
                raise
            key.store(file.value, content)
            if (await self._exchange(len(content))).read(file) != content:
                raise KeyRefused("write_differs")

    async def clear(self, file: KeyFile) -> None:
        await self.write(file, b"\x00")

    async def clock(self) -> KeyClock:
        async with self._lock:
            return (await self._exchange(20)).clock()

    async def set_clock(self, unix_s: int) -> None:
        async with self._lock:
            key = await self._exchange(20)
            key.store_state(replace(key.state(), clock_offset_s=unix_s - key.now()))

    async def close(self) -> None:
        self._insertion = None

    def _tear(self, key: SimulatedKey, file: KeyFile, content: bytes) -> None:
        """Not begun, cut off in the middle, or all there but for the answer."""
        drawn = self._random.random()
        if drawn < 0.7:
            heard = self._random.randrange(len(content) + 1)
            if heard:
                key.store(file.value, content[:heard])
        elif drawn < 0.85:
            key.store(file.value, content)

    async def _exchange(self, content_bytes: int) -> SimulatedKey:
        """Request and answer with whichever key is in the slot. Raises KeyLost."""
        await self._alive(lost=KeyLost("port_lost"))
        slot, insertion, contact = self._slot, self._insertion, self._slot.contact
        if insertion is None:
            raise KeyLost("not_inserted")
        wire_bytes = ENVELOPE_BYTES + content_bytes * 4 // 3
        self.wire_bytes += wire_bytes
        key = slot.key
        await asyncio.sleep(0.001 + wire_bytes * BYTE_S)
        await self._alive(lost=KeyLost("port_lost"))
        if key is None or slot.contact != contact or insertion is not self._insertion:
            self._lose()
            raise KeyLost("no_answer")
        return key

    def _lose(self) -> None:
        self.lost = self.spoken_of
        self._insertion = None
        self._gone.set()

    async def _alive(self, lost: Exception | None = None) -> None:
        if self.dead:
            # This process is no more: nothing that it still had in mind happens.
            await asyncio.get_running_loop().create_future()
        if self._slot.unplugged:
            self._lose()
            raise lost or ReaderLost("port_missing")
