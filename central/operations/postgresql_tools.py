"""PostgreSQL's own programs: `pg_dump`, `pg_restore`, `psql`. A file tells them where the database is, never argv.

They come from the machine's packages (Debian: ``postgresql-client``) and are as new as the server, or newer.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from django.db import connection

from central.errors import CentralError

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian has them, in a folder for each version. `pg_dump` on its PATH chooses one by itself, not always ours."""
PACKAGE = "Debian: apt install postgresql-client"
SERVICE = "central"
TO_IT = f"--dbname=service={SERVICE}"
LOCK_WAIT_S = 10

# What somebody has made beside the tables of a backup must not stay: a partition of a later month, a later version's.
_EMPTY = """
    DO $$
    DECLARE
        each record;
    BEGIN
        FOR each IN SELECT oid::regclass AS name FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        LOOP
            EXECUTE format('DROP TABLE %s CASCADE', each.name);
        END LOOP;
        FOR each IN SELECT oid::regprocedure AS name FROM pg_proc
            WHERE pronamespace = current_schema()::regnamespace
            AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        LOOP
            EXECUTE format('DROP ROUTINE %s CASCADE', each.name);
        END LOOP;
    END $$;
"""
_TABLES = """
    SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))
"""
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def is_empty() -> bool:
    """Whether the database has no table."""
    return not _asked(_TABLES)


def others_connected() -> int:
    """How many connections to the database there are beside this one."""
    return int(_asked(_OTHERS))


def dump(target: Path) -> None:
    """Write the database as it is at one instant, in pg_dump's own format. Raises CentralError (``backup``)."""
    tools = tools_for(_server())
    command = [str(tools / "pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", TO_IT]
    with _led_to_it() as environment, TemporaryFile() as complaints:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stderr=complaints, check=False)
        if done.returncode:
            raise CentralError("backup", reason=_complaint(complaints))


def put_in_place(dumped: Path, statements: Iterable[str]) -> None:
    """Replace all that the database has by what was dumped, and carry out ``statements`` there: both, or nothing.

    Raises CentralError (``restore``).
    """
    tools = tools_for(_server())
    reading = [str(tools / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dumped)]
    writing = [str(tools / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", TO_IT]
    with _led_to_it() as environment, TemporaryFile() as of_reading, TemporaryFile() as of_writing:
        writer = subprocess.Popen(
            writing, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=of_writing
        )
        assert writer.stdin is not None
        _say(writer.stdin, "BEGIN;", f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s';", _EMPTY)
        read = subprocess.run(
            reading, env=environment, stdin=subprocess.DEVNULL, stdout=writer.stdin, stderr=of_reading, check=False
        )
        # Without the last word nothing has been done, whatever ends before it.
        if read.returncode == 0:
            _say(writer.stdin, "RESET search_path;", *(f"{each};" for each in statements), "COMMIT;")
        with suppress(BrokenPipeError):
            writer.stdin.close()
        written = writer.wait()
        if written:
            told = "" if read.returncode else " (if it was lost at the end, `open_after_restore` shows what is there)"
            raise CentralError("restore", reason=_complaint(of_writing) + told)
        if read.returncode:
            raise CentralError("restore", reason=_complaint(of_reading))


def tools_for(server: int, path: str | None = None) -> Path:
    """The folder of the programs that understand a server of that major version.

    ``path`` is as PATH. Raises CentralError (``postgresql_tools``) where there are none, or only older ones.
    """
    of_debian = sorted(DEBIAN.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    on_path = shutil.which("pg_dump", path=path)
    found = 0
    for folder in [*of_debian, *([Path(on_path).parent] if on_path else [])]:
        version = _version(folder / "pg_dump")
        if version >= server and all((folder / name).exists() for name in ("pg_restore", "psql")):
            return folder
        found = max(found, version)
    if not found:
        raise CentralError("postgresql_tools", reason=f"pg_dump is not installed on this machine ({PACKAGE}-{server})")
    reason = f"pg_dump {found} is older than the server, which is {server} ({PACKAGE}-{server})"
    raise CentralError("postgresql_tools", reason=reason)


def _server() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10000


def _version(program: Path) -> int:
    """Its major version; 0 where it is not there or says none."""
    try:
        done = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return _number(done.stdout.partition("(PostgreSQL) ")[2])


def _number(text: str) -> int:
    found = re.match("[0-9]+", text)
    return int(found[0]) if found else 0


@contextmanager
def _led_to_it() -> Iterator[Mapping[str, str]]:
    """The environment in which the programs find the database, as central does."""
    with TemporaryDirectory(prefix="central-") as folder:
        file = Path(folder) / "services"
        file.write_text(_service(connection.settings_dict), "utf-8")
        here = {"PGSERVICEFILE": str(file), "PGCONNECT_TIMEOUT": "10", "LC_MESSAGES": "C"}
        if password := connection.settings_dict["PASSWORD"]:
            here["PGPASSWORD"] = password
        yield {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | here


def _service(settings: Mapping[str, Any]) -> str:
    """Django's settings of a database as libpq's file of services. Raises CentralError (``database_url``)."""
    import psycopg  # noqa: PLC0415  (there is none where the database is a file)

    known = {each.keyword.decode("ascii") for each in psycopg.pq.Conninfo.get_defaults()}
    # How long a statement of the server's may take says nothing of these.
    options = {name: value for name, value in settings["OPTIONS"].items() if name in known - {b"", "options"}}
    told = options | {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": settings["USER"],
    }
    lines = [f"{name}={value}" for name, value in told.items() if value]
    if any("\n" in line for line in lines):
        raise CentralError("database_url", reason="a line ends within it")
    return "\n".join([f"[{SERVICE}]", *lines, ""])


def _asked(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _say(pipe: IO[bytes], *statements: str) -> None:
    # One that has ended says why by itself.
    with suppress(BrokenPipeError):
        pipe.write("\n".join([*statements, ""]).encode("utf-8"))
        pipe.flush()


def _complaint(file: IO[bytes]) -> str:
    """The line that says what was wrong, or the last one."""
    file.seek(0)
    lines = file.read().decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if "ERROR:" in line or "error:" in line]
    return (errors or lines or ["it says nothing"])[-1]
