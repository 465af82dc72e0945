"""A finding of `station doctor`: one line, with the mend."""

from dataclasses import dataclass
from enum import StrEnum

from station.commands import error_sentences
from station.errors import StationError

NOTHING_TO_DO = "nothing to do"


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """It works, but will not for ever; or it could not be looked at."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``check`` names what was looked at, in a word that stays the same."""

    check: str
    level: Level
    what: str
    mend: str = NOTHING_TO_DO

    def __str__(self) -> str:
        return f"{self.level.value:<4}  {self.check}: {self.what} — {self.mend}"


def ok(check: str, what: str) -> Finding:
    """A finding that something is as it should be."""
    return Finding(check, Level.OK, what)


def warn(check: str, what: str, mend: str) -> Finding:
    """A finding that something is not as it should be, yet works."""
    return Finding(check, Level.WARN, what, mend)


def fail(check: str, what: str, mend: str) -> Finding:
    """A finding that something does not work."""
    return Finding(check, Level.FAIL, what, mend)


def from_error(check: str, error: StationError) -> Finding:
    """A finding of a fault, with the mend that its sentence on the command line ends in."""
    sentence = error_sentences.sentence_for(error) or str(error)
    what, _, mend = sentence.partition("; ")
    return fail(check, f"{what} ({error})", mend or "look at the log")
