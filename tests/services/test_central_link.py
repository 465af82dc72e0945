"""What may come back over HTTP, and what the link makes of it."""

import asyncio
import gzip
import logging
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from station.records.base64url import encoded
from station.records.strict_json import JsonRefused
from station.secret import Secret
from station.sync import client as central_link
from station.sync.client import (
    AnswerRefused,
    CentralClient,
    CentralRefused,
    CentralUnreachable,
    Enrolled,
    Pieces,
    Resnapshot,
)
from station.sync.snapshot_reader import SnapshotReader
from tests.services.lying_central import Asked, LyingCentral, Reply, refusal, said

NONCE = b"n" * 16
TOKEN = "marked-secret-token-of-a-station"


@pytest_asyncio.fixture
async def link(central: LyingCentral) -> AsyncIterator[CentralClient]:
    it = CentralClient(central.url, Secret(TOKEN))
    yield it
    await it.close()


async def whole(link: CentralClient) -> None:
    """A snapshot, read to its end."""
    reader = SnapshotReader()

    async def take(pieces: Pieces) -> None:
        async for piece in pieces:
            reader.feed(piece)
        reader.feed(b"", last=True)

    await link.snapshot(NONCE, take)


async def calls(link: CentralClient) -> list[Callable[[], Awaitable[Any]]]:
    return [
        lambda: link.time(1, NONCE),
        lambda: whole(link),
        lambda: link.changes("c", NONCE),
        link.pin,
        lambda: link.send([{"id": "1"}]),
        link.certificate,
        lambda: link.provision(Secret("1-code")),
        lambda: link.enrol(Secret("1-code"), b"k" * 32, b"p" * 64),
    ]


PATHS = ["/time", "/mirror/snapshot", "/mirror/changes", "/pin", "/events", "/certificate", "/provision", "/enrol"]
PORTAL = b"<!DOCTYPE html><html><body>Welcome to Guest WiFi! Please sign in.</body></html>"
HTML = {"Content-Type": "text/html"}

LIES = {
    "captive_portal": Reply(200, PORTAL, HTML),
    "captive_portal_redirect": Reply(302, b"", {"Location": "http://portal.invalid/login"}),
    "captive_portal_511": Reply(511, PORTAL, HTML),
    "garbage": Reply(200, bytes(range(256)) * 4),
    "empty": Reply(200, b""),
    "empty_object": said({}),
    "list": said([]),
    "not_modified": Reply(304),
    "null": Reply(200, b"null"),
    "deep": Reply(200, b"[" * 100_000),
    "server_error": Reply(500, b"Traceback (most recent call last)"),
    "server_error_in_central_shape": refusal(500, "bad_request"),
    "proxy": Reply(502, b"Bad Gateway"),
    "not_gzip": Reply(200, b"hello", {"Content-Encoding": "gzip"}),
    "gzip_cut_short": Reply(200, gzip.compress(b"{}" * 1000)[:-9], {"Content-Encoding": "gzip"}),
    "unasked_encoding": Reply(200, zlib.compress(b"{}"), {"Content-Encoding": "deflate"}),
    "gzip_in_gzip": Reply(200, gzip.compress(gzip.compress(b"{}")), {"Content-Encoding": "gzip, gzip"}),
    "shorter_than_said": Reply(200, b"{}", {"Content-Length": "100", "Connection": "close"}),
    "headers_without_end": Reply(200, b"", {f"X-{n}": "y" * 1000 for n in range(200)}),
    "error_that_is_no_code": refusal(403, "no line\nends in a log"),
    "error_that_is_a_number": said({"error": 7}, 403),
    "error_in_a_list": said(["error"], 403),
    "not_found_by_somebody_else": Reply(404, b"<h1>Not Found</h1>", HTML),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_what_is_no_answer_of_central_is_no_answer(
    central: LyingCentral, link: CentralClient, lie: Reply
) -> None:
    central.lies = dict.fromkeys(PATHS, lie)
    for call in await calls(link):
        if lie.headers.get("Content-Length") == "100":
            central.lies = dict.fromkeys(PATHS, _cut_short)
        with pytest.raises((CentralUnreachable, JsonRefused)) as raised:
            await call()
        assert TOKEN not in str(raised.value)
        assert "\n" not in str(raised.value)
    assert central.calls("/time")


async def _cut_short(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("cursor", ""),
        ("cursor", "c" * 201),
        ("head", 3),
        ("head", "A" * 5500),
        ("down", [1] * 51),
        ("down", ["1"]),
        ("cursor", 1.0),
        ("more", 1),
        ("upserts", [{}] * 501),
        ("removes", [{"type": "key", "id": 1}] * 501),
        ("removes", [{"type": "key", "id": 2**70}]),
        ("upserts", {}),
        ("a_name_å", 1),
        ("of_later", -(2**53)),
    ],
)
async def test_a_page_out_of_bounds(central: LyingCentral, link: CentralClient, changed: str, value: Any) -> None:
    assert (await link.changes("epoch-1.0", NONCE)).cursor == central.cursor
    central.lies["/mirror/changes"] = lambda asked: central.changes(asked, **{changed: value})
    with pytest.raises(AnswerRefused, match="central_answer_malformed answer=Page"):
        await link.changes("epoch-1.0", NONCE)


@pytest.mark.parametrize("twice", [b'"more":false,"more":true', b'"more":false,"down":[{"a":1,"a":2}]'])
async def test_a_name_twice_anywhere_is_an_answer_refused_whole(
    central: LyingCentral, link: CentralClient, twice: bytes
) -> None:
    central.lies["/mirror/changes"] = Reply(200, b'{"upserts":[],"removes":[],"cursor":"c",' + twice + b"}")
    with pytest.raises(AnswerRefused):
        await link.changes("c", NONCE)


@pytest.mark.parametrize("record", ["not base64url!", "AB=", "A", "å"])
async def test_a_record_that_is_no_byte_string(central: LyingCentral, link: CentralClient, record: str) -> None:
    central.lies["/time"] = said({"record": record, "central_keys": []})
    with pytest.raises(CentralUnreachable, match="central_answer_malformed"):
        await link.time(1, NONCE)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (403, "bad_code"), (409, "too_early"), (410, "resnapshot")]
)
async def test_central_says_no(central: LyingCentral, link: CentralClient, status: int, code: str) -> None:
    central.lies["/certificate"] = refusal(status, code)
    with pytest.raises(CentralRefused) as raised:
        await link.certificate()
    assert (raised.value.code, raised.value.retry_after_s) == (code, 0)


async def test_only_changes_are_told_to_start_anew(central: LyingCentral, link: CentralClient) -> None:
    central.lies = dict.fromkeys(PATHS, refusal(410, "resnapshot"))
    with pytest.raises(Resnapshot):
        await link.changes("c", NONCE)
    central.lies["/mirror/changes"] = refusal(400, "bad_request")
    with pytest.raises(Resnapshot):
        await link.changes("c", NONCE)
    central.lies["/mirror/changes"] = refusal(401, "unauthorized")
    with pytest.raises(CentralRefused):
        await link.changes("c", NONCE)
    with pytest.raises(CentralRefused):
        await whole(link)


@pytest.mark.parametrize(
    ("status", "header", "wait_s"),
    [
        (429, "7", 7),
        (429, "86400000", central_link.RETRY_AFTER_LIMIT_S),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", 0),
        (429, "-5", 0),
        (400, "7", 0),
    ],
)
async def test_retry_after(central: LyingCentral, link: CentralClient, status: int, header: str, wait_s: float) -> None:
    central.lies["/time"] = refusal(status, "slow_down", Retry_After=header)
    with pytest.raises(CentralRefused) as raised:
        await link.time(1, NONCE)
    assert raised.value.retry_after_s == wait_s


async def test_retry_after_of_a_server_in_trouble(central: LyingCentral, link: CentralClient) -> None:
    central.lies["/time"] = Reply(503, b"", {"Retry-After": "30"})
    with pytest.raises(CentralUnreachable) as raised:
        await link.time(1, NONCE)
    assert raised.value.retry_after_s == 30


# --- time ---


async def test_hanging_in_the_middle_of_the_body(
    central: LyingCentral, link: CentralClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(central_link, "WHOLE_ANSWER_S", 0.15)
    ended = asyncio.Event()

    async def hang(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"record": "')
        await writer.drain()
        await ended.wait()

    central.lies["/time"] = hang
    with pytest.raises(CentralUnreachable, match="TimeoutError"):
        await link.time(1, NONCE)
    ended.set()


async def test_a_byte_now_and_then_does_not_keep_an_answer_alive(
    central: LyingCentral, link: CentralClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(central_link, "WHOLE_ANSWER_S", 0.2)

    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    central.lies["/time"] = drip
    with pytest.raises(CentralUnreachable, match="TimeoutError"):
        await link.time(1, NONCE)


async def test_nobody_listens(central: LyingCentral, link: CentralClient) -> None:
    await central.stop()
    with pytest.raises(CentralUnreachable, match="ConnectError"):
        await link.time(1, NONCE)


def test_a_url_that_is_none() -> None:
    with pytest.raises(CentralUnreachable, match="central_url_invalid"):
        CentralClient("http://[::")


# --- size ---


async def test_two_gigabytes(central: LyingCentral, link: CentralClient) -> None:
    sent = 0

    async def pour(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n")
        piece = b"[" * 1024 * 1024
        while sent < 2**31:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)

    central.lies["/time"] = pour
    limit = central_link.ANSWER_LIMIT_BYTES
    tracemalloc.start()
    with pytest.raises(CentralUnreachable, match="cause=too_long"):
        await link.time(1, NONCE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent < limit + 16 * 1024 * 1024
    assert peak < 2.5 * limit


async def test_a_gzip_bomb_is_not_unpacked(central: LyingCentral, link: CentralClient) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(512)) + packer.flush()
    assert len(bomb) < 1024 * 1024
    central.lies["/time"] = Reply(200, bomb, {"Content-Encoding": "gzip"})
    tracemalloc.start()
    with pytest.raises(CentralUnreachable, match="cause=too_long"):
        await link.time(1, NONCE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * central_link.ANSWER_LIMIT_BYTES


async def test_exactly_the_limit_is_taken(
    central: LyingCentral, link: CentralClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(central_link, "ANSWER_LIMIT_BYTES", 1000)
    for size, outcome in [(1000, "central_answer_malformed"), (1001, "too_long")]:
        for body, headers in [(b" " * size, {}), (gzip.compress(b" " * size), {"Content-Encoding": "gzip"})]:
            central.lies["/time"] = Reply(200, body, headers)
            with pytest.raises(CentralUnreachable, match=outcome):
                await link.time(1, NONCE)


async def test_cookies_are_not_kept(central: LyingCentral, link: CentralClient) -> None:
    central.lies["/mirror/changes"] = said(
        {"upserts": [], "removes": [], "cursor": "c", "more": True}, Set_Cookie="a=b; Path=/"
    )
    for _ in range(2):
        await link.changes("c", NONCE)
    assert "cookie" not in central.asked[-1].headers
    assert len((link._asking.http or link._made()).cookies) == 0


# --- what is sent, and what is not shown ---


async def test_the_token_goes_with_every_call_and_nowhere_else(
    central: LyingCentral, link: CentralClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    pepper, code = "marked-secret-pepper", "marked-secret-code"
    argon2 = {"time": 2, "memory_kib": 19456, "lanes": 1}
    enrolled = {
        "station": 7,
        "site": 1,
        "role": 0,
        "token": "marked-secret-new-token",
        "certificate": "AA",
        "central_keys": [encoded(b"k" * 32)],
        "pin": {
            "site_salt": "marked-secret-salt",
            "argon2": argon2,
            "digits": 6,
            "peppers": [{"version": 1, "pepper": pepper}],
        },
    }
    central.lies["/enrol"] = said(enrolled, 201)
    answer = await link.enrol(Secret(code), b"k" * 32, b"p" * 64)
    assert isinstance(answer, Enrolled)
    assert central.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert central.asked[-1].json["code"] == code
    shown = [repr(answer), str(answer), repr(link), repr(vars(link))]
    central.lies["/enrol"] = said(enrolled | {"station": "seven"}, 201)
    central.lies["/provision"] = Reply(500)
    for call in [lambda: link.enrol(Secret(code), b"k" * 32, b"p" * 64), lambda: link.provision(Secret(code))]:
        with pytest.raises(CentralUnreachable) as raised:
            await call()
        error: BaseException | None = raised.value
        while error is not None:
            shown += [repr(error), str(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
    assert "marked" not in "".join(shown) + caplog.text
    assert len(caplog.records) > 5


async def test_calls_that_are_given_up_leave_the_one_connection_to_the_others(
    central: LyingCentral, link: CentralClient
) -> None:
    random_ = random.Random(5)

    async def slowly(asked: Asked, writer: asyncio.StreamWriter) -> None:
        for piece in (b"HTTP/1.1 200 X\r\nContent-Le", b"ngth: 15\r\n\r\n", b'{"results":', b"[]} "):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001)

    async def one() -> None:
        with suppress(TimeoutError, CentralUnreachable):
            async with asyncio.timeout(random_.uniform(0, 0.02)):
                if random_.random() < 0.5:
                    await link.changes("c", NONCE)
                else:
                    await link.send([{"id": "1"}])

    central.lies["/mirror/changes"] = said({"upserts": [], "removes": [], "cursor": "c", "more": True})
    central.lies["/events"] = slowly
    for _ in range(40):
        await asyncio.gather(*(one() for _ in range(random_.randrange(1, 6))))
    async with asyncio.timeout(5):
        assert (await link.changes("c", NONCE)).cursor == "c"
        assert await link.send([{"id": "1"}]) == []
