"""The documented proxy, the real nginx, in front of two servers of one site."""

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.central import nginx
from tests.central.served import Caller, central, stop_server

NGINX = nginx.program()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


class TwoMachines:
    """Two servers and a proxy before them."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.summary = json.loads(central("seed", "--json", data=self.data))
        self.servers = [self._start() for _ in range(2)]
        self.folder = folder

    def _start(self) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "central.cli", "serve", "--data", str(self.data), "--port", "0"]
        behind = os.environ | {"CENTRAL_TLS": "1", "CENTRAL_HOSTS": nginx.NAME}
        process = subprocess.Popen(command, env=behind, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        return process, process.stdout.readline().split()[-1].removeprefix("http://")

    def addresses(self) -> list[str]:
        return [address for _, address in self.servers]

    def stop(self) -> None:
        for process, _ in self.servers:
            if process.poll() is None:
                stop_server(process)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[TwoMachines]:
    made = TwoMachines(tmp_path)
    yield made
    made.stop()


def browser(proxy: nginx.Proxy, path: str = "") -> httpx.Client:
    """Believes in the proxy's certificate, for its name, at its port here."""

    def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = nginx.NAME

    return httpx.Client(
        base_url=f"https://127.0.0.1:{proxy.port}{path}",
        headers={"Host": nginx.NAME},
        verify=proxy.trust,
        trust_env=False,
        timeout=30,
        event_hooks={"request": [name]},
    )


def test_stations_and_the_office_work_through_the_proxy(machines: TwoMachines, tmp_path: Path) -> None:
    assert NGINX
    with nginx.proxy(NGINX, tmp_path, machines.addresses()) as proxy, browser(proxy, "/api/v1") as http:
        caller = Caller(http)
        assert caller.enrol(machines.summary["enrol_code"]).status_code == 201
        # Compressed by central, as it is worth it, and passed on as it is.
        whole = http.get("/mirror/snapshot", params={"nonce": "A" * 22})
        assert whole.headers["Content-Encoding"] == "gzip"
        cursor = whole.json()["cursor"]
        caller.reported({"type": "station_started", "data": {"reason": "power"}})
        assert caller.changes(cursor, wait=1).json()["removes"] == []
        with browser(proxy) as office:
            assert office.get("/office/login/").status_code == 200
            form = machines.summary["admin"] | {"username": machines.summary["admin"]["user"]}
            form["csrfmiddlewaretoken"] = office.cookies["csrftoken"]
            # The page is the proxy's own: the name and the scheme are those that the browser has.
            headers = {"Referer": f"https://{nginx.NAME}/office/login/", "Origin": f"https://{nginx.NAME}"}
            answer = office.post("/office/login/", data=form, headers=headers)
            assert answer.status_code == 302, answer.text
            assert answer.cookies["sessionid"]
            assert office.get("/office/1/people/").status_code == 200

        # What a caller says of its own address counts for nothing: all these wrong tokens are one caller's.
        wrong = {"Authorization": "Bearer wrong"}
        statuses = [
            http.get("/pin", headers=wrong | {"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(40)
        ]
        assert statuses[0] == 401
        assert statuses[-1] == 429

        # One machine goes: nobody notices.
        stop_server(machines.servers[0][0])
        for _ in range(4):
            assert caller.changes(cursor).status_code == 200
            caller.reported({"type": "station_started", "data": {"reason": "power"}})


@contextmanager
def machine_that_hangs_up(asked: list[bytes]) -> Iterator[str]:
    """Reads a request and closes: nobody can tell what it has done."""

    class HangsUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(65536).split(b" ")[0])

    with socketserver.TCPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_what_may_have_arrived_is_not_repeated(tmp_path: Path) -> None:
    assert NGINX
    asked: list[bytes] = []
    with (
        machine_that_hangs_up(asked) as one,
        machine_that_hangs_up(asked) as two,
        nginx.proxy(NGINX, tmp_path, [one, two]) as proxy,
        browser(proxy) as http,
    ):
        assert http.post("/api/v1/events", json={"events": []}).status_code == 502
        assert asked == [b"POST"]
        assert http.get("/api/v1/pin").status_code == 502
        assert asked == [b"POST", b"GET", b"GET"]
