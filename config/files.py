"""Files on the disk: read whole and within a limit; replaced so that a power cut leaves the old or the new one."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from config.problems import ConfigFault, Problem


def read_file(
    path: Path, about: str, limit_bytes: int, *, missing: str = "there is no such file", forbidden_mode: int = 0
) -> bytes:
    """All bytes of ``path``.

    Raises ConfigFault, its code beginning with ``about``: ``…_missing``, ``…_unreadable``, ``…_too_large``, and
    ``…_exposed`` for a file with a bit of ``forbidden_mode``.
    """
    try:
        # Without O_NONBLOCK a fifo in the file's place would make the station wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise _fault(about, "unreadable", path, "expected a file, not a folder or a device")
            if mode & forbidden_mode:
                mend = "others may read it; `chmod 600` it, and enrol again if somebody may have"
                raise _fault(about, "exposed", path, f"expected mode 0600, got {stat.S_IMODE(mode):04o}: {mend}")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(limit_bytes + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise _fault(about, "missing", path, missing) from error
    except OSError as error:
        raise _fault(about, "unreadable", path, f"cannot be read: {error.strerror}") from error
    if len(content) > limit_bytes:
        raise _fault(about, "too_large", path, f"expected at most {limit_bytes} bytes")
    return content


def write_file(
    path: Path, content: bytes, mode: int, about: str = "config", owner: tuple[int, int] | None = None
) -> None:
    """Replace ``path`` by a file of ``content`` and ``mode``; it is on the disk when this returns.

    ``owner``: user and group; without them the file keeps those that it has, a new one gets its folder's (where we may
    give it away). Raises ConfigFault, ``<about>_unwritable``.
    """
    try:
        _replace(path, content, mode, owner)
    except OSError as error:
        raise unwritable(path, error, about) from error


def unwritable(path: Path, error: OSError, about: str = "config") -> ConfigFault:
    """What to raise where ``path`` cannot be written."""
    return _fault(about, "unwritable", path, f"cannot be written: {error.strerror}")


def _replace(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    folder = path.parent
    if owner is None and os.geteuid() == 0:
        # What an administrator's command writes stays the service's, or is its folder's owner's.
        before = (path if path.exists() else folder).stat()
        owner = before.st_uid, before.st_gid
    # mkstemp makes the file readable by its owner alone: a secret is never open, not even for a moment.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    # The new name is only safe once the folder itself is.
    folder_descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)


def _fault(about: str, what: str, path: Path, expected: str) -> ConfigFault:
    return ConfigFault(f"{about}_{what}", [Problem(str(path), expected)])
