"""Two servers on one PostgreSQL; one of their processes is frozen: the other goes on, and waits for no lock of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from central.settings import SERVER_LIMITS
from tests.central.ingest import Poster, end, wait_for_more
from tests.central.served import Caller, run, seeded_on_postgresql, start_server, stop_server

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

HELD_S = float(SERVER_LIMITS["idle_in_transaction_session_timeout"].removesuffix("s"))
WAITED_S = float(SERVER_LIMITS["lock_timeout"].removesuffix("s"))
SLACK_S = 10.0
"""For a machine on which everything else is done at once."""
HOLD = """
import sys
from django.db import transaction
from central.models import FeedCounter
with transaction.atomic():
    FeedCounter.objects.select_for_update().get(site__number=1)
    print("held", flush=True)
    sys.stdin.readline()
    FeedCounter.objects.filter(site__number=1).update(value=1)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A seeded data folder, with the address of its PostgreSQL in the environment."""
    with seeded_on_postgresql(tmp_path_factory.mktemp("frozen") / "data") as data:
        yield data


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """As a machine that is suspended: its connections stay, and say nothing."""
    pids = family(pid)
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


def test_one_of_two_servers_is_frozen_in_the_middle_of_ingest(database: Path) -> None:
    codes = [run("enrol-code", "--station", str(number)).strip() for number in (1, 2, 3, 4)]
    one, url = start_server(database)
    other, other_url = start_server(database)
    try:
        posters = []
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            for number, code in enumerate(codes):
                caller = Caller(http)
                assert caller.enrol(code).status_code == 201
                posters.append(Poster((url, other_url)[number % 2], caller.enrolled["token"]))
        for poster in posters:
            poster.start()
        wait_for_more(posters, 20)
        served_by_other = posters[1::2]
        for _ in range(2):
            with frozen(one.pid):
                began = time.monotonic()
                wait_for_more(served_by_other, 20)
                # Two of its threads may have been about to hold the same lock, one after the other.
                assert time.monotonic() - began < HELD_S + WAITED_S + SLACK_S
            wait_for_more(posters, 5)
        end(posters)
        assert max(poster.slowest_s for poster in served_by_other) < HELD_S + WAITED_S + SLACK_S
        taken = [each for poster in posters for each in poster.taken]
        code = "from central.models import Event; print(*Event.objects.filter(type='key_deactivated')"
        kept = run("manage", "shell", "--no-imports", "-c", code + ".values_list('event', flat=True))").split()
        assert sorted(kept) == sorted(taken), "none lost, none twice"
    finally:
        assert [stop_server(each) for each in (one, other)] == [0, 0]


def test_what_a_frozen_process_holds_is_free_after_seconds(database: Path) -> None:
    code = run("enrol-code", "--station", "5").strip()
    server, url = start_server(database)
    command = [sys.executable, "-m", "central.cli", "manage", "shell", "--no-imports", "-c", HOLD]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(code).status_code == 201
            before = caller.snapshot()["cursor"]
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            began = time.monotonic()
            with frozen(holder.pid):
                # It changes what stations have: the counter is the site's one lock.
                caller.reported({"type": "key_locked_out", "key": 5003, "clock": 0})
                waited_s = time.monotonic() - began
            assert HELD_S / 2 < waited_s < HELD_S + SLACK_S
            # It wakes, finds out that it has nothing any more, and has changed nothing.
            _, complaint = holder.communicate("\n", timeout=60)
            assert holder.returncode != 0
            assert "idle-in-transaction timeout" in complaint
            assert caller.news(before)["upserts"] == [("key", 5003)]
    finally:
        holder.kill()
        holder.wait()
        assert stop_server(server) == 0
