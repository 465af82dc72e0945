"""A file as somebody has just put it there: it counts when it is whole and valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.good_copies import GoodCopies, GoodCopy, folder_of
from config.loading import parse, read
from config.models import Settings
from config.places import KeyPath, find_places
from config.problems import ConfigFault, Problem

LAST_LINE = "# end"
"""Where a file ends so, a copy of its beginning can be told from it."""


@dataclass(frozen=True, slots=True)
class PushedFile:
    """A whole, valid file: what it says, and every byte of it."""

    path: Path
    content: bytes
    settings: Settings

    @property
    def version(self) -> str:
        """See `Settings.version`."""
        return self.settings.version

    def problem(self, key: KeyPath, expected: str, got: str | None = None) -> Problem:
        """What is wrong with the value at ``key``, for something that the models cannot know."""
        line = find_places(self.content.decode("utf-8-sig")).line(key)
        return Problem(str(self.path), expected, line, ".".join(map(str, key)), got)


def take(path: Path, good: Sequence[GoodCopy]) -> PushedFile:
    """What is at ``path`` now. ``good``: the copies kept, newest first. Raises ConfigFault."""
    content = read(path)
    _refuse_part(path, content, good)
    return PushedFile(path, content, parse(path, content))


def from_copy(path: Path, copy: GoodCopy) -> PushedFile:
    """A kept copy of what was at ``path``; relative paths in it still start from there. Raises ConfigFault."""
    return PushedFile(path, copy.content, parse(path, copy.content))


def in_effect(path: Path) -> tuple[PushedFile, tuple[Problem, ...]]:
    """What a station at ``path`` goes by: the file, or its last good copy and what is wrong with the file.

    Raises ConfigFault where there is neither.
    """
    copies = GoodCopies(folder_of(path)).newest_first()
    try:
        return take(path, copies), ()
    except ConfigFault as fault:
        if not copies:
            raise
        return from_copy(path, copies[0]), fault.problems


def _refuse_part(path: Path, content: bytes, good: Sequence[GoodCopy]) -> None:
    """A beginning of a file can be valid TOML: with default policies instead of the stricter ones further down."""
    if not good or not _ends(good[0].content) or _ends(content):
        return
    # An older good file that never had the line is whole all the same: that is what a rollback puts there.
    if any(content == copy.content for copy in good):
        return
    line = content.rstrip().count(b"\n") + 1
    expected = f'is incomplete, expected "{LAST_LINE}" as the last line, as the last good file has it'
    raise ConfigFault("config_incomplete", [Problem(str(path), expected, line)])


def _ends(content: bytes) -> bool:
    return content.rstrip().rpartition(b"\n")[2] == LAST_LINE.encode()
