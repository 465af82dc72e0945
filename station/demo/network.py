"""The network between station and central: a loopback port that passes bytes on, and can be cut."""

import asyncio
from contextlib import suppress

CHUNK_BYTES = 65536


class Network:
    """Listens on a free loopback port and passes everything on to ``port``, unless it is cut."""

    def __init__(self, port: int) -> None:
        self.to = port
        """The port that everything is passed on to."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.delay_s = 0.0
        """How long every piece takes in each direction."""
        self.port = 0
        self.passed_bytes = 0
        """Of both directions, ever."""

    @property
    def up(self) -> bool:
        """Whether anything gets through."""
        return self._server is not None

    async def restore(self) -> None:
        """Let connections through; the first time on a free port, afterwards on the same."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse new connections, break those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        if self._passing:
            await asyncio.wait(self._passing)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
        self._open.add(writer)
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(onward_writer)
        await asyncio.gather(self._pass_on(reader, onward_writer), self._pass_on(onward_reader, writer))
        self._open -= {writer, onward_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                self.passed_bytes += len(chunk)
                writer.write(chunk)
                await writer.drain()
        writer.close()
