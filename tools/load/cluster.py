"""A PostgreSQL server whose folder stays: what was seeded is there at once the next time."""

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

from tests.central.postgresql import USER, programs

STARTS_S = 60.0


@contextmanager
def running(data: Path, options: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The server of the folder ``data``, made if it is not there: its ``DATABASE_URL``, and its process.

    It ends in good order, whatever happens. Raises SystemExit where PostgreSQL is not installed.
    """
    found = programs()
    if found is None:
        raise SystemExit("PostgreSQL's programs are missing (apt install postgresql), or --sqlite")
    # It refuses to run as root; and the paths of sockets have 107 bytes at most.
    who = USER if os.getuid() == 0 else None
    sockets = Path(tempfile.mkdtemp(prefix="central-pg-"))

    def run(program: str, *words: str) -> None:
        subprocess.run([str(found / program), *words], check=True, capture_output=True, cwd="/", user=who)

    is_new = not (data / "PG_VERSION").exists()
    try:
        if is_new:
            data.mkdir(parents=True, exist_ok=True)
        if who:
            for folder in (data, sockets):
                os.chown(folder, pwd.getpwnam(who).pw_uid, -1)
        if is_new:
            run("initdb", "-D", str(data), "-U", "central", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = [f"--{option}" for option in ("listen_addresses=", f"unix_socket_directories={sockets}", *options)]
        with (sockets / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(found / "postgres"), "-D", str(data), *settings],
                stdout=log,
                stderr=log,
                cwd="/",
                user=who,
                start_new_session=True,
            )
        try:
            _wait_until_ready(sockets / "log", process)
            if is_new:
                run("createdb", "-h", str(sockets), "-U", "central", "central")
            yield f"postgresql://central@/central?host={sockets}", process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _wait_until_ready(log: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_S
    while "ready to accept connections" not in (said := log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL does not start: {said}")
        time.sleep(0.05)
