"""`central backup`: the database and the master key in one archive that only its owner can read.

::

    manifest.json            {"format": 2, "created": <Unix seconds>, "epoch": "…", "database": "sqlite" | "postgresql",
                             "secrets": {"<site>": {"signing": <number>, "pepper": <version>}}}, the newest of each
    central.sqlite3          a consistent copy, made while the server goes on (SQLite's online backup); or
    central.pgdump           one by pg_dump, in its custom format
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
from typing import TypeAlias

from django.db import DatabaseError, connection
from django.db.models import Max

from central import datafolder
from central.clock import unix_now
from central.errors import CentralError
from central.models import SealedSecret
from central.models.epoch import epoch
from central.operations import postgresql_tools

FORMAT = 2
MANIFEST = "manifest.json"
SQLITE_FILE = "central.sqlite3"
DATABASE = {"sqlite": SQLITE_FILE, "postgresql": "central.pgdump"}
"""The database's part of an archive, by Django's name for its kind."""
PAGES_AT_ONCE = 1000
"""Between two of these the server gets to write."""

Secrets: TypeAlias = dict[str, dict[str, int]]
"""The newest central key and pepper of each site: ``{"1": {"signing": 2, "pepper": 1790000000}}``."""


def backup(file: Path) -> None:
    """Write everything into ``file``, which must not exist. Raises CentralError (``backup``, ``postgresql_tools``)."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.exists():
            raise CentralError("backup", reason="there is a file of that name already")
        # Before the copy: it may know of a newer secret than this says, and never of an older one.
        manifest = {
            "format": FORMAT,
            "created": unix_now(),
            "epoch": epoch(),
            "database": connection.vendor,
            "secrets": newest_secrets(),
        }
        with TemporaryDirectory(dir=datafolder.folder(), prefix=".backup-") as scratch:
            copy = Path(scratch) / DATABASE[connection.vendor]
            _copy_database(copy)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
                _add(archive, MANIFEST, json.dumps(manifest).encode("ascii"))
                archive.add(copy, copy.name, filter=_plain)
                archive.add(datafolder.folder() / datafolder.MASTER_KEY, datafolder.MASTER_KEY, filter=_plain)
                archive.close()
                out.flush()
                os.fsync(out.fileno())
            os.link(draft, file)
            datafolder.sync_folder(file.parent)
    except (OSError, sqlite3.Error, tarfile.TarError, DatabaseError) as error:
        raise CentralError("backup", reason=str(error)) from error
    finally:
        draft.unlink(missing_ok=True)


def newest_secrets() -> Secrets:
    """Of the database that is there. Raises DatabaseError."""
    found: Secrets = {}
    kinds = SealedSecret.objects.filter(kind__in=[SealedSecret.Kind.SIGNING_KEY, SealedSecret.Kind.PEPPER])
    for site, kind, number in kinds.values_list("site__number", "kind").annotate(newest=Max("number")):
        found.setdefault(str(site), {})[kind] = number
    return found


def _copy_database(target: Path) -> None:
    if connection.vendor == "postgresql":
        postgresql_tools.dump(target)
        return
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
