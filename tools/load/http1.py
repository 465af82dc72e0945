"""A small HTTP/1.1 client over asyncio: a kept connection as a station has one, cheap enough to be many of them."""

import asyncio
import gzip
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

ANSWER_LIMIT_S = 70.0
HEAD_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Address:
    """Where to connect to, and what for. ``tls`` None: plain."""

    host: str
    port: int
    name: str = "127.0.0.1"
    """For the Host header, and for the certificate."""
    tls: ssl.SSLContext | None = None


class Connection:
    """One connection, made when first needed and again when the server has closed it. Calls on it take turns."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.opened = 0
        """How many times it had to be made."""

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", within_s: float = ANSWER_LIMIT_S
    ) -> tuple[int, bytes]:
        """Status and body of the answer, decompressed. Raises OSError, TimeoutError, EOFError, ValueError."""
        async with self._turn, asyncio.timeout(within_s):
            was_kept = self._streams is not None
            try:
                return await self._ask(method, path, headers, body)
            except (OSError, EOFError):
                # As a station does: a kept connection that turns out dead is no word about the server.
                if not was_kept:
                    raise
            return await self._ask(method, path, headers, body)

    async def open(self) -> None:
        """Connect, unless it is connected."""
        if self._streams is None:
            its = self._address
            name = its.name if its.tls else None
            self._streams = await asyncio.open_connection(
                its.host, its.port, ssl=its.tls, server_hostname=name, limit=HEAD_LIMIT_BYTES
            )
            self.opened += 1

    async def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        await self.open()
        assert self._streams
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address.name}", "Accept-Encoding: gzip"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
            status, told = _head(await reader.readuntil(b"\r\n\r\n"))
            answer = await _body(reader, told)
        except BaseException:
            # Half of an answer is nothing to go on with.
            await self.close()
            raise
        if told.get("connection", "").lower() == "close":
            await self.close()
        return status, gzip.decompress(answer) if told.get("content-encoding") == "gzip" else answer


def _head(text: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")[:-2]
    fields = (line.partition(":") for line in lines)
    return int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in fields}


async def _body(reader: asyncio.StreamReader, told: Mapping[str, str]) -> bytes:
    if told.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(told.get("content-length", "0")))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)
