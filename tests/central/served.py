"""What the tests of central talk with: a server process, and a station's side of the API."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from station.records.base64url import encoded
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proof
from station.records.strict_json import read
from tests.central import postgresql


def central(*arguments: str, data: Path) -> str:
    """Run the command to its end; its standard output."""
    command = [sys.executable, "-m", "central.cli", arguments[0], "--data", str(data), *arguments[1:]]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=180).stdout


def run(*words: str, said: str = "", status: int = 0) -> str:
    """A command in this process's environment: all that it says. It is told ``said``, and ends with that status."""
    command = [sys.executable, "-m", "central.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, input=said)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def start_server(
    data: Path, *words: str, environment: dict[str, str] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """A `central serve` on a free port, and its address."""
    command = [sys.executable, "-m", "central.cli", "serve", "--data", str(data), "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("central is serving on http://127.0.0.1:"), line
    return process, line.split()[-1]


def stop_server(process: subprocess.Popen[str]) -> int:
    process.terminate()
    status = process.wait(timeout=60)
    if process.stdout:
        process.stdout.close()
    return status


@contextmanager
def seeded_on_postgresql(data: Path) -> Iterator[Path]:
    """A seeded data folder; it and the address of its PostgreSQL are in the environment meanwhile."""
    with pytest.MonkeyPatch.context() as patch, postgresql.server() as database:
        patch.setenv("CENTRAL_DATA", str(data))
        patch.setenv("DATABASE_URL", database.url())
        run("seed")
        yield data


@dataclass
class Served:
    data: Path
    summary: dict[str, Any]
    keys: Path
    url: str = ""
    process: subprocess.Popen[str] | None = None


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One seeded data folder and one real `central serve` for a whole run."""
    # Not before it is asked for: other folders' tests need no Django.
    from tests.central.django_ready import DATA

    keys = tmp_path_factory.mktemp("central") / "keys"
    summary = json.loads(central("seed", "--keys", str(keys), "--json", data=DATA))
    process, url = start_server(DATA)
    yield Served(DATA, summary, keys, url, process)
    from django.db import connections

    connections.close_all()
    stop_server(process)


@dataclass
class Caller:
    """A station's side of the API."""

    http: httpx.Client
    key: SigningKey = field(default_factory=SigningKey.generate)
    enrolled: dict[str, Any] = field(default_factory=dict)

    def enrol(self, code: str) -> httpx.Response:
        proof = enrolment_proof(code, self.key)
        body = {"code": code, "public_key": encoded(self.key.public), "proof": encoded(proof)}
        answer = self.http.post("/enrol", json=body)
        if answer.status_code == 201:
            self.enrolled = answer.json()
            self.http.headers["Authorization"] = f"Bearer {self.enrolled['token']}"
        return answer

    def report(self, *events: Any) -> list[dict[str, Any]]:
        """Send events, each with what it does not say itself; what became of each."""
        rest = {"instance": str(uuid4()), "at": int(time.time()), "clock": 0, "data": {}}
        whole = [
            {"id": str(uuid4()), "seq": seq} | rest | each if isinstance(each, dict) else each
            for seq, each in enumerate(events, start=1)
        ]
        answer = self.http.post("/events", json={"events": whole})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def reported(self, *events: dict[str, Any]) -> None:
        """Send events that are all new and well formed."""
        assert [each["status"] for each in self.report(*events)] == ["accepted"] * len(events)

    def snapshot(self, nonce: bytes | None = None) -> dict[str, Any]:
        answer = self.http.get("/mirror/snapshot", params={"nonce": encoded(nonce or os.urandom(16))})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = read(answer.content)
        return body

    def changes(self, since: str, **parameters: Any) -> httpx.Response:
        nonce = {"nonce": encoded(os.urandom(16))}
        return self.http.get("/mirror/changes", params={"since": since, **nonce, **parameters})

    def news(self, since: str) -> dict[str, Any]:
        """What has changed since the cursor, as the types and ids of upserts and removes."""
        page = self.changes(since).json()
        return {kind: [(each["type"], each["id"]) for each in page[kind]] for kind in ("upserts", "removes")}
