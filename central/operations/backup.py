"""`central backup`: the database and the secret files in one archive that only its owner can read.

::

    manifest.json            {"format": 1, "created": <Unix seconds>, "epoch": "…"}
    central.sqlite3          a consistent copy, made while the server goes on (SQLite's online backup)
    master.key               what opens the central keys and the peppers in it

The archive is worth as much as the server itself.
"""

import json
import os
import sqlite3
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection

from central import datafolder
from central.clock import unix_now
from central.errors import CentralError
from central.models.epoch import epoch

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "central.sqlite3"
PAGES_AT_ONCE = 1000
"""Between two of these the server gets to write."""


def backup(file: Path) -> None:
    """Write everything into ``file``, which must not exist. Raises CentralError (``backup``)."""
    if connection.vendor != "sqlite":
        raise CentralError("backup", reason="use pg_dump, and keep the master key apart from it")
    manifest = {"format": FORMAT, "created": unix_now(), "epoch": epoch()}
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.exists():
            raise CentralError("backup", reason="there is a file of that name already")
        with TemporaryDirectory(dir=datafolder.folder(), prefix=".backup-") as scratch:
            copy = Path(scratch) / DATABASE
            _copy_database(copy)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
                _add(archive, MANIFEST, json.dumps(manifest).encode("ascii"))
                archive.add(copy, DATABASE, filter=_plain)
                archive.add(datafolder.folder() / datafolder.MASTER_KEY, datafolder.MASTER_KEY, filter=_plain)
                archive.close()
                out.flush()
                os.fsync(out.fileno())
            os.link(draft, file)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise CentralError("backup", reason=str(error)) from error
    finally:
        draft.unlink(missing_ok=True)


def _copy_database(target: Path) -> None:
    connection.ensure_connection()
    source = connection.connection
    with sqlite3.connect(target) as copy:
        source.backup(copy, pages=PAGES_AT_ONCE)
        # A database in one file: no -wal beside it is needed to read it.
        copy.execute("PRAGMA journal_mode=DELETE")
    copy.close()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, BytesIO(content))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
