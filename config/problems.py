"""What is wrong with a file: where, and what was expected there."""

from collections.abc import Sequence
from dataclasses import dataclass

from station.errors import StationError

REASON_LIMIT_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file, for the administrator who has to mend it."""

    file: str
    """The path as it was given."""
    expected: str
    """What should be there: "expected …", or a whole sentence where nothing was expected."""
    line: int | None = None
    """Counted from 1; of the table where the key is missing. None: the file as a whole."""
    key: str | None = None
    """With its table, as ``policy.active_minutes``."""
    got: str | None = None
    """What is there instead, shortened; None where it is missing or might be a secret."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = "" if self.key is None else f"{self.key}: "
        got = "" if self.got is None else f", got {self.got}"
        return f"{place}: {key}{self.expected}{got}"


def summary(problems: Sequence[Problem]) -> dict[str, str | int | None]:
    """Of a rejected file, for central and `station status`: its first mistake, and how many there are."""
    first = problems[0]
    reason = first.expected if first.got is None else f"{first.expected}, got {first.got}"
    return {
        "file": first.file,
        "line": first.line,
        "key": first.key,
        "reason": reason[:REASON_LIMIT_CHARACTERS],
        "problems": len(problems),
    }


class ConfigFault(StationError):
    """A configuration or credentials file that cannot be used; ``problems`` says why, one or more.

    Codes: ``config_missing``, ``config_unreadable``, ``config_too_large``, ``config_not_utf8``, ``config_syntax``,
    ``config_incomplete``, ``config_invalid``, ``config_unwritable``; the same with ``credentials_`` (and
    ``credentials_exposed`` for a file that others may read).
    """

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        """Keep the problems; the log gets the code, the first file and how many there are."""
        super().__init__(code, file=problems[0].file, problems=len(problems))
        self.problems = tuple(problems)
