"""The key of one insertion: once that is over, nothing more is read from or written to whichever key comes next."""

import asyncio

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
        self.transfers = 0
        """How many have been begun."""

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions since the key was put in."""
        return self._socket.wire_bytes - self._began_bytes

    def begin(self) -> None:
        """The key is in."""
        self._began_bytes = self._socket.wire_bytes

    def end(self) -> None:
        """The key is out."""
        self.over = True

    def is_key(self, id_record: bytes) -> None:
        """The key has just said, in a transfer, that this is its ``id``."""
        self._id_record, self._sure = id_record, True

    async def read(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """See `KeySocket.read`."""
        content = await self._at_the_key().read(file, limit_bytes)
        self._heard()
        return content

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`. Raises KeyLost (``another_key``) too."""
        await self._make_sure()
        piece = await self._at_the_key().read_some(file, offset)
        self._heard()
        return piece

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`."""
        there = await self._at_the_key().holds(file, content)
        self._heard()
        return there

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`. Raises KeyLost (``another_key``) too."""
        if file is KeyFile.ACK:
            await self._make_sure()
        await self._at_the_key().write(file, content)
        self._heard()

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`. Raises KeyLost (``another_key``) too."""
        await self._make_sure()
        await self._at_the_key().rewrite(file, content)
        self._heard()

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`."""
        await self._at_the_key().clear(file)
        self._heard()

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
        clock = await self._at_the_key().clock()
        self._heard()
        return clock

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        await self._at_the_key().set_clock(unix_s)
        self._heard()

    def _at_the_key(self) -> KeySocket:
        """The socket, for one transfer. Raises KeyLost."""
        if self.over:
            raise KeyLost("insertion_over")
        self.transfers += 1
        self._sure = self._sure and asyncio.get_running_loop().time() - self._heard_s < SWAPPED_WITHIN_S
        return self._socket

    def _heard(self) -> None:
        """A transfer has come to its end."""
        self._heard_s = asyncio.get_running_loop().time()

    async def _make_sure(self) -> None:
        """Raise KeyLost when this is not the key any more that it has said to be."""
        socket = self._at_the_key()
        if self._sure or self._id_record is None:
            return
        if await socket.read(KeyFile.ID) != self._id_record:
            self.end()
            raise KeyLost("another_key")
        self._heard()
        self._sure = True
