"""A PostgreSQL server of one's own: Debian's programs, a folder of its own, reached by a socket in it alone."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"
"""As whom the server runs when the tests run as root, which it refuses."""


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
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=40"
        run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", str(folder / "log"), "-o", options, "start")
        try:
            run("createdb", "-h", str(folder), "-U", "central", "central")
            yield f"postgresql://central@/central?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
