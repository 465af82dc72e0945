"""A PostgreSQL server of one's own: Debian's programs, a folder of its own, reached by a socket in it alone."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"
"""As whom the server runs when the tests run as root, which it refuses."""


PR_SET_PDEATHSIG = 1
START_LIMIT_S = 60.0
NOTHING_TO_LOSE = ("max_connections=40", "fsync=off")
"""Options of the server of a test."""


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def server(bin_folder: Path, kept: Path | None = None, options: Sequence[str] = NOTHING_TO_LOSE) -> Iterator[str]:
    """A running server with an empty database; the ``DATABASE_URL`` that leads to it.

    ``kept``: the folder of its data, which stays; when it is there already, the databases in it are served as they are.
    """
    # Not pytest's folder: the server's own user could not get into it.
    folder = Path(tempfile.mkdtemp(prefix="central-pg-"))
    who = USER if os.getuid() == 0 else None
    if who:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [str(bin_folder / program), *words], check=True, capture_output=True, timeout=60, cwd="/", user=who
        )

    data = str(kept or folder / "data")
    is_new = not Path(data, "PG_VERSION").exists()
    try:
        if is_new:
            if kept is not None and who:
                kept.mkdir(parents=True)
                os.chown(kept, pwd.getpwnam(USER).pw_uid, -1)
            run("initdb", "-D", data, "-U", "central", "-A", "trust", "-E", "UTF8", "--no-sync")
        with (folder / "log").open("wb") as log:
            all_options = ("listen_addresses=", f"unix_socket_directories={folder}", *options)
            settings = [word for option in all_options for word in ("-c", option)]
            words = [str(bin_folder / "postgres"), "-D", data, *settings]
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
            if is_new:
                run("createdb", "-h", str(folder), "-U", "central", "central")
            yield f"postgresql://central@/central?host={folder}"
        finally:
            # What is kept is left in good order.
            process.send_signal(signal.SIGINT if kept else signal.SIGQUIT)
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
