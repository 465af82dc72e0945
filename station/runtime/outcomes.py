"""What came of a visit, in one word: for the status file and for a visit without a screen."""

from collections.abc import Mapping
from enum import StrEnum

from station.display.screen import Line


class Outcome(StrEnum):
    """How a visit stands, or how it ended."""

    OFF = "off"
    """The key is off, and was not to be more."""
    READY = "ready"
    """The key works until its activation ends."""
    REFUSED = "refused"
    """The key is off; a PIN was wrong, or the key, its holder or the station does not qualify."""
    LEFT_IN = "left_in"
    """Left in after ready, and switched off again."""
    STILL_ON = "still_on"
    """The key could not be switched off."""
    UNREADABLE = "unreadable"
    """The key is off and does not say which it is."""
    UNSURE = "unsure"
    """In the middle of a write: where nothing follows, only the next station can tell."""


_OUTCOMES: Mapping[Line, Outcome] = {
    Line.PROMPT: Outcome.OFF,
    Line.ACTIVATING: Outcome.UNSURE,
    Line.READY: Outcome.READY,
    Line.OUT_READY: Outcome.READY,
    Line.WRONG_PIN: Outcome.REFUSED,
    Line.WAIT: Outcome.REFUSED,
    Line.REFUSED: Outcome.REFUSED,
    Line.BLANK: Outcome.UNREADABLE,
    Line.HANDED_OUT: Outcome.OFF,
    Line.LEFT_IN: Outcome.LEFT_IN,
    Line.STILL_ON: Outcome.STILL_ON,
    Line.UNREADABLE: Outcome.UNREADABLE,
    Line.OUT_UNSURE: Outcome.UNSURE,
}


def outcome_after(line: Line, before: Outcome | None) -> Outcome | None:
    """The outcome when the screen says ``line``; ``before``: what it was until then, None at a visit's beginning."""
    if before is Outcome.UNSURE and line in {Line.OUT_OFF, Line.OUT_EARLY}:
        # Taken out before anything was written.
        return Outcome.OFF
    return _OUTCOMES.get(line, before)
