"""A seeded central of a test's own, on either database, and its processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.central.served import Caller, start_server, stop_server

ROOT = Path(__file__).parents[3]


class OwnCentral:
    """Its folder and database; and, while it serves, its address and processes."""

    def __init__(self, data: Path, database_url: str | None) -> None:
        self.data = data
        self.environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.environment |= {"CENTRAL_DATA": str(data), "PYTHONPATH": str(ROOT)}
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def run(self, *words: str) -> str:
        """A command, to its end: what it said."""
        command = [sys.executable, "-m", "central.cli", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def serving(self, *words: str) -> Iterator[None]:
        """Have it serve."""
        self.process, self.url = start_server(self.data, *words, environment=self.environment)
        try:
            yield
        finally:
            assert stop_server(self.process) == 0

    @contextmanager
    def station(self, number: int) -> Iterator[Caller]:
        """An enrolled station of the sample."""
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(self.run("enrol-code", "--station", str(number))).status_code == 201
            yield caller

    def workers(self) -> list[int]:
        """Process ids."""
        assert self.process
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def processor_s(self) -> float:
        """What the workers have used of it."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """What the workers have each for itself."""
        lines = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in self.workers()]
        private = [line.split()[1] for each in lines for line in each if line.startswith("Private_")]
        return sum(map(int, private))

    def files(self) -> list[int]:
        """How many each worker has open, connections above all."""
        return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.workers()]
