"""A key socket whose reader can be another one from one moment to the next, between two visits."""

from station.core.facts import KeyClock
from station.ports import KeyFile, KeySocket, ReaderLost


class ReplaceableSocket:
    """A `station.ports.KeySocket` that passes everything on to the reader of the moment."""

    def __init__(self, reader: KeySocket) -> None:
        self._reader = reader

    async def replace(self, reader: KeySocket) -> None:
        """Let go of the reader, then use ``reader``: who waits for a key goes on waiting, at the new one."""
        old, self._reader = self._reader, reader
        # First: it may be the same serial port, at another speed.
        await old.close()

    @property
    def wire_bytes(self) -> int:
        """See `KeySocket.wire_bytes`; of the reader of the moment."""
        return self._reader.wire_bytes

    async def inserted(self) -> None:
        """See `KeySocket.inserted`."""
        while True:
            reader = self._reader
            try:
                return await reader.inserted()
            except ReaderLost:
                if reader is self._reader:
                    raise

    async def removed(self) -> None:
        """See `KeySocket.removed`."""
        await self._reader.removed()

    async def read(self, file: KeyFile, limit_bytes: int = 4096, offset: int = 0) -> bytes:
        """See `KeySocket.read`."""
        return await self._reader.read(file, limit_bytes, offset)

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`."""
        return await self._reader.read_some(file, offset)

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`."""
        return await self._reader.holds(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`."""
        await self._reader.write(file, content)

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`."""
        await self._reader.rewrite(file, content)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`."""
        await self._reader.clear(file)

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
        return await self._reader.clock()

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        await self._reader.set_clock(unix_s)

    async def close(self) -> None:
        """Let go of the reader."""
        await self._reader.close()
