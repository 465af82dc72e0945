"""0 + 2 held for 2 s, as an input device tells it: real presses and releases. Keys become the strokes of a terminal."""

from station.supervisor.chord import HELD_S
from station.supervisor.key_filter import BACKSPACE, ENTER

_TOP_ROW = {11: 0} | {1 + digit: digit for digit in range(1, 10)}
_NUMBER_PAD = {82: 0, 79: 1, 80: 2, 81: 3, 75: 4, 76: 5, 77: 6, 71: 7, 72: 8, 73: 9}
_TELEPHONE = {0x200 + digit: digit for digit in range(10)}
DIGITS = _TOP_ROW | _NUMBER_PAD | _TELEPHONE
"""Key codes of ``linux/input-event-codes.h``: KEY_0 to KEY_9, KEY_KP0 to KEY_KP9, KEY_NUMERIC_0 to KEY_NUMERIC_9."""
STROKES = {code: str(digit).encode() for code, digit in DIGITS.items()} | {
    28: ENTER,  # KEY_ENTER
    96: ENTER,  # KEY_KPENTER
    14: BACKSPACE,  # KEY_BACKSPACE
    111: BACKSPACE,  # KEY_DELETE
    55: b"*",  # KEY_KPASTERISK
    0x20A: b"*",  # KEY_NUMERIC_STAR
    0x20B: b"#",  # KEY_NUMERIC_POUND
}
RELEASED, PRESSED = 0, 1
"""Values of a key's event; 2 is a repeat, which nobody needs here."""


class HeldKeys:
    """Presses and releases in, strokes out; `due_at` and `chord` tell when both keys have been held for long enough."""

    def __init__(self) -> None:
        self._held: dict[int, int] = {}
        """Code and digit of those keys of the chord that are down."""
        self._since: float | None = None
        self._spent = False
        """A chord has been heard, and not all of its keys have been released."""

    def key(self, code: int, value: int, now: float) -> bytes:
        """The stroke of this event of a key, or nothing."""
        digit = DIGITS.get(code)
        if digit in {0, 2}:
            if value == PRESSED:
                self._held[code] = digit
            elif value == RELEASED:
                self._held.pop(code, None)
            both = set(self._held.values()) == {0, 2}
            if not both:
                self._since = None
            elif self._since is None and not self._spent:
                self._since = now
            if not self._held and self._spent:
                self._spent = False
                return b""
            if self._spent:
                return b""
        return STROKES.get(code, b"") if value == PRESSED else b""

    def lost(self) -> None:
        """The device has dropped events, or is gone: nobody knows which keys are down."""
        self._held.clear()
        self._since, self._spent = None, False

    @property
    def due_at(self) -> float | None:
        """When `chord` has to be asked again; None while not both keys are down."""
        return None if self._since is None else self._since + HELD_S

    def chord(self, now: float) -> bool:
        """Whether both keys have been down for 2 s; once for each time that they are pressed."""
        if self.due_at is None or now < self.due_at:
            return False
        self._since, self._spent = None, True
        return True
