"""A served central, attacked over its socket: guessing, flooding, half requests. What the others notice of it.

``pytest -rP`` shows the figures.
"""

import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model

from central.actions.codes import new_enrolment_code
from central.models import LoggedInFrom, Membership, PasswordToChange, TryCount
from central.serving.connections import CONNECTIONS, REQUEST_S
from tests.central.served import Caller, Served, stop_server

pytestmark = pytest.mark.slow
OTHERS_WAIT_S = 3.0
"""At most, on a machine that other things keep busy too."""
RIGHT = "ett långt eget lösenord"


def told(figures: str) -> None:
    """For the report."""
    print(figures)  # noqa: T201


class Behind:
    """A server behind a proxy, whose word for addresses counts; and whoever comes through it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, errors: Path) -> None:
        self.process, self.url, self.errors = process, url, errors

    def client(self, address: str) -> httpx.Client:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": address, "Accept-Language": "en"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def log_in(self, name: str, password: str, address: str, path: str = "/office/login/") -> httpx.Response:
        with self.client(address) as http:
            token = "a" * 32
            # The proxy speaks HTTPS, the test does not: the cookies are sent by hand.
            headers = {"Cookie": f"csrftoken={token}", "Referer": f"https://{httpx.URL(self.url).netloc.decode()}/"}
            form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
            return http.post(path, data=form, headers=headers)

    @property
    def worker(self) -> int:
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def peak_mib(self) -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.worker}/status").read_text())
        assert found
        return int(found[1]) // 1024


@pytest.fixture(scope="module")
def behind(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    errors = tmp_path_factory.mktemp("behind") / "stderr"
    command = [sys.executable, "-m", "central.cli", "serve", "--data", str(served.data), "--port", "0"]
    with errors.open("w") as out:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=out, text=True, env={**os.environ, "CENTRAL_TLS": "1"}
        )
    assert process.stdout
    line = process.stdout.readline()
    assert "serving on" in line
    yield Behind(process, line.split()[-1], errors)
    stop_server(process)


@pytest.fixture(autouse=True)
def _begin_anew(served: Served) -> None:
    TryCount.objects.all().delete()
    LoggedInFrom.objects.all().delete()


@pytest.fixture
def person(served: Served) -> Iterator[Any]:
    user = get_user_model().objects.create_user("vera.exempel", password=RIGHT)
    PasswordToChange.objects.filter(user=user).delete()
    yield user
    user.delete()


def worst_wait_s(url: str, until: Callable[[], bool]) -> tuple[float, int]:
    """How long ``/healthz`` took at most meanwhile, and how often it was asked."""
    worst, count = 0.0, 0
    with httpx.Client(base_url=url, timeout=30) as http:
        while not until() or not count:
            began = time.monotonic()
            assert http.get("/healthz").status_code == 200
            worst, count = max(worst, time.monotonic() - began), count + 1
    return worst, count


def test_a_name_is_not_guessed_from_one_ipv6_network(behind: Behind, person: Any) -> None:
    def guess(address: str, password: str = "fel") -> int:
        return behind.log_in(person.username, password, address).status_code

    # Each from an address of its own: in one /64 there are enough.
    first = [guess(f"2001:db8:1:1::{n:x}") for n in range(25)]
    assert first == [200] * 10 + [429] * 15
    assert guess("2001:db8:1:1:ffff::1", RIGHT) == 429
    answer = behind.log_in(person.username, "fel", "2001:db8:1:1::99")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    # Nobody is shut out by it elsewhere; and where they have logged in before, not by a botnet either.
    assert guess("2001:db8:2:2::1", RIGHT) == 302
    botnet = [guess(f"2001:db8:{n:x}:9::1") for n in range(0x100, 0x130)]
    told(f"25 guesses from one /64: {first.count(200)} judged; 48 from 48 networks: {botnet.count(200)} judged")
    assert botnet.count(429) >= 20
    assert guess("2001:db8:3:3::1", RIGHT) == 429
    assert guess("2001:db8:2:2::2", RIGHT) == 302


def test_names_are_not_tried_by_the_hundred_from_one_network(behind: Behind) -> None:
    got = [behind.log_in(f"okand{n}", "fel", f"[2001:db8:7:7::{n + 1:x}]:443").status_code for n in range(34)]
    assert got[:30] == [200] * 30
    # On a slow machine one comes back meanwhile.
    assert got[30:].count(429) >= 2


def test_48_log_ins_at_once_leave_room_for_everybody(behind: Behind) -> None:
    # Once, so that what is loaded at the first log-in does not count.
    behind.log_in("okand", "fel", "198.51.100.200")
    before = behind.peak_mib()
    with ThreadPoolExecutor(48) as pool:
        began = time.monotonic()
        asked = [pool.submit(behind.log_in, f"okand{n}", "fel", f"198.51.100.{n + 1}") for n in range(48)]
        worst, count = worst_wait_s(behind.url, lambda: all(each.done() for each in asked))
        took = time.monotonic() - began
        got = [each.result() for each in asked]
    peak = behind.peak_mib()
    statuses = [each.status_code for each in got]
    told(
        f"48 log-ins of unknown names at once: {took:.1f} s, {statuses.count(200)} judged, {statuses.count(503)} told "
        f"to come back; /healthz at most {worst:.2f} s ({count} asked); peak memory {before} -> {peak} MiB"
    )
    assert set(statuses) <= {200, 503}
    assert all(int(each.headers["Retry-After"]) > 0 for each in got if each.status_code == 503)
    assert statuses.count(200) >= 2
    assert worst < OTHERS_WAIT_S
    assert peak - before < 200


def test_an_unknown_name_takes_as_long_as_a_known_one(behind: Behind, person: Any) -> None:
    def takes_s(name: str) -> float:
        began = time.monotonic()
        assert behind.log_in(name, "fel", "198.51.100.9").status_code == 200
        return time.monotonic() - began

    pairs = [(takes_s(person.username), takes_s("ingen.exempel")) for _ in range(7)]
    known, unknown = (median(each) for each in zip(*pairs, strict=True))
    told(f"a wrong password: {known * 1000:.0f} ms for a known name, {unknown * 1000:.0f} ms for an unknown one")
    assert 0.5 < known / unknown < 2


def test_70_half_requests_keep_nobody_waiting_and_are_ended(behind: Behind) -> None:
    url = httpx.URL(behind.url)
    halves = [
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
        b'POST /api/v1/enrol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"code": "',
        b"POST /api/v1/enrol HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{0\r\n\r\n",
        b"",
    ]
    with ExitStack() as stack:
        began = time.monotonic()
        sockets = []
        for number in range(70):
            each = stack.enter_context(socket.create_connection((url.host, url.port or 80), timeout=REQUEST_S + 10))
            each.sendall(halves[number % len(halves)])
            sockets.append(each)
        worst, _ = worst_wait_s(behind.url, lambda: time.monotonic() - began > 1)
        # One goes on sending, a byte at a time: its time is over all the same.
        dripping = threading.Thread(target=drip, args=(sockets[2],), daemon=True)
        dripping.start()
        ends = [ended(each, began) for each in sockets]
        dripping.join(5)
    told(f"70 half requests: /healthz at most {worst:.2f} s; ended after {min(ends):.1f} to {max(ends):.1f} s")
    assert worst < OTHERS_WAIT_S
    assert min(ends) > REQUEST_S - 1
    assert max(ends) < REQUEST_S + 8


def test_more_connections_than_there_is_room_for_keep_nobody_out(behind: Behind) -> None:
    url = httpx.URL(behind.url)
    wanted = CONNECTIONS + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * wanted:
        pytest.skip("this machine lets a process have too few files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * wanted), hard))
    worker = behind.worker
    try:
        with ExitStack() as stack:
            for _ in range(wanted):
                each = stack.enter_context(socket.create_connection((url.host, url.port or 80), timeout=30))
                each.sendall(b"GET /")
            began = time.monotonic()
            worst, _ = worst_wait_s(behind.url, lambda: time.monotonic() - began > 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told(f"{wanted} connections with half a request: /healthz at most {worst:.2f} s")
    assert worst < OTHERS_WAIT_S
    assert behind.worker == worker


def drip(sock: socket.socket) -> None:
    """A byte every half second, until nobody takes it."""
    pause = threading.Event()
    try:
        while not pause.wait(0.5):
            sock.sendall(b" ")
    except OSError:
        return


def ended(sock: socket.socket, began: float) -> float:
    """When the server closed it."""
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


def test_70_long_polls_of_one_token_are_two(served: Served, site: SimpleNamespace, enrolled: Caller) -> None:
    cursor = enrolled.snapshot()["cursor"]
    url = f"{served.url}/api/v1/mirror/changes"
    headers = dict(enrolled.http.headers)
    parameters = {"since": cursor, "wait": 8, "nonce": "A" * 22}

    def poll() -> tuple[int, float]:
        began = time.monotonic()
        return httpx.get(url, params=parameters, headers=headers, timeout=60).status_code, time.monotonic() - began

    with ThreadPoolExecutor(70) as pool:
        asked = [pool.submit(poll) for _ in range(70)]
        worst, _ = worst_wait_s(served.url, lambda: sum(each.done() for each in asked) >= 68)
        got = [each.result() for each in asked]
    gave_way = [status for status, _ in got].count(429)
    told(f"70 long polls of one token: {gave_way} gave way; /healthz at most {worst:.2f} s")
    assert gave_way == 68
    assert worst < OTHERS_WAIT_S


def test_30_wrong_tokens_behind_one_address_lock_out_nobody_who_is_right(
    served: Served, site: SimpleNamespace, enrolled: Caller
) -> None:
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=30) as http:
        wrong = [http.get("/mirror/snapshot", headers={"Authorization": f"Bearer x{n}"}).status_code for n in range(40)]
        assert wrong[:30] == [401] * 30
        assert 429 in wrong[30:]
        assert enrolled.snapshot()["cursor"]
        assert Caller(http).enrol(new_enrolment_code(site.station)).status_code == 201
    told(f"40 wrong tokens: {wrong.count(401)} answered, {wrong.count(429)} told to wait; right token and code taken")


def test_who_is_refused_is_in_the_log_and_nothing_they_wrote_breaks_a_line(
    behind: Behind, person: Any, site: SimpleNamespace
) -> None:
    Membership.objects.create(user=person, role="auditor", site=site.site)
    evil = "vera\n\x1b[31mERROR\u202e root logged in"
    behind.log_in(evil, "hemligt-lösen-99", "203.0.113.50")
    answer = behind.log_in(person.username, RIGHT, "203.0.113.51")
    session = answer.headers["set-cookie"].split("sessionid=")[1].split(";")[0]
    with behind.client("203.0.113.52") as http:
        page = f"/office/{site.number}/people/"
        assert http.get(page, headers={"Cookie": f"sessionid={session}"}).status_code == 403
    lines = behind.errors.read_text()
    assert r'login.failed user="vera\n\x1b[31mERROR\u202e root logged in" address=203.0.113.50' in lines
    assert f'access.refused user="vera.exempel" address=203.0.113.52 method="GET" path="{page}"' in lines
    assert "\x1b" not in lines
    assert "hemligt" not in lines
