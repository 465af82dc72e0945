"""The key of one insertion: once that is over, nothing more is read from or written to whichever key comes next."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from station.core.facts import KeyClock
from station.ports import KeyFile, KeyLost, KeySocket

SWAPPED_WITHIN_S = 0.08
"""No hand takes one key out and puts another one in faster. A socket that is not talked to for longer may have another
key in it, for the quarter of a second that it takes to be noticed."""


class OneInsertion:
    """A `KeySocket`'s transfers, for as long as one key stays in; afterwards each of them raises KeyLost.

    Work that waited for the disk or for central when its key was pulled must not go on with the next person's. Where it
    would do lasting harm (another key's log told as this one's, its log forgotten, its name changed), the key is asked
    again which it is, unless it has just been talked to.
    """

    def __init__(self, socket: KeySocket) -> None:
        self._socket = socket
        self._began_bytes = socket.wire_bytes
        self.over = False
        self._id_record: bytes | None = None
        """Which key it is; None where it has not said so."""
        self._sure = False
        self._heard_s = 0.0

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions since the key was put in."""
        return self._socket.wire_bytes - self._began_bytes

    def end(self) -> None:
        """The key is out."""
        self.over = True

    def is_key(self, id_record: bytes) -> None:
        """The key has just said, in a transfer, that this is its ``id``."""
        self._id_record, self._sure = id_record, True

    async def read(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """See `KeySocket.read`."""
        with self._transfer() as socket:
            return await socket.read(file, limit_bytes)

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`. Raises KeyLost (``another_key``) too."""
        await self._make_sure()
        with self._transfer() as socket:
            return await socket.read_some(file, offset)

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`."""
        with self._transfer() as socket:
            return await socket.holds(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`. Raises KeyLost (``another_key``) too."""
        if file is KeyFile.ACK:
            await self._make_sure()
        with self._transfer() as socket:
            await socket.write(file, content)

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`. Raises KeyLost (``another_key``) too."""
        await self._make_sure()
        with self._transfer() as socket:
            await socket.rewrite(file, content)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`."""
        with self._transfer() as socket:
            await socket.clear(file)

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
        with self._transfer() as socket:
            return await socket.clock()

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        with self._transfer() as socket:
            await socket.set_clock(unix_s)

    @contextmanager
    def _transfer(self) -> Iterator[KeySocket]:
        if self.over:
            raise KeyLost("insertion_over")
        loop = asyncio.get_running_loop()
        self._sure = self._sure and loop.time() - self._heard_s < SWAPPED_WITHIN_S
        yield self._socket
        self._heard_s = loop.time()

    async def _make_sure(self) -> None:
        """Raise KeyLost when this is not the key any more that it has said to be."""
        with self._transfer() as socket:
            if self._sure or self._id_record is None:
                return
            if await socket.read(KeyFile.ID) != self._id_record:
                self.end()
                raise KeyLost("another_key")
            self._sure = True
