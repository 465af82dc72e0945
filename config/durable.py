"""Files that are either the old or the new ones after a power cut, never half of each."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_durably(path: Path, content: bytes, mode: int) -> None:
    """Replace ``path`` by a file of ``content`` and ``mode``; it is on the disk when this returns. Raises OSError."""
    folder = path.parent
    # mkstemp makes the file readable by its owner alone: a secret is never open, not even for a moment.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
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
