"""A PostgreSQL server of one's own: Debian's programs, a folder of its own, reached by a socket in it alone."""

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

USER = "postgres"
"""As whom the server runs when the tests run as root, which it refuses."""


PR_SET_PDEATHSIG = 1
START_LIMIT_S = 60.0


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """A server's folder, and the server while it runs."""

    def __init__(self, bin_folder: Path, folder: Path, options: tuple[str, ...]) -> None:
        self._bin_folder, self._folder = bin_folder, folder
        self._options = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", *options)
        self._who = USER if os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://central@/central?host={folder}"

    def make(self) -> None:
        """An empty database, and its server runs."""
        if self._who:
            os.chown(self._folder, pwd.getpwnam(self._who).pw_uid, -1)
        self._run("initdb", "-D", self._data, "-U", "central", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self._run("createdb", "-h", str(self._folder), "-U", "central", "central")

    def start(self) -> None:
        """Have it run, and answer."""
        with (self._folder / "log").open("wb") as log:
            words = [str(self._bin_folder / "postgres"), "-D", self._data]
            self._process = subprocess.Popen(
                words + [word for option in self._options for word in ("-c", option)],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._who,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  (one prctl, and no threads here)
            )
        _wait_until_ready(self._folder)

    def stop(self) -> None:
        """At once, in the middle of whatever it does (``pg_ctl stop -m immediate``)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._bin_folder / program), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd="/", user=self._who)


@contextmanager
def cluster(bin_folder: Path, *options: str) -> Iterator[Cluster]:
    """A running server with an empty database, which can be stopped and started again."""
    # Not pytest's folder: the server's own user could not get into it.
    folder = Path(tempfile.mkdtemp(prefix="central-pg-"))
    made = Cluster(bin_folder, folder, options)
    try:
        made.make()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """A running server with an empty database; the ``DATABASE_URL`` that leads to it."""
    with cluster(bin_folder, "max_connections=100") as made:
        yield made.url


def _wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while "ready to accept connections" not in (folder / "log").read_text("utf-8", "replace"):
        assert time.monotonic() < deadline, (folder / "log").read_text("utf-8", "replace")
        time.sleep(0.05)


def _end_with_parent() -> None:
    """However the tests end, also by kill -9: the server ends too (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
