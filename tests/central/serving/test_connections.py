"""Connections, without Django behind them: slow readers hold no thread, and where there is no room that is said."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

import tests.central.django_ready  # noqa: F401  (before anything of Django's is asked)
from central.serving.connections import TOO_SLOW, Connection, room
from central.serving.requests import SNAPSHOT_PATH, Requests
from central.serving.threads import Threads
from central.serving.waiting import WaitingPolls

PIECE = bytes(range(256)) * 256
PIECES = 160
LONG = hashlib.sha256(PIECE * PIECES).hexdigest()


def application(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Ten megabytes for a snapshot, two bytes for everything else."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environment["PATH_INFO"] != SNAPSHOT_PATH:
        return [b"ok"]

    def long() -> Iterator[bytes]:
        for _ in range(PIECES):
            yield PIECE

    return long()


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """A port where it is served by four threads."""
    threads = Threads(4)
    config = Config(
        Requests(application, threads, WaitingPolls(threads)),
        http=Connection, ws="none", lifespan="off", log_config=None, access_log=False, interface="asgi3",
    )  # fmt: skip
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in list(state.connections):
            each.transport.abort()


async def ask(port: int, path: str, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return reader, writer


async def read(reader: asyncio.StreamReader) -> bytes:
    """A whole chunked body."""
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return bytes(body)


async def test_six_slow_readers_keep_nobody_waiting_and_get_all() -> None:
    async with served() as port, asyncio.timeout(30):
        slow = [await ask(port, SNAPSHOT_PATH, f"token {n}") for n in range(6)]
        # The line moves on although nobody reads: the seventh has its turn.
        reader, writer = await ask(port, SNAPSHOT_PATH, "token 7")
        assert hashlib.sha256(await read(reader)).hexdigest() == LONG
        writer.close()
        reader, writer = await ask(port, "/", "token 1")
        assert (await reader.readuntil(b"ok")).endswith(b"ok")
        writer.close()
        for reader, writer in slow:
            assert hashlib.sha256(await read(reader)).hexdigest() == LONG
            writer.close()


async def test_a_second_snapshot_of_a_token_ends_the_first() -> None:
    async with served() as port, asyncio.timeout(30):
        first, first_writer = await ask(port, SNAPSHOT_PATH, "token")
        await first.readuntil(b"\r\n\r\n")
        second, writer = await ask(port, SNAPSHOT_PATH, "token")
        assert hashlib.sha256(await read(second)).hexdigest() == LONG
        writer.close()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await first.readexactly(PIECES * len(PIECE))
        first_writer.close()


async def test_where_there_is_no_room_that_is_said_and_who_is_in_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "connections", 2)
    async with served() as port, asyncio.timeout(30):
        inside = [await ask(port, "/", "token") for _ in range(2)]
        for reader, _ in inside:
            await reader.readuntil(b"ok")
        reader, writer = await ask(port, "/", "token")
        refused = await reader.read()
        writer.close()
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after: " in refused.lower()
        assert b'{"error": "unavailable"' in refused
        for reader, writer in inside:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"connection: close" not in (await reader.readuntil(b"ok")).lower()
        # Half a request gives way to whoever comes next.
        inside[0][1].close()
        half_reader, half = await asyncio.open_connection("127.0.0.1", port)
        half.write(b"GET / HT")
        await asyncio.sleep(0)
        while not room.gathering:
            await asyncio.sleep(0.01)
        reader, writer = await ask(port, "/", "token")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await half_reader.read() in (TOO_SLOW, b"")
        for each in (writer, half, inside[1][1]):
            each.close()


@pytest.mark.parametrize(
    ("name", "seen"), [("X_Forwarded_For", None), ("X-Forwarded-For", "192.0.2.1,192.0.2.2")], ids=["spoofed", "honest"]
)
async def test_the_proxys_word_is_no_other_headers(name: str, seen: str | None) -> None:
    from central.serving.calling import environment_of

    scope = {"server": None, "client": None, "method": "GET", "raw_path": b"/%C3%A5", "query_string": b"a=1"}
    headers = [(name.lower().encode(), b"192.0.2.1"), (name.lower().encode(), b"192.0.2.2")]
    environment = environment_of(scope | {"http_version": "1.1", "headers": headers}, b"xy")
    assert environment.get("HTTP_X_FORWARDED_FOR") == seen
    assert environment["PATH_INFO"].encode("latin-1").decode() == "/å"
    assert environment["CONTENT_LENGTH"] == "2"
