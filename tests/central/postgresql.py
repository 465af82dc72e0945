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


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """A running server with an empty database; the ``DATABASE_URL`` that leads to it."""
    # Not pytest's folder: the server's own user could not get into it.
    folder = Path(tempfile.mkdtemp(prefix="central-pg-"))
    who = USER if os.getuid() == 0 else None
    if who:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [str(bin_folder / program), *words], check=True, capture_output=True, timeout=60, cwd="/", user=who
        )

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "central", "-A", "trust", "-E", "UTF8", "--no-sync")
        with (folder / "log").open("wb") as log:
            options = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=40", "fsync=off")
            words = [str(bin_folder / "postgres"), "-D", data, *(word for option in options for word in ("-c", option))]
            process = subprocess.Popen(
                words,
                stdout=log,
                stderr=log,
                cwd="/",
                user=who,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  (one prctl, and no threads here)
            )
        try:
            _wait_until_ready(folder)
            run("createdb", "-h", str(folder), "-U", "central", "central")
            yield f"postgresql://central@/central?host={folder}"
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while "ready to accept connections" not in (folder / "log").read_text("utf-8", "replace"):
        assert time.monotonic() < deadline, (folder / "log").read_text("utf-8", "replace")
        time.sleep(0.05)


def _end_with_parent() -> None:
    """However the tests end, also by kill -9: the server ends too (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
