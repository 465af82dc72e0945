"""PostgreSQL servers that can be killed, frozen, copied and promoted: Debian's programs, each server in its own folder.

They are reached by a socket in that folder alone. Durability is switched on only for what is about it.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

USER = "postgres"
"""As whom a server runs when the tests run as root, which it refuses."""
LIMIT_S = 60.0
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
PR_SET_PDEATHSIG = 1


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """One server: `make` it, or `copy` another; `start` it, `kill` it, `start` it again."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self.data = folder / "data"
        self._log = folder / "log"
        self._settings: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def make(self, **settings: Any) -> None:
        """A new server with an empty database. It is started."""
        self.run("initdb", "-D", str(self.data), "-U", "central", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start(**settings)
        self.run("createdb", "-h", str(self.folder), "-U", "central", "central")

    def copy(self, source: "Cluster", *words: str) -> None:
        """A base backup of the other one, as the how-to says. It is not started."""
        where = f"host={source.folder} user=central application_name={self.folder.name}"
        self.run(
            "pg_basebackup", f"--dbname={where}", f"--pgdata={self.data}", "--checkpoint=fast", "--no-sync", *words
        )

    def start(self, *, durable: bool = False, until: str = "ready to accept", **settings: str) -> None:
        """Start it, and wait for that word in its log; ``settings`` are those of postgresql.conf, and stay."""
        self._settings |= settings
        given = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "150",
            **({} if durable else NOT_DURABLE),
            **self._settings,
        }
        words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self.data), *words],
                stdout=log,
                stderr=log,
                cwd="/",
                user=_user(),
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  (one prctl, and no threads here)
            )
        self.wait_for_log(until)

    def wait_for_log(self, text: str) -> None:
        """Until the server says so."""
        deadline = time.monotonic() + LIMIT_S
        while text not in (said := self._log.read_text("utf-8", "replace")):
            assert time.monotonic() < deadline, said
            assert self._process is not None
            assert self._process.poll() is None, said
            time.sleep(0.02)

    def kill(self) -> None:
        """As the power goes: nobody is told, nothing is written."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        # A machine that is gone has no socket either.
        for socket in self.folder.glob(".s.PGSQL.*"):
            socket.unlink()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Shut down, in order if not told otherwise."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)

    def promote(self) -> None:
        """Have the standby take over."""
        self.run("pg_ctl", "promote", "-D", str(self.data), "--wait")

    def run(self, program: str, *words: str) -> None:
        """One of PostgreSQL's programs, to its end."""
        command = [str(self._programs / program), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd="/", user=_user())
        assert done.returncode == 0, done.stderr

    def ask(self, statement: str, database: str = "central") -> Any:
        """The first value of what it answers, None for nothing."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return None if row is None else row[0]

    def url(self, database: str = "central") -> str:
        """Its `DATABASE_URL`."""
        return f"postgresql://central@/{database}?host={self.folder}"


class Clusters:
    """Those of a test."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self._all: list[Cluster] = []

    def new(self, name: str) -> Cluster:
        """A place for one. Names are short: a socket's path has 107 bytes at most."""
        folder = self.folder / name
        folder.mkdir()
        if _user():
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        cluster = Cluster(folder, self._programs)
        self._all.append(cluster)
        return cluster

    def end(self) -> None:
        """All of them, whatever they are doing."""
        for cluster in self._all:
            cluster.stop(signal.SIGQUIT)


@contextmanager
def clusters() -> Iterator[Clusters]:
    """A folder for servers; skips the test by name where PostgreSQL is not installed."""
    there = programs()
    if there is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    # Not pytest's folder: the server's own user could not get into it.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    found = Clusters(folder, there)
    try:
        yield found
    finally:
        found.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server(**settings: str) -> Iterator[Cluster]:
    """A running one with an empty database."""
    with clusters() as found:
        one = found.new("one")
        one.make(**settings)
        yield one


def _user() -> str | None:
    return USER if os.getuid() == 0 else None


def _end_with_parent() -> None:
    """However the tests end, also by kill -9: the server ends too (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
