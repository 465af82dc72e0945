"""Two machines, each with a data folder of its own, serve one PostgreSQL: real servers, real processes at once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from station.records import claims
from station.records.base64url import decoded, encoded
from station.records.envelope import verified
from tests.central import postgresql
from tests.central.served import Caller

FOLDER = Path(__file__).parent
PERMITS = 300

pytestmark = pytest.mark.slow


@dataclass
class Machine:
    """A data folder, and the environment of what runs there."""

    data: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        mine = {"DATABASE_URL": self.url, "CENTRAL_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "central.settings"}
        return os.environ | mine | {"PYTHONPATH": str(FOLDER.parents[2])}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *words], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def central(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "central.cli", *words]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, timeout=60, check=False
        )

    def said(self, *words: str) -> str:
        done = self.central(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass
class Both:
    """The machines, and where each serves."""

    one: Machine
    two: Machine
    urls: list[str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both start at once, at a database that is empty; the sample site is made then."""
    folder = tmp_path_factory.mktemp("machines")
    with postgresql.server(max_connections="100") as database:
        one, two = (Machine(folder / name, database.url()) for name in ("one", "two"))
        for machine in (one, two):
            machine.data.mkdir()
            # Carried to both before the first start; else the first makes it and the second waits for its copy.
            (machine.data / "master.key").write_bytes(bytes(range(32)))
        servers = [machine.start("-m", "central.cli", "serve", "--port", "0") for machine in (one, two)]
        try:
            lines = [server.stdout.readline() for server in servers if server.stdout]
            assert all(line.startswith("central is serving on ") for line in lines), [
                server.communicate(timeout=10) for server in servers
            ]
            one.said("seed")
            yield Both(one, two, [line.split()[-1] for line in lines])
        finally:
            for server in servers:
                server.terminate()
                server.communicate(timeout=60)


@contextmanager
def ready(machine: Machine, *acts: str) -> "Iterator[list[subprocess.Popen[str]]]":
    """Processes that are about to do these acts."""
    processes = [machine.start(str(FOLDER / "at_once.py"), act) for act in acts]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == '"ready"\n', process.communicate(timeout=10)
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def at_once(both: Both, *acts: str) -> list[Any]:
    """What came of these acts, each in a process of its own, at the same time."""
    with ready(both.two, *acts) as processes:
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate(timeout=120) for process in processes]
        assert [process.returncode for process in processes] == [0] * len(acts), told
    return [json.loads(out) for out, _ in told]


def test_what_one_machine_changes_works_on_the_other_at_once(both: Both) -> None:
    code = both.one.said("enrol-code", "--station", "1").strip()
    with httpx.Client(base_url=f"{both.urls[1]}/api/v1", timeout=60) as http:
        caller = Caller(http)
        assert caller.enrol(code).status_code == 201
        (first,) = [decoded(key) for key in caller.enrolled["central_keys"]]

        def time_is_signed_by(key: bytes) -> bool:
            told = http.post("/time", json={"site": 1, "nonce": encoded(os.urandom(16))}).json()
            return verified(claims.TimeAnswer, decoded(told["record"]), [key]) is not None

        assert time_is_signed_by(first)
        assert len(http.get("/pin").json()["peppers"]) == 1
        for step in ("begin", "sign", "current"):
            both.one.said("rotate-key", step, *(["--force"] if step != "begin" else []))
        caller.snapshot()
        find = "from central.models import CentralKey; print('key', bytes(CentralKey.objects.get().public_key).hex())"
        told = both.one.said("manage", "shell", "--no-imports", "-c", find)
        assert time_is_signed_by(bytes.fromhex(told.split()[-1]))
        assert not time_is_signed_by(first)
        both.one.said("manage", "revoke_station", "2")
        assert len(http.get("/pin").json()["peppers"]) == 2


def test_without_the_master_key_of_the_database_nothing_starts(both: Both, tmp_path: Path) -> None:
    other = Machine(tmp_path / "other", both.one.url)
    for words in (["serve", "--port", "0"], ["enrol-code", "--station", "1"], ["manage", "resign"]):
        done = other.central(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert done.stderr.startswith("central: master_key "), done.stderr
        assert "it is missing: copy it" in done.stderr
        assert not (other.data / "master.key").exists(), "a new one is never made beside what is sealed"
    (other.data / "master.key").write_bytes(os.urandom(32))
    assert "it is of another database" in other.central("serve", "--port", "0").stderr
    shutil.copy(both.one.data / "master.key", other.data / "master.key")
    assert other.said("enrol-code", "--station", "3")


def test_more_connections_than_the_database_has_are_refused(both: Both) -> None:
    done = both.one.central("serve", "--port", "0", "--workers", "1", "--threads", "60", CENTRAL_MACHINES="2")
    assert done.returncode == 1
    # 2 machines x (60 threads + listener + scheduler's two) + 5, and 3 that are kept for superusers.
    assert "= 131 of 97: raise max_connections to 134, or take fewer" in done.stderr
    assert "machines" in both.one.central("serve", "--port", "0", CENTRAL_MACHINES="many").stderr


def test_records_are_signed_once_and_never_go_back(both: Both) -> None:
    (before,) = at_once(both, "prepare")
    assert len(before) == PERMITS
    import psycopg

    with psycopg.connect(both.one.url, autocommit=True) as database:

        def facts() -> Any:
            counter = (
                "SELECT value FROM central_feedcounter c JOIN central_site s ON s.id = c.site_id WHERE number = 700"
            )
            return database.execute(counter).fetchone(), dict(
                database.execute(
                    "SELECT permission_id, p.revision FROM central_permit p JOIN central_holder h ON h.id = holder_id "
                    "JOIN central_site s ON s.id = h.site_id WHERE s.number = 700"
                ).fetchall()
            )

        # Whoever would write a lower number ends with an error.
        database.execute(
            "CREATE FUNCTION rises() RETURNS trigger AS $$ BEGIN IF NEW.revision <= OLD.revision THEN "
            "RAISE EXCEPTION 'goes back'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        database.execute("CREATE TRIGGER rises BEFORE UPDATE ON central_permit FOR EACH ROW EXECUTE FUNCTION rises()")
        ((value,), _) = facts()
        database.execute(
            "UPDATE central_permit SET renew_at = 1, revision = revision + 1 WHERE holder_id IN (SELECT h.id FROM "
            "central_holder h JOIN central_site s ON s.id = h.site_id WHERE s.number = 700)"
        )
        counts = at_once(both, "renew", "renew")
        (after, revisions) = facts()
        # The servers' own schedulers may have signed some of them.
        assert sum(counts) <= PERMITS
        assert after[0] - value == PERMITS, "each was signed once"
        assert all(revisions[int(permit)] > revision for permit, revision in before.items())
        at_once(both, "sign_all", "sign_all")
        assert facts()[0][0] - after[0] == 2 * (PERMITS + 1), (
            "on purpose twice, the blocklist as well: one after the other"
        )
        database.execute("DROP TRIGGER rises ON central_permit")


def test_what_is_done_at_once_is_done_one_after_the_other(both: Both) -> None:
    first, second = at_once(both, "add_stations", "add_stations")
    assert sorted(first + second) == list(range(2, 2 + len(first) + len(second)))
    # A key that is handed out while it is blocked: no deadlock, and a code of a blocked key is good for nothing.
    at_once(both, "hand_out", "block")


def test_the_schedulers_work_is_one_process_s_and_free_when_that_is_killed(both: Both) -> None:
    with ready(both.one, "schedule", "try_to_schedule") as (holder, other):
        for process in (holder, other):
            assert process.stdin
            assert process.stdout
            process.stdin.write("go\n")
            process.stdin.flush()
            if process is holder:
                assert json.loads(process.stdout.readline()) == {"held": True}
        assert json.loads(other.communicate(timeout=60)[0]) is False
        holder.kill()
        holder.wait()
        with ready(both.two, "schedule") as (heir,):
            assert heir.stdin
            assert heir.stdout
            heir.stdin.write("go\n")
            heir.stdin.flush()
            assert json.loads(heir.stdout.readline()) == {"held": True}
