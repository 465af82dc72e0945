"""What `station doctor` found: a line each, with the mend."""

from dataclasses import dataclass
from enum import StrEnum

from station.commands import error_sentences
from station.errors import StationError

NOTHING = "nothing to do"


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, and will not for ever; or it could not be looked at."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``check`` names what was looked at, in a word that stays the same."""

    check: str
    level: Level
    what: str
    mend: str = NOTHING

    def __str__(self) -> str:
        return f"{self.level.value:<4}  {self.check}: {self.what} — {self.mend}"


def ok(check: str, what: str) -> Finding:
    """As it should be."""
    return Finding(check, Level.OK, what)


def warn(check: str, what: str, mend: str) -> Finding:
    """Not as it should be, yet it works."""
    return Finding(check, Level.WARN, what, mend)


def fail(check: str, what: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(check, Level.FAIL, what, mend)


def of_error(check: str, error: StationError) -> Finding:
    """A fault, with the mend that its sentence on the command line ends in."""
    sentence = error_sentences.sentence_for(error) or str(error)
    what, _, mend = sentence.partition("; ")
    return fail(check, f"{what} ({error})", mend or "look at the log")
