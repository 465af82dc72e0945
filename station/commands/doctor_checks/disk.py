"""Checks the disk that the database is on, by writing to it, and whom the files there belong to."""

import errno
import os
import pwd
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from config import Settings
from station.commands.doctor_checks.finding import Finding, Level, fail, ok, warn
from station.runtime import neighbours_file, status_file

DISK_WARN_BYTES = 200_000_000
DISK_FAIL_BYTES = 20_000_000
PROBE_BYTES = 64 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def check_disk(settings: Settings) -> list[Finding]:
    """Check that the disk takes what is written, has room, and that nobody else owns what is on it."""
    folder = settings.storage.database.parent
    disk = _check_writing(folder)
    return [disk] if disk.level is Level.FAIL and not folder.is_dir() else [disk, *_check_owners(settings)]


def _check_writing(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
        # Asking what is permitted says nothing of a disk that was remounted, or that is broken.
        with tempfile.TemporaryFile(prefix=".doctor-", dir=folder) as probe:
            probe.write(os.urandom(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except FileNotFoundError:
        return fail("disk", f"{folder} is not there", "make the folder, or mend storage.database")
    except PermissionError:
        return fail("disk", f"nothing can be written to {folder}", "give it to the station's user: chown")
    except OSError as error:
        return _not_written(folder, error)
    said = f"{free // 1_000_000} MB free in {folder}"
    if free < DISK_FAIL_BYTES:
        return fail("disk", said, "free some space, or use a larger disk")
    return warn("disk", said, "free some space") if free < DISK_WARN_BYTES else ok("disk", f"{said}; it takes writes")


def _not_written(folder: Path, error: OSError) -> Finding:
    if error.errno in _FULL:
        return fail("disk", f"{folder} is full", "free some space, or use a larger disk")
    if error.errno == errno.EROFS:
        mend = "look at dmesg, check the disk (fsck), mount it anew; a card that does it again is worn: replace it"
        return fail("disk", f"{folder} takes no writes: it is mounted read-only", mend)
    return fail("disk", f"{folder} takes no writes: {error.strerror}", "look at dmesg, and replace the card")


def _check_owners(settings: Settings) -> list[Finding]:
    """A command that root ran before the service did may have left files that the service cannot use."""
    database, credentials = settings.storage.database, settings.storage.credentials
    beside = [database.with_name(database.name + end) for end in ("", ".lock", "-wal", "-shm")]
    beside += [database.with_name(name) for name in (status_file.FILE_NAME, neighbours_file.FILE_NAME, "station.log")]
    found = [finding for path in (*beside, credentials) if (finding := _check_owner(path)) is not None]
    return found or [ok("owners", f"all files belong to {_name(database.parent.stat().st_uid)}, as their folder does")]


def _check_owner(path: Path) -> Finding | None:
    with suppress(OSError):
        file, folder = path.stat(), path.parent.stat()
        if file.st_uid != folder.st_uid:
            owner = _name(folder.st_uid)
            what = f"{path} belongs to {_name(file.st_uid)}, its folder to {owner}"
            return fail("owners", what, f"chown {owner}: {path}")
        if not file.st_mode & stat.S_IWUSR:
            return fail("owners", f"{path} may not be written by its owner", f"chmod u+w {path}")
    return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
