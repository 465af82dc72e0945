"""What asking central for news costs when there is none, against fetching the mirror whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from station.bench.figures import Figure, Say, paired
from station.bench.place import BenchPlace
from station.sync.client import CentralLink

PIECE_BYTES = 65536


class _Relay:
    """Passes a connection on and counts its bytes, both directions, headers included."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.counted_bytes = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pass_on(reader, onward_writer), self._pass_on(onward_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                self.counted_bytes += len(piece)
                writer.write(piece)
        writer.close()


@asynccontextmanager
async def _relayed(port: int) -> AsyncIterator[tuple[_Relay, str]]:
    relay = _Relay(port)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    try:
        yield relay, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def measured(place: BenchPlace, samples: int, say: Say) -> Figure:
    """``refresh_bytes_304``."""
    say("a refresh without news")
    return place.wait_for(_measured(place, samples))


async def _measured(place: BenchPlace, samples: int) -> Figure:
    ours: list[float] = []
    async with _relayed(place.central_port) as (relay, url):
        link = CentralLink(url, place.credentials().token)
        try:
            snapshot = await link.snapshot()
            whole = relay.counted_bytes
            while len(ours) < samples:
                before = relay.counted_bytes
                if await link.changes(snapshot.cursor) is None:
                    ours.append(relay.counted_bytes - before)
                else:
                    # Something happened at central meanwhile.
                    snapshot = await link.snapshot()
        finally:
            await link.close()
    return paired(ours, [whole], "bytes")
