"""The database goes away, and workers die, in the middle of ingest: 503 and again; nothing is lost, nothing doubled."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from central.serving.workers import HUNG_AFTER_S
from tests.central.postgresql import Cluster
from tests.central.served import Caller
from tests.central.serving.own_central import OwnCentral

pytestmark = pytest.mark.slow

BATCH = 5
STATIONS = 3
LIMIT_S = 30.0
AGAIN_S = 0.05
"""Sooner than `Retry-After` says: more of them meet the fault."""


class Ingest:
    """Stations that report events, each batch until it is acknowledged."""

    def __init__(self, callers: list[Caller], may_break: bool) -> None:
        self.may_break = may_break
        """A connection to a worker that is killed breaks."""
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.wrong: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._report, args=(caller,), daemon=True) for caller in callers]

    @contextmanager
    def going_on(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            self.goes_on()
            yield
            self.goes_on()
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join(LIMIT_S)

    def goes_on(self) -> None:
        """More are acknowledged."""
        before, deadline = len(self.acknowledged), time.monotonic() + LIMIT_S
        while len(self.acknowledged) < before + 3 * BATCH * STATIONS:
            assert time.monotonic() < deadline, self.wrong[:3]
            time.sleep(0.02)

    def _report(self, caller: Caller) -> None:
        seq, instance = 0, str(uuid4())
        while not self._ended.is_set():
            events = [
                {"id": str(uuid4()), "instance": instance, "seq": seq + n, "at": int(time.time()), "clock": 0}
                | {"type": "key_synced", "key": 5003, "data": {"source": "online"}}
                for n in range(BATCH)
            ]
            seq += BATCH
            while not self._taken(caller, events) and not self._ended.wait(AGAIN_S):
                pass

    def _taken(self, caller: Caller, events: list[dict[str, Any]]) -> bool:
        try:
            answer = caller.http.post("/events", json={"events": events})
        except httpx.TransportError as error:
            if not self.may_break:
                self.wrong.append(repr(error))
            return False
        if answer.status_code == 503 and answer.json()["error"] == "unavailable" and answer.headers["Retry-After"]:
            self.refused += 1
            return False
        if answer.status_code != 200:
            self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
            return False
        self.acknowledged.update(each["id"] for each in answer.json()["results"] if each["status"] != "rejected")
        return True


def connected(own: OwnCentral) -> Any:
    import psycopg

    return psycopg.connect(own.environment["DATABASE_URL"], autocommit=True)


@contextmanager
def ingesting(own: OwnCentral, *, may_break: bool) -> Iterator[Ingest]:
    """Two workers, and stations that report; at the end each acknowledged event is there, once."""
    with own.serving("--workers", "2"), own.station(1) as one, own.station(2) as two, own.station(3) as three:
        ingest = Ingest([one, two, three], may_break)
        with ingest.going_on():
            yield ingest
        assert ingest.wrong == []
        with connected(own) as database:
            kept = [str(row[0]) for row in database.execute("SELECT event FROM central_event").fetchall()]
        assert len(kept) == len(set(kept))
        assert ingest.acknowledged - set(kept) == set()


def test_the_database_is_stopped_and_started(on_postgresql: OwnCentral, database: Cluster) -> None:
    with ingesting(on_postgresql, may_break=False) as ingest:
        database.stop(signal.SIGQUIT)
        page = httpx.get(f"{on_postgresql.url}/office/", headers={"Cookie": f"sessionid={'a' * 32}"}, timeout=30)
        assert page.status_code == 503
        assert int(page.headers["Retry-After"]) > 0
        assert "<h1>" in page.text
        assert "Traceback" not in page.text
        deadline = time.monotonic() + LIMIT_S
        while ingest.refused < STATIONS:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        database.start()


def test_a_worker_is_killed(on_postgresql: OwnCentral) -> None:
    with ingesting(on_postgresql, may_break=True) as ingest:
        before = on_postgresql.workers()
        for victim in before:
            os.kill(victim, signal.SIGKILL)
            ingest.goes_on()
        assert len(on_postgresql.workers()) == 2
        assert not set(before) & set(on_postgresql.workers())


@pytest.mark.nightly
def test_a_worker_that_hangs_is_replaced_and_the_other_one_serves(on_postgresql: OwnCentral) -> None:
    with on_postgresql.serving("--workers", "2"):
        hung, _ = on_postgresql.workers()
        os.kill(hung, signal.SIGSTOP)
        deadline = time.monotonic() + HUNG_AFTER_S + 10
        while hung in on_postgresql.workers() or len(on_postgresql.workers()) < 2:
            assert time.monotonic() < deadline
            # A connection of its own each time: whom the hung one has taken in nobody can help.
            assert httpx.get(f"{on_postgresql.url}/healthz", timeout=5).status_code == 200
            time.sleep(0.2)


def test_no_connection_is_left_and_then_it_is_read_only(on_postgresql: OwnCentral) -> None:
    with ingesting(on_postgresql, may_break=False) as ingest:
        taken: list[Any] = []
        try:
            with connected(on_postgresql) as operator:
                # Whatever a worker lets go, somebody else takes.
                deadline = time.monotonic() + LIMIT_S
                refused = ingest.refused
                while ingest.refused <= refused + STATIONS:
                    assert time.monotonic() < deadline
                    taken += more_connections(on_postgresql)
                    operator.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> ALL(%s)",
                        [[operator.info.backend_pid, *(each.info.backend_pid for each in taken)]],
                    )
                for each in taken:
                    each.close()
                taken.clear()
                ingest.goes_on()
                operator.execute("ALTER DATABASE central SET default_transaction_read_only = on")
                operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                refused = ingest.refused
                while ingest.refused <= refused + STATIONS:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                operator.execute("SET default_transaction_read_only = off")
                operator.execute("ALTER DATABASE central SET default_transaction_read_only = off")
                operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        finally:
            for each in taken:
                each.close()


def more_connections(own: OwnCentral) -> list[Any]:
    """All that are left."""
    import psycopg

    found = []
    while True:
        try:
            found.append(connected(own))
        except psycopg.OperationalError:
            return found
