"""A station.toml as somebody has put it there: it counts when it is whole and valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.files import read_file
from config.good_copies import GoodCopies, GoodCopy, folder_of
from config.loading import FILE_LIMIT_BYTES, parse
from config.models import Reach, Settings, keys_with_reach
from config.problems import ConfigFault, Problem
from config.toml_positions import KeyPath, Positions, find_positions

LAST_LINE = "# end"
"""Where a file ends so, a copy of its beginning can be told from it."""
HIDDEN_KEYS: frozenset[KeyPath] = frozenset({("display", "technician_code")})
"""A hash of a short code is soon guessed; that there is one is enough to know."""
HIDDEN = "(set)"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A value that a station goes by, and where it comes from."""

    key: str
    """With its table, as ``policy.active_minutes``."""
    value: str | int | bool | None
    line: int | None
    """In the file; None where it is the default."""
    reach: Reach


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A whole, valid file: what it says, and every byte of it."""

    path: Path
    content: bytes
    settings: Settings

    @classmethod
    def read(cls, path: Path, good: Sequence[GoodCopy]) -> Self:
        """What is at ``path`` now. ``good``: the copies kept, newest first. Raises ConfigFault."""
        content = read_file(path, "config", FILE_LIMIT_BYTES)
        _refuse_part(path, content, good)
        return cls(path, content, parse(path, content))

    @classmethod
    def from_copy(cls, path: Path, copy: GoodCopy) -> Self:
        """A kept copy of what was at ``path``; relative paths in it still start from there. Raises ConfigFault."""
        return cls(path, copy.content, parse(path, copy.content))

    @property
    def version(self) -> str:
        """See `Settings.version`."""
        return self.settings.version

    def problem(self, key: KeyPath, expected: str, got: str | None = None) -> Problem:
        """What is wrong with the value at ``key``, for something that the models cannot know."""
        return Problem(str(self.path), expected, self._positions().line(key), ".".join(map(str, key)), got)

    def values(self) -> list[EffectiveValue]:
        """Every key's value, in the order of the documentation."""
        positions = self._positions().by_path
        values = []
        for table, key, reach in keys_with_reach(Settings):
            value = getattr(getattr(self.settings, table), key)
            if isinstance(value, Path):
                value = str(value)
            if value is not None and (table, key) in HIDDEN_KEYS:
                value = HIDDEN
            position = positions.get((table, key))
            line = None if position is None else position.line
            values.append(EffectiveValue(f"{table}.{key}", value, line, reach))
        return values

    def _positions(self) -> Positions:
        return find_positions(self.content.decode("utf-8-sig"))


def in_effect(path: Path) -> tuple[ConfigFile, tuple[Problem, ...]]:
    """What a station at ``path`` goes by: the file, or its last good copy and what is wrong with the file.

    Raises ConfigFault where there is neither.
    """
    copies = GoodCopies(folder_of(path)).newest_first()
    try:
        return ConfigFile.read(path, copies), ()
    except ConfigFault as fault:
        if not copies:
            raise
        return ConfigFile.from_copy(path, copies[0]), fault.problems


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
