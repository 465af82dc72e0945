"""A point in time, as docs/how-to/back-up-central.md has it: base backup, archive, restore to between two changes."""

import os
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.central.postgresql import Cluster, Clusters, clusters
from tests.central.served import Caller, run, start_server, stop_server

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

LIMIT_S = 60.0


def wait_until_archived(cluster: Cluster, segment: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while (cluster.ask("SELECT last_archived_wal FROM pg_stat_archiver") or "") < segment:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def base_backup(found: Clusters, archive: Path) -> tuple[Cluster, Cluster]:
    """A server with an archive and a seeded database, and a copy of it that was never started."""
    first, second = found.new("a"), found.new("b")
    first.make(archive_mode="on", archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f")
    os.environ["DATABASE_URL"] = first.url()
    run("seed")
    second.copy(first)
    return first, second


def test_restored_to_a_point_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CENTRAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", "")
    with clusters() as found:
        archive = found.new("archive").folder
        first, second = base_backup(found, archive)
        code = run("enrol-code", "--station", "1").strip()
        process, url = start_server(tmp_path / "data")
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(code).status_code == 201
            before = told("0192f0c1-2345-7abc-8def-0123456789aa")
            caller.reported(before)
            moment = first.ask("SELECT clock_timestamp()")
            after = told("0192f0c1-2345-7abc-8def-0123456789ab")
            caller.reported(after)
            run("manage", "block_key", "5002")
            cursor = caller.snapshot()["cursor"]
        assert stop_server(process) == 0
        wait_until_archived(first, first.ask("SELECT pg_walfile_name(pg_switch_wal())"))
        # The machine is lost; the base backup and the archive are elsewhere.
        first.kill()

        (second.data / "recovery.signal").touch()
        second.start(
            until="database system is ready to accept connections",
            restore_command=f"cp {archive}/%f %p",
            recovery_target_time=moment.isoformat(),
            recovery_target_action="promote",
        )
        monkeypatch.setenv("DATABASE_URL", second.url())
        process, url = start_server(tmp_path / "data")
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            station = Caller(http, enrolled=caller.enrolled)
            http.headers["Authorization"] = f"Bearer {caller.enrolled['token']}"
            assert http.get("/healthz").status_code == 200
            # Nobody has seen yet from when it is: nothing is said that a station would take as final.
            stranger = {"Authorization": "Bearer of-a-station-that-was-enrolled-later"}
            calls = [
                http.post("/events", json={"events": [before]}),
                station.changes(cursor),
                http.get("/pin", headers=stranger),
                http.post("/enrol", json={}),
            ]
            for answer in calls:
                assert (answer.status_code, answer.json()["error"]) == (503, "restored")
                assert int(answer.headers["Retry-After"]) == 60
            said = run("manage", "open_after_restore", said="no\n", status=1)
            assert "closed to stations" in said
            assert "newest event           20" in said
            # The sample site has one; the later one is not there, see below.
            assert "newest block of a key  20" in said
            assert "its PINs are of" in said
            assert station.changes(cursor).status_code == 503
            assert "signed anew" in run("manage", "open_after_restore", said="yes\n")
            # What was acknowledged before that moment is there, what came later is not; stations begin anew.
            assert station.changes(cursor).json()["error"] == "resnapshot"
            keys = {each["id"]: each for each in station.snapshot()["objects"] if each["type"] == "key"}
            assert keys[5002]["status"] == "active"
            results = station.report(before, after)
            assert [each["status"] for each in results] == ["duplicate", "accepted"]
        assert stop_server(process) == 0
        # Seen once is enough.
        process, url = start_server(tmp_path / "data")
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            http.headers["Authorization"] = f"Bearer {caller.enrolled['token']}"
            assert http.get("/pin").status_code == 200
        assert stop_server(process) == 0


def told(number: str) -> dict[str, Any]:
    """An event."""
    return {
        "id": number, "instance": "0192f0c1-2345-7abc-8def-0123456789ac", "seq": int(number[-1], 16),
        "at": 1_790_000_000, "clock": 0, "type": "key_deactivated", "key": 5001, "data": {},
    }  # fmt: skip
