"""The primary is killed in the middle of ingest and its standby promoted: nobody does anything to central."""

import os
import time
from pathlib import Path

import httpx
import pytest

from tests.central.ingest import Poster, end, wait_for_more
from tests.central.postgresql import Cluster, Clusters, clusters
from tests.central.served import Caller, run, start_server, stop_server

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

STATIONS = (1, 2, 3)
BATCHES = 30


def pair(found: Clusters) -> tuple[Cluster, Cluster]:
    """A primary with a synchronous standby, and the sample site on both."""
    primary, standby = found.new("a"), found.new("b")
    primary.make()
    os.environ["DATABASE_URL"] = primary.url()
    run("seed")
    primary.stop()
    # From here on it is about what is on whose disk.
    primary.start(durable=True)
    standby.copy(primary, "--write-recovery-conf")
    standby.start(durable=True)
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'b'")
    primary.ask("SELECT pg_reload_conf()")
    wait_until(primary, "SELECT sync_state = 'sync' FROM pg_stat_replication")
    os.environ["DATABASE_URL"] = (
        f"postgresql://central@/central?host={primary.folder},{standby.folder}&target_session_attrs=read-write"
    )
    return primary, standby


def wait_until(cluster: Cluster, statement: str) -> None:
    deadline = time.monotonic() + 60
    while not cluster.ask(statement):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_synchronous_standby_takes_over_in_the_middle_of_ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CENTRAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", "")
    with clusters() as found:
        primary, standby = pair(found)
        codes = [run("enrol-code", "--station", str(number)).strip() for number in STATIONS]
        process, url = start_server(tmp_path / "data")
        posters = []
        caller = None
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            for code in codes:
                caller = Caller(http)
                assert caller.enrol(code).status_code == 201
                posters.append(Poster(url, caller.enrolled["token"]))
            assert caller is not None
            for poster in posters:
                poster.start()
            wait_for_more(posters, BATCHES)
            caller.reported({"type": "key_locked_out", "key": 5001})
            primary.kill()
            standby.promote()
            wait_for_more(posters, BATCHES)
            caller.reported({"type": "key_locked_out", "key": 5002})
            end(posters)
            assert http.get("/pin").status_code == 200, "it did not close itself"
        assert stop_server(process) == 0
        assert len(set.union(*(poster.epochs for poster in posters))) == 1
        assert posters[0].revisions[-1] > posters[0].revisions[0], "there were changes on both sides"
        assert any(poster.waited for poster in posters), "nobody noticed anything: it was not in the middle"
        taken = [each for poster in posters for each in poster.taken]
        assert standby.ask("SELECT count(*) FROM central_event WHERE type = 'key_deactivated'") == len(taken)
        found_there = standby.ask(
            "SELECT string_agg(event::text, ' ') FROM central_event WHERE type = 'key_deactivated'"
        )
        assert sorted(found_there.split()) == sorted(taken), "none lost, none twice"
        assert standby.ask("SELECT value FROM central_serverfact WHERE name = 'place'").split(".")[1] == "2"
