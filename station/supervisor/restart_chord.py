"""Hears 0 + 2 held for 2 s on a terminal, which repeats the last key held and says nothing of releases.

So the chord arrives as ``0`` and ``2`` shortly after each other, in either order, and then the second one again and
again. Whoever types fast sends either other keys in between or the same key far more slowly than a terminal does.
"""

from enum import Enum, auto

HELD_S = 2.0
TOGETHER_S = 0.6
"""Two keys that are meant together are pressed within this time."""
FIRST_REPEAT_S = 1.1
"""Terminals wait between 0.25 s (Linux console) and 1 s before they begin to repeat."""
REPEAT_S = 0.25
"""They repeat every 25 to 100 ms; some room for a machine that is busy. Nobody types one key for 2 s like this."""
REPEATS = 8
"""At least so many have to come; the slowest terminal sends ten."""
QUIET_S = 1.0
"""After the chord both keys are deaf until they have been silent for so long: fingers leave a keypad slowly."""

CHORD = frozenset(b"02")


class Verdict(Enum):
    """What becomes of a stroke."""

    PASS = auto()
    """It is the kiosk's."""
    SWALLOW = auto()
    """It belongs to a chord that has been heard."""
    RESTART = auto()
    """It completes a chord."""


class TerminalChord:
    """Takes strokes and their times, and tells when the chord is complete. Reads no clock."""

    def __init__(self) -> None:
        self._last = (0, 0.0)
        self._second: int | None = None
        """The second key of the pair, while it may be held."""
        self._since = 0.0
        self._repeats = 0
        self._deaf_since: float | None = None

    def stroke(self, code: int, now: float) -> Verdict:
        """What becomes of the stroke ``code`` that arrived at ``now`` (seconds of a clock that does not go back)."""
        if self._deaf_since is not None:
            if code not in CHORD:
                return Verdict.PASS
            if now - self._deaf_since <= QUIET_S:
                self._deaf_since = now
                return Verdict.SWALLOW
            self._deaf_since = None
        before, before_at = self._last
        self._last = (code, now)
        if code == self._second:
            allowed_s = REPEAT_S if self._repeats else FIRST_REPEAT_S
            if now - before_at <= allowed_s:
                self._repeats += 1
                if now - self._since >= HELD_S and self._repeats >= REPEATS:
                    self._forget()
                    self._deaf_since = now
                    return Verdict.RESTART
                return Verdict.PASS
        self._forget()
        if {code, before} == CHORD and now - before_at <= TOGETHER_S:
            self._second, self._since = code, now
        self._last = (code, now)
        return Verdict.PASS

    def _forget(self) -> None:
        self._second, self._repeats, self._last = None, 0, (0, 0.0)
