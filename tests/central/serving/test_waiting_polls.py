"""Polls that wait: a thousand of them at next to no cost, each woken by a block in less than two seconds.

``pytest -rP`` shows the figures.
"""

import asyncio
import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections

from station.records.base64url import encoded
from tests.central.served import Caller, Served
from tests.central.serving.own_central import OwnCentral

pytestmark = pytest.mark.slow

REACHED_S = 2.0
REST_S = 3.0
REST_SHARE = 0.1
"""Of a core, for all workers together, while nothing happens."""
MAKE_TOKENS = """
import hashlib
from central.models import Site, Station, StationToken
stations = list(Station.objects.filter(site__number=1, role=0).order_by("number"))
StationToken.objects.bulk_create(
    StationToken(sha256=hashlib.sha256(("invented-token-COUNT-%d" % n).encode()).hexdigest(),
                 station=stations[n % len(stations)], created_at=0, used_at=0)
    for n in range(COUNT)
)
"""


class WaitingStation:
    """A connection with a poll that waits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, url: str) -> "WaitingStation":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, token: str, since: str, wait_s: int) -> None:
        path = f"/api/v1/mirror/changes?since={since}&nonce={encoded(os.urandom(16))}&wait={wait_s}"
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        self.writer.write(head.encode())
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, Any]]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        (length,) = [
            int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        ]
        return int(head.split()[1]), json.loads(await self.reader.readexactly(length))


async def all_wait(own: OwnCentral) -> None:
    """When the workers have come to rest."""
    deadline, before_s = time.monotonic() + 60, 0.0
    while (now_s := own.processor_s()) > before_s + 0.05:
        assert time.monotonic() < deadline
        before_s = now_s
        await asyncio.sleep(0.5)


def token(count: int, number: int) -> str:
    return f"invented-token-{count}-{number}"


async def a_block_reaches(own: OwnCentral, caller: Caller, count: int, key: int) -> WaitingStation:
    """Have so many wait, then lock a key; all have it soon after. Returns one that waits for more."""
    with ExitStack() as closing:
        cursor = caller.snapshot()["cursor"]
        await asyncio.to_thread(caller.news, cursor)
        before_kib = own.memory_kib()
        stations = [await WaitingStation.at(own.url) for _ in range(count)]
        for station in stations[1:]:
            closing.callback(station.writer.close)
        for number, station in enumerate(stations):
            await station.ask(token(count, number), cursor, 50)
        await all_wait(own)
        used_s, began = own.processor_s(), time.monotonic()
        await asyncio.sleep(REST_S)
        share = (own.processor_s() - used_s) / (time.monotonic() - began)
        memory_kib = (own.memory_kib() - before_kib) / count
        by_worker = own.files()

        began = time.monotonic()
        reached: list[float] = []
        cursors: set[str] = set()

        async def hear(station: WaitingStation) -> None:
            status, body = await station.answer()
            reached.append(time.monotonic() - began)
            assert status == 200, body
            assert [(each["type"], each["id"]) for each in body["upserts"]] == [("key", key)]
            assert body["head"]
            cursors.add(body["cursor"])

        hearing = asyncio.gather(*map(hear, stations))
        await asyncio.to_thread(caller.reported, {"type": "key_locked_out", "key": key, "clock": 0})
        await asyncio.wait_for(hearing, 30)
        print(  # noqa: T201
            f"{count} waiting polls take {share * 100:.1f} % of a core and {memory_kib:.0f} KiB each at rest "
            f"(files of workers: {by_worker}); a lock reaches the first after {min(reached) * 1000:.0f} ms, "
            f"the last after {max(reached) * 1000:.0f} ms"
        )
        assert max(reached) < REACHED_S
        assert share < REST_SHARE
        if len(by_worker) > 1:
            assert min(by_worker) > count / 8, "both workers have their share"
        (cursor,) = cursors
        await stations[0].ask(token(count, 0), cursor, 50)
        return stations[0]


async def in_two_processes(own: OwnCentral, count: int, key: int) -> None:
    with own.serving("--workers", "2"), own.station(1) as caller:
        # Now: a later enrolment would end them.
        own.run("manage", "shell", "-c", MAKE_TOKENS.replace("COUNT", str(count)))
        waiting = await a_block_reaches(own, caller, count, key)
        # Who still waits when the server ends is answered.
        await all_wait(own)
        assert own.process
        own.process.terminate()
        status, body = await asyncio.wait_for(waiting.answer(), 5)
        assert (status, body["upserts"]) == (200, [])
        waiting.writer.close()


async def test_a_block_reaches_a_hundred_in_two_processes(on_postgresql: OwnCentral) -> None:
    await in_two_processes(on_postgresql, 100, 5001)


async def test_a_block_reaches_fifty_in_one_process(served: Served, site: SimpleNamespace, enrolled: Caller) -> None:
    from central.models import StationToken

    def make_tokens() -> None:
        shas = [hashlib.sha256(token(50, number).encode()).hexdigest() for number in range(50)]
        StationToken.objects.bulk_create(
            StationToken(sha256=sha, station=site.station, created_at=0, used_at=0) for sha in shas
        )
        connections.close_all()

    await asyncio.to_thread(make_tokens)
    own = OwnCentral(served.data, None)
    own.url, own.process = served.url, served.process
    waiting = await a_block_reaches(own, enrolled, 50, site.key.number)
    waiting.writer.close()


@pytest.mark.nightly
async def test_a_block_reaches_a_thousand(on_postgresql: OwnCentral) -> None:
    await in_two_processes(on_postgresql, 1000, 5002)


def test_news_of_a_time_when_nobody_listened_are_not_missed(on_postgresql: OwnCentral) -> None:
    own = on_postgresql
    import psycopg

    with own.serving("--workers", "1"), own.station(1) as caller:
        cursor = caller.snapshot()["cursor"]
        with psycopg.connect(own.environment["DATABASE_URL"], autocommit=True) as database:

            def lose_who_listens() -> int:
                return len(
                    database.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' OR "
                        "query LIKE 'SELECT site_id, value FROM central_feedcounter%'"
                    ).fetchall()
                )

            parameters = {"since": cursor, "wait": 20, "nonce": encoded(os.urandom(16))}
            began = time.monotonic()
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(caller.http.get, "/mirror/changes", params=parameters)
                deadline = time.monotonic() + 10
                while not (lost := lose_who_listens()):
                    assert time.monotonic() < deadline
                # Told to nobody: as what was committed while the connection was away.
                database.execute(
                    "WITH new AS (UPDATE central_feedcounter SET value = value + 1 RETURNING site_id, value) "
                    "UPDATE central_mirrorrow SET revision = new.value FROM new "
                    "WHERE central_mirrorrow.site_id = new.site_id AND type = 'site'"
                )
                answer = waiting.result(30)
            assert lost == 1
            assert [each["type"] for each in answer.json()["upserts"]] == ["site"]
            assert time.monotonic() - began < 10, "long before its time was over"


def test_sqlite_has_one_process(tmp_path: Path) -> None:
    own = OwnCentral(tmp_path, None)
    with pytest.raises(AssertionError, match="central: workers reason=SQLite has one process"):
        own.run("serve", "--workers", "2")
