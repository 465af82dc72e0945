"""The last configurations that have worked, for a station whose file is broken, and for an administrator who regrets.

A folder of files ``000007-3fa2b1c4d5e6.toml``: a number that grows, and the version (`version_of`) of what is inside. A
copy that is not what its name says, after a disk fault, counts as none.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from config.files import unwritable, write_file
from config.loading import FILE_LIMIT_BYTES, SYSTEM_FILE, version_of

COPIES_LIMIT = 5
"""So many pushes can be taken back; more would be an archive, which belongs where the pushes come from."""
SYSTEM_FOLDER = Path("/var/lib/station/config")
"""The system's file is in /etc, which a service does not write to."""
FILE_MODE = 0o644
_NAME = re.compile(r"(?P<number>\d{6,12})-(?P<version>[0-9a-f]{12})\.toml")

_log = logging.getLogger("station.config")


@dataclass(frozen=True, slots=True)
class GoodCopy:
    """One of them."""

    number: int
    version: str
    content: bytes
    path: Path


def folder_of(path: Path) -> Path:
    """Where the copies of ``path`` are kept.

    It must be found when the file itself, and so its ``[storage]``, cannot be read.
    """
    return SYSTEM_FOLDER if path == SYSTEM_FILE else path.with_name(f"{path.name}.good")


class GoodCopies:
    """The copies in ``folder``, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest_first(self) -> list[GoodCopy]:
        """All that are whole. A folder that cannot be read holds none."""
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except OSError:
            return []
        copies = [copy for name in names if (copy := self._copy(name)) is not None]
        return sorted(copies, key=lambda copy: copy.number, reverse=True)

    def keep(self, content: bytes) -> None:
        """Make ``content`` the newest copy; it is on the disk when this returns. Raises ConfigFault."""
        copies = self.newest_first()
        version = version_of(content)
        if copies and copies[0].version == version:
            return
        number = copies[0].number + 1 if copies else 1
        target = self.folder / f"{number:06}-{version}.toml"
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_file(target, content, FILE_MODE)
            kept = {target, *(copy.path for copy in [c for c in copies if c.version != version][: COPIES_LIMIT - 1])}
            for path in self.folder.iterdir():
                # Also what a power cut has left half written.
                if path not in kept:
                    path.unlink()
        except OSError as error:
            raise unwritable(target, error) from error

    def _copy(self, name: str) -> GoodCopy | None:
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = file.read(FILE_LIMIT_BYTES + 1)
        except OSError:
            return None
        if version_of(content) != match["version"]:
            _log.error("config.copy_damaged file=%s", name)
            return None
        return GoodCopy(int(match["number"]), match["version"], content, path)
