"""`central restore`: a backup takes the place of the database and the master key, closed to stations.

What that means to stations, and how it is opened, is in `central.actions.restored`. What no number mends is a central
key that stations have confirmed since as current and that the backup does not have: they take no head by an older one.
"""

import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import DatabaseError, connection, connections

from central import datafolder
from central.actions.restored import closing_statements
from central.clock import unix_now
from central.errors import CentralError
from central.operations import postgresql_tools
from central.operations.backup import DATABASE, FORMAT, MANIFEST, SQLITE_FILE, Secrets, newest_secrets
from central.operations.database import bring_up_to_date
from central.operations.earlier_state import moment
from central.signing.keyring import forget_secrets

MANIFEST_LIMIT_BYTES = 8 * 1024 * 1024
"""More than all sites that there are numbers for need."""


def restore(file: Path, *, replace: bool) -> list[str]:
    """Put the backup in the place of what is there, closed to stations; what is known to be undone by that, in lines.

    Raises CentralError: ``serving`` while a server uses the data folder or the database, ``not_empty`` when there is a
    database and not ``replace``, ``postgresql_tools``, ``restore`` for a file that is no whole backup: then nothing has
    changed. ``restored_not_ready``: it is in place, and does not fit this program.
    """
    folder = datafolder.folder()
    with datafolder.locked_alone():
        try:
            _refuse_in_use(replace=replace)
            with TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
                unpacked = Path(scratch)
                had: Secrets = _unpack(file, unpacked)["secrets"]
                present = _present_secrets()
                _refuse_older(had, present)
                undone = list(_undone(had, present))
                if connection.vendor == "postgresql":
                    _put_in_database(unpacked, folder)
                else:
                    _put_in_folder(unpacked, folder)
        except (OSError, sqlite3.Error, DatabaseError, tarfile.TarError, ValueError, KeyError) as error:
            raise CentralError("restore", reason=str(error)) from error
        forget_secrets()
        try:
            bring_up_to_date()
        except CentralError as error:
            raise CentralError("restored_not_ready", reason=str(error)) from error
        return undone


def _refuse_in_use(*, replace: bool) -> None:
    if connection.vendor == "postgresql":
        is_empty = postgresql_tools.is_empty()
        others = postgresql_tools.others_connected()
    else:
        is_empty, others = not (datafolder.folder() / SQLITE_FILE).exists(), 0
    if not is_empty and not replace:
        raise CentralError("not_empty", reason="--replace throws away what is there")
    if others:
        reason = f"{others} other connections to the database: stop every server that uses it first"
        raise CentralError("serving", reason=reason)


def _present_secrets() -> Secrets:
    """Of the database that is to be replaced: nothing of one that is not there, or is broken."""
    if connection.vendor == "sqlite" and not (datafolder.folder() / SQLITE_FILE).exists():
        return {}
    try:
        return newest_secrets()
    except DatabaseError:
        return {}
    finally:
        connections.close_all()


def _unpack(file: Path, target: Path) -> dict[str, Any]:
    """The manifest; raises ValueError for names that no backup has, and what is not a plain file."""
    database = DATABASE[connection.vendor]
    parts = {MANIFEST, datafolder.MASTER_KEY, *DATABASE.values()}
    with tarfile.open(file, mode="r:") as archive:
        for count, member in enumerate(archive):
            if member.name not in parts or not member.isfile() or count >= len(parts):
                raise ValueError(f"not a part of a backup: {member.name[:40]!r}")
            if member.name not in DATABASE.values() and member.size > MANIFEST_LIMIT_BYTES:
                raise ValueError("a part is too large")
            content = archive.extractfile(member)
            assert content is not None
            with os.fdopen(os.open(target / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(content, out)
                out.flush()
                os.fsync(out.fileno())
    manifest = json.loads((target / MANIFEST).read_text("ascii"))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("a backup of another format")
    if manifest["database"] != connection.vendor:
        raise ValueError(f"a backup of {manifest['database']}, and this is {connection.vendor}")
    if not (target / database).exists() or not (target / datafolder.MASTER_KEY).exists():
        raise ValueError("the backup is damaged")
    return manifest


def _refuse_older(had: Secrets, present: Secrets) -> None:
    """Raise ValueError when a next central key has been made since: stations take, or will take, its word alone."""
    for site, newest in present.items():
        if had.get(site, {}).get("signing", 0) < newest["signing"]:
            reason = "was made before a change of the central key: stations would believe nothing that it signs"
            raise ValueError(f"site {site} {reason}")


def _undone(had: Secrets, present: Secrets) -> Iterator[str]:
    for site, newest in present.items():
        if had.get(site, {}).get("pepper", 0) < newest["pepper"]:
            yield (
                f"site {site}: the renewal of PINs of {moment(newest['pepper'])} is undone: PINs given since are worth "
                "nothing, and the ones before are good again, also to whoever stole a station; revoke it again at once"
            )


def _put_in_database(unpacked: Path, folder: Path) -> None:
    key = folder / f".{datafolder.MASTER_KEY}.restored"
    # On the disk before the database needs it; the same one, but on a new machine.
    (unpacked / datafolder.MASTER_KEY).replace(key)
    try:
        postgresql_tools.put_in_place(unpacked / DATABASE["postgresql"], closing_statements(unix_now()))
        key.replace(folder / datafolder.MASTER_KEY)
    finally:
        key.unlink(missing_ok=True)
        datafolder.sync_folder(folder)


def _put_in_folder(unpacked: Path, folder: Path) -> None:
    with closing(sqlite3.connect(unpacked / SQLITE_FILE)) as database:
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise ValueError("the backup is damaged")
        for statement in closing_statements(unix_now()):
            database.execute(statement)
        database.commit()
    # The log of the database before must never be played into the one that takes its place.
    for name in (SQLITE_FILE, f"{SQLITE_FILE}-wal", f"{SQLITE_FILE}-shm"):
        (folder / name).unlink(missing_ok=True)
    # The database last: a folder in which it is has everything.
    for part in (datafolder.MASTER_KEY, SQLITE_FILE):
        (unpacked / part).replace(folder / part)
    datafolder.sync_folder(folder)
