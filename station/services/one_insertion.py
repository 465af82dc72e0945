"""The key of one insertion: once that is over, nothing more is read from or written to whichever key comes next."""

from station.core.facts import KeyClock
from station.ports import KeyFile, KeyLost, KeySocket


class OneInsertion:
    """A `KeySocket`'s transfers, for as long as one key stays in; afterwards each of them raises KeyLost.

    Work that waited for the disk or for central when its key was pulled must not go on with the next person's.
    """

    def __init__(self, socket: KeySocket) -> None:
        self._socket = socket
        self._began_bytes = socket.wire_bytes
        self.over = False

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions since the key was put in."""
        return self._socket.wire_bytes - self._began_bytes

    def end(self) -> None:
        """The key is out."""
        self.over = True

    async def read(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """See `KeySocket.read`."""
        return await self._still_in().read(file, limit_bytes)

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`."""
        return await self._still_in().read_some(file, offset)

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`."""
        return await self._still_in().holds(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`."""
        await self._still_in().write(file, content)

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`."""
        await self._still_in().rewrite(file, content)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`."""
        await self._still_in().clear(file)

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
        return await self._still_in().clock()

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        await self._still_in().set_clock(unix_s)

    def _still_in(self) -> KeySocket:
        if self.over:
            raise KeyLost("insertion_over")
        return self._socket
