"""Eight writing processes and a reader, on SQLite and on a real PostgreSQL: no row is ever missed."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.central import postgresql
from tests.central.mirror_copy import MirrorCopy
from tests.central.served import Caller, start_server, stop_server

WRITERS = 8
ROUNDS = 6
FOLDER = Path(__file__).parent

# A connection that the server has ended is noticed before the next request uses it.
ENDED_BY_THE_SERVER = """
import os, psycopg
from django.core.signals import request_started
from django.db import connection
from central.models import Site
before, url = Site.objects.count(), os.environ["DATABASE_URL"]
with psycopg.connect(url, autocommit=True) as server:
    server.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.connection.info.backend_pid])
request_started.send(sender=None)
print(Site.objects.count(), "site after", before)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a seeded central server."""
    data = tmp_path_factory.mktemp(request.param) / "data"
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"CENTRAL_DATA": str(data), "PYTHONPATH": str(FOLDER.parents[2])}
    if request.param == "sqlite":
        run(environment, "seed")
        yield environment
        return
    with postgresql.server() as database:
        environment["DATABASE_URL"] = database.url()
        run(environment, "seed")
        yield environment


def run(environment: dict[str, str], *words: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "central.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def use(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is started without being given it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if "DATABASE_URL" not in environment:
        monkeypatch.delenv("DATABASE_URL", raising=False)


def started(environment: dict[str, str], program: str, *words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, str(FOLDER / program), *map(str, words)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_polling_reader_misses_nothing_of_eight_writing_processes(environment: dict[str, str]) -> None:
    reader = started(environment, "feed_reader.py", 1)
    writers = [started(environment, "feed_writer.py", 1, writer, ROUNDS) for writer in range(WRITERS)]
    try:
        for process in (reader, *writers):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin
            writer.stdin.write("go\n")
            writer.stdin.close()
        assert [writer.wait(300) for writer in writers] == [0] * WRITERS
        told: Any = json.loads(reader.communicate("stop\n", timeout=60)[0])
    finally:
        for process in (reader, *writers):
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
    assert told["is_whole"]
    assert told["polls"] > 3
    assert all(told["names"][str(100 + n)] == f"{n}.{ROUNDS - 1}" for n in range(WRITERS))
    areas = [name for name in told["names"].values() if name == "new"]
    assert len(areas) == WRITERS * ROUNDS - WRITERS * (ROUNDS // 3)


def test_a_station_is_served(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    use(environment, monkeypatch)
    code, of_a_box = (run(environment, "enrol-code", "--station", number).strip() for number in ("1", "13"))
    process, url = start_server(Path(environment["CENTRAL_DATA"]))
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(code).status_code == 201
            assert Caller(http).enrol("AB\0D-0123456789").status_code == 403
            cursor = caller.snapshot()["cursor"]
            assert caller.news(cursor) == {"upserts": [], "removes": []}
            event = {
                "id": "0192f0c1-2345-7abc-8def-0123456789ab", "instance": "0192f0c1-2345-7abc-8def-0123456789ac",
                "seq": 1, "at": 1_790_000_000, "clock": 0, "type": "key_locked_out", "key": 5001,
                "data": {"å": [1, None, {"deep": "ö"}]},
            }  # fmt: skip
            nul = event | {"id": "0192f0c1-2345-7abc-8def-0123456789ad", "data": {"text": "a\0b"}}
            answer = http.post("/events", json={"events": [event, nul, event]})
            assert [each["status"] for each in answer.json()["results"]] == ["accepted", "rejected", "duplicate"]
            (key,) = caller.changes(cursor).json()["upserts"]
            assert key["locked_at"] == event["at"]
            with out_of_reach(environment):
                calls = [http.post("/events", json={"events": [event]}), caller.changes(cursor), http.get("/pin")]
                for answer in calls:
                    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
                    assert int(answer.headers["Retry-After"]) > 0
            copy = MirrorCopy(caller)
            copy.follow(wait=1)
            assert len(copy.objects) > 100
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(of_a_box).status_code == 201
            copy = MirrorCopy(caller)
            copy.follow(wait=1)
            assert set(copy.objects) == {("blocklist", 0), ("site", 0), ("station", 13)}
    finally:
        assert stop_server(process) == 0
    assert "key_locked_out" in run(environment, "manage", "events", "--json", "--reason", "is it there")
    assert "0 events" in run(environment, "manage", "retention")
    if "DATABASE_URL" in environment:
        assert "1 site after 1" in run(environment, "manage", "shell", "-c", ENDED_BY_THE_SERVER)


def test_a_stations_calls_at_once_lock_no_more_keys_than_one_after_the_other(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten an hour: forty at once, one key each, were each the first."""
    use(environment, monkeypatch)
    code = run(environment, "enrol-code", "--station", "2").strip()
    names = "from central.models import Key; print('keys', *Key.objects.filter({}).values_list('number', flat=True))"

    def keys(which: str) -> list[int]:
        told = run(environment, "manage", "shell", "-c", names.format(f"site__number=1, {which}"))
        return [int(word) for word in next(line for line in told.splitlines() if line.startswith("keys")).split()[1:]]

    chosen, locked_before = keys("status='active', locked_at=None")[:40], len(keys("locked_at__isnull=False"))
    assert len(chosen) == 40
    process, url = start_server(Path(environment["CENTRAL_DATA"]))
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http, ThreadPoolExecutor(40) as threads:
            caller = Caller(http)
            assert caller.enrol(code).status_code == 201
            list(threads.map(lambda n: caller.reported({"type": "key_locked_out", "key": n, "clock": 0}), chosen))
    finally:
        assert stop_server(process) == 0
    assert len(keys("locked_at__isnull=False")) - locked_before == 10


@contextmanager
def out_of_reach(environment: dict[str, str]) -> Iterator[None]:
    """The database answers nobody for a while: as when it is away, or has as many connections as it takes."""
    url = environment.get("DATABASE_URL")
    if url is None:
        file = Path(environment["CENTRAL_DATA"]) / "central.sqlite3"
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("ALTER TABLE central_stationtoken RENAME TO elsewhere")
            yield
            database.execute("ALTER TABLE elsewhere RENAME TO central_stationtoken")
        return
    import psycopg

    with psycopg.connect(url.replace("/central?", "/postgres?"), autocommit=True) as server:
        server.execute("ALTER DATABASE central ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'central'")
        yield
        server.execute("ALTER DATABASE central ALLOW_CONNECTIONS true")


@pytest.mark.parametrize(
    "url",
    ["mysql://a@b/c", "postgresql://central:geheim@host", "postgresql://x:geheim@[::1/c", "postgresql://h:port/c"],
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    environment = os.environ | {"DATABASE_URL": url, "CENTRAL_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "central.cli", "enrol-code", "--station", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("central: database_url")
    assert "geheim" not in done.stderr
    assert "Traceback" not in done.stderr
