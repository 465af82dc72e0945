"""What a station's calls cost inside the server: statements, milliseconds, and how PostgreSQL finds what they ask for.

The real application in this process, called as the server calls it; ``python -m tools.load.inside SIZE``. With
``--by-index`` only the plans, and those that PostgreSQL makes where it may not read a table whole if it can help it:
what it then still reads whole has no index, in however small a database that is asked.
"""

import gzip
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

import tools.load.django_ready  # noqa: F401  (first: it makes models importable)
from central.actions.keys import unlock_key
from central.feed.cursors import newest_cursor
from central.models import Key, Site, Station, StationHealth
from central.wsgi import application
from station.records.base64url import encoded
from tools.load.sizes import FIRST_KEY, SIZES, Caller
from tools.load.visits import Visits

TIMES = 200
SMALL_TABLE_ROWS = 1000
"""A table with no more is read whole by any plan that is worth something."""
WHOLE = "**whole table**"
BY_INDEX_WITHOUT = ("seqscan", "hashjoin", "mergejoin")
"""Ways of PostgreSQL's that read tables whole; of small ones also where there is an index."""
WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Call:
    """A call of a station, made anew each time."""

    name: str
    ask: Callable[[], None]
    before: Callable[[], None] = lambda: None
    """What has to happen before each."""


def main() -> None:
    """Print the tables."""
    size, by_index = SIZES[sys.argv[1]], "--by-index" in sys.argv
    calls = list(_calls(sys.argv[1]))
    if not by_index:
        print(f"{size.name}: {size.objects} objects a site\n")
        print(f"| call | statements | ms, median of {TIMES} | ms of processor in the server | in PostgreSQL |")
        print("| --- | --- | --- | --- | --- |")
        for call in calls:
            statements, *costs_ms = _cost(call)
            print(f"| {call.name} | {statements} | {' | '.join(f'{ms:.2f}' for ms in costs_ms)} |")
    if connection.vendor == "postgresql":
        print("\n| call | statement | reads by | |\n| --- | --- | --- | --- |")
        found = [line for call in calls for line in _plans(call, by_index=by_index)]
        print("\n".join(found))
        bad = [line for line in found if WHOLE in line]
        print(f"\n{len(bad)} of {len(found)} statements read a table whole that grows")


def _calls(name: str) -> Iterator[Call]:
    size, caller = SIZES[name], Caller(1, 1)
    site = Site.objects.get(number=1)
    key = Key.objects.select_related("site").get(site=site, number=FIRST_KEY)
    visits = Visits(size, seed=2)
    cursor = newest_cursor(site.pk)

    def note_cursor() -> None:
        nonlocal cursor
        cursor = newest_cursor(site.pk)

    def change_one() -> None:
        note_cursor()
        unlock_key(key)

    def poll(more: str = "") -> None:
        _get(caller, "/api/v1/mirror/changes", f"since={cursor}&nonce={encoded(os.urandom(16))}&limit=500{more}")

    def a_minute_later() -> None:
        note_cursor()
        StationHealth.objects.filter(station__site=site).update(mirror_at=1)
        Station.objects.filter(site=site).update(last_contact=1)

    yield Call("poll, nothing new", poll, note_cursor)
    yield Call("poll, nothing new, a minute after the last", poll, a_minute_later)
    yield Call("poll, one change", poll, change_one)
    yield Call("poll of a visit, with its key", lambda: poll(f"&key={FIRST_KEY}"), note_cursor)
    # A process asks once which months of the log there are: that is no part of it.
    post = partial(_post_events, visits, caller)
    yield Call("12 events of a visit", post, post)


def _post_events(visits: Visits, caller: Caller) -> None:
    text = json.dumps({"events": visits.events(caller, visits.key())}).encode()
    _call(caller, {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/events", "HTTP_CONTENT_ENCODING": "gzip"}, text)


def _get(caller: Caller, path: str, query: str) -> None:
    _call(caller, {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query})


def _call(caller: Caller, asked: dict[str, str], text: bytes = b"") -> None:
    body = gzip.compress(text) if text else b""
    environ: dict[str, Any] = {
        "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT_ENCODING": "gzip", "HTTP_AUTHORIZATION": f"Bearer {caller.token}",
        "HTTP_STATION_HEALTH": "outbox=0, clock=0", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)) if body else "", "wsgi.version": (1, 0), "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.multithread": True, "wsgi.multiprocess": False,
        "wsgi.run_once": False, **asked,
    }  # fmt: skip
    told: list[str] = []
    answer = application(environ, lambda status, _headers, _error=None: told.append(status))
    read = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    if not told[0].startswith("200"):
        raise SystemExit(f"{asked['PATH_INFO']}: {told[0]} {read[:300]!r}")


def _cost(call: Call) -> tuple[int, float, float, float]:
    """Statements of the last call, and the medians: how long one took, how much processor here, and the database's."""
    took_ms, used_ms, database_ms = [], [], []
    count = 0
    backend = connection.connection.info.backend_pid if connection.vendor == "postgresql" else None
    for _ in range(TIMES):
        call.before()
        count = 0

        def counted(execute: Any, *rest: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*rest)

        with connection.execute_wrapper(counted):
            before_ms = _processor_ms(backend)
            began, used = time.perf_counter(), time.process_time()
            call.ask()
            used_ms.append(1000 * (time.process_time() - used))
            took_ms.append(1000 * (time.perf_counter() - began))
            database_ms.append(_processor_ms(backend) - before_ms)
    return count, statistics.median(took_ms), statistics.median(used_ms), statistics.median(database_ms)


def _processor_ms(process: int | None) -> float:
    """What a process has used (Linux; to the nanosecond)."""
    return 0.0 if process is None else int(Path(f"/proc/{process}/schedstat").read_text("ascii").split()[0]) / 1e6


def _plans(call: Call, *, by_index: bool) -> Iterator[str]:
    """A line for each statement of the call, as it was made."""
    call.before()
    said: list[tuple[str, Any]] = []

    def noted(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if sql.split(None, 1)[0] in ("SELECT", "WITH", *WRITES) and not many:
            with connection.connection.cursor() as apart:
                for way in BY_INDEX_WITHOUT if by_index else ():
                    apart.execute(f"SET enable_{way} = off")
                apart.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
                said.append((sql, apart.fetchone()[0][0]["Plan"]))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(noted):
        call.ask()
    rows, small = _rows(), 0 if by_index else SMALL_TABLE_ROWS
    for sql, plan in said:
        read = list(_reads(plan))
        whole = [each.table for each in read if each.is_whole and (by_index or rows[each.table] > small)]
        ways = ", ".join(f"{each.table}: {each.how}" for each in read) or "-"
        verdict = f"{WHOLE} {', '.join(whole)}" if whole else ""
        yield f"| {call.name} | `{' '.join(sql.split())[:100]}` | {ways} | {verdict} |"


class _Read(NamedTuple):
    table: str
    how: str
    """The name of the index, or what the plan calls it."""
    is_whole: bool


def _reads(plan: dict[str, Any]) -> Iterator[_Read]:
    """Each table that a plan reads, and how."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        by_index = "Index Name" in plan
        is_whole = plan["Node Type"] == "Seq Scan" or (by_index and "Index Cond" not in plan)
        yield _Read(plan["Relation Name"], plan.get("Index Name") or plan["Node Type"].lower(), is_whole)
    for inner in plan.get("Plans", []):
        yield from _reads(inner)


def _rows() -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relkind IN ('r', 'p')")
        return defaultdict(float, cursor.fetchall())


if __name__ == "__main__":
    main()
