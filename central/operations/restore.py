"""`central restore`: a backup becomes the data folder, as a new epoch in which nothing ever goes back.

Stations have seen later things than the backup knows. So all cursors are refused (they fetch a snapshot), revisions
continue at max(last + 1, Unix seconds), and every permit, key record and blocklist is signed anew: with a number that
is higher than that of any version signed after the backup was made. What no number mends is a central key that stations
have confirmed since as current and that the backup does not have: they take no head by an older one.
"""

import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.sessions.models import Session
from django.db import connection, connections

from central import datafolder
from central.actions.renewals import sign_all_anew
from central.clock import unix_now
from central.errors import CentralError
from central.feed import change, touch
from central.models import CentralKey, EnrolmentCode, FeedCounter, ProvisionCode, Site
from central.models.epoch import begin_new_epoch
from central.operations.backup import DATABASE, FORMAT, MANIFEST
from central.operations.database import bring_up_to_date
from central.signing.keyring import forget_secrets

MANIFEST_LIMIT_BYTES = 4096
PARTS = frozenset({MANIFEST, DATABASE, datafolder.MASTER_KEY})


def restore(file: Path, *, replace: bool) -> int:
    """Put the backup in the place of this data folder; how many records were signed anew.

    Raises CentralError: ``serving`` while a server uses the folder, ``not_empty`` when it has a database and not
    ``replace``, ``restore`` for a file that is no whole backup: then nothing has changed.
    """
    if connection.vendor != "sqlite":
        raise CentralError("restore", reason="use pg_restore and `central manage new_epoch`")
    folder = datafolder.folder()
    with datafolder.locked_alone():
        if (folder / DATABASE).exists() and not replace:
            raise CentralError("not_empty", reason="--replace throws away what is there")
        connections.close_all()
        try:
            with TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
                unpacked = Path(scratch)
                _unpack(file, unpacked)
                _refuse_older(unpacked, folder)
                _put_in_place(unpacked, folder)
        except (OSError, sqlite3.Error, tarfile.TarError, ValueError) as error:
            raise CentralError("restore", reason=str(error)) from error
        forget_secrets()
        bring_up_to_date()
        return begin_epoch(unix_now())


def begin_epoch(now: int) -> int:
    """Make this database, restored to an earlier state, one that stations may follow. Returns how many were signed."""
    with change():
        begin_new_epoch()
        for site in Site.objects.all():
            counter, _ = FeedCounter.objects.select_for_update().get_or_create(site=site)
            counter.value = max(counter.value + 1, now)
            counter.save(update_fields=["value"])
            touch(site)
        # What was open then may have been used since, and who was logged in then may have been shut out.
        EnrolmentCode.objects.all().delete()
        ProvisionCode.objects.all().delete()
        Session.objects.all().delete()
    return sum(sign_all_anew(site, now, only_old=False) for site in Site.objects.all())


def cautions() -> list[str]:
    """What somebody has to know of the central keys of the sites that were restored: a line each."""
    told = []
    for site in Site.objects.order_by("number"):
        links = CentralKey.objects.filter(site=site).count()
        if links + 1 > site.current_key:
            what = (
                f"a change to central key {links + 1} was going on; had it come further, repeat its steps with --force"
            )
        else:
            what = (
                f"central key {site.current_key} signs; without a later one, if there was one, stations believe nothing"
            )
        told.append(f"site {site.number}: {what}")
    return told


def _unpack(file: Path, target: Path) -> None:
    """Only the names that a backup has, as plain files; raises ValueError for anything else."""
    with tarfile.open(file, mode="r:") as archive:
        for count, member in enumerate(archive):
            if member.name not in PARTS or not member.isfile() or count >= len(PARTS):
                raise ValueError(f"not a part of a backup: {member.name[:40]!r}")
            if member.name != DATABASE and member.size > MANIFEST_LIMIT_BYTES:
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
    with sqlite3.connect(target / DATABASE) as database:
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    database.close()
    if verdict != "ok" or not (target / datafolder.MASTER_KEY).exists():
        raise ValueError("the backup is damaged")


def _refuse_older(unpacked: Path, folder: Path) -> None:
    """Raise ValueError when a next central key has been made since: stations take, or will take, its word alone."""
    if not (folder / DATABASE).exists():
        return
    mine = _newest_keys(unpacked / DATABASE)
    try:
        theirs = _newest_keys(folder / DATABASE)
    except sqlite3.Error:
        return  # It is broken: that is why somebody restores.
    for site, number in theirs.items():
        if mine.get(site, 0) < number:
            reason = "was made before a change of the central key: stations would believe nothing that it signs"
            raise ValueError(f"site {site} {reason}")


def _newest_keys(file: Path) -> dict[int, int]:
    """The highest number of each site's central keys, by the site's number. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file)) as database:
        return dict(
            database.execute(
                "SELECT site.number, max(secret.number) FROM central_sealedsecret secret "
                "JOIN central_site site ON site.id = secret.site_id WHERE secret.kind = 'signing' GROUP BY site.number"
            )
        )


def _put_in_place(unpacked: Path, folder: Path) -> None:
    # The log of the database before must never be played into the one that takes its place.
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (folder / name).unlink(missing_ok=True)
    # The database last: a folder in which it is has everything.
    parts = [unpacked / datafolder.MASTER_KEY, unpacked / DATABASE]
    for part in parts:
        part.replace(folder / part.name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
