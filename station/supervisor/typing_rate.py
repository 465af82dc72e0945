"""How fast anybody can type: what comes faster, a stuck key or noise on a line, is not passed on."""

BURST_STROKES = 64
STROKES_PER_S = 50
"""A held key repeats at 30 a second."""


class TypingRate:
    """A bucket of strokes that fills with time."""

    def __init__(self) -> None:
        self._left = float(BURST_STROKES)
        self._at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether one more stroke at ``now`` may pass."""
        if self._at is not None:
            self._left = min(BURST_STROKES, self._left + (now - self._at) * STROKES_PER_S)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
