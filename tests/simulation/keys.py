"""Keys whose files are kept in memory, and the slot that they are put into."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drivers.emulated_key.folder import KeyFolder, KeyState
from station.ports import KeyFile

BYTE_S = 10 / 115200
"""A byte at the key link's speed."""
ENVELOPE_BYTES = 60
"""What a request and its answer carry beside the content."""


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
