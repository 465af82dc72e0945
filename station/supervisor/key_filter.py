"""Lets through the keys of a PIN, at the speed of a person: ``0-9 * #``, Enter (``\\r``) and Backspace (``\\x7f``).

Everything else of a terminal is dropped: other characters, control sequences (ECMA-48) with all that is in them,
answers of the terminal to the kiosk's questions, pasted text between its brackets, bytes that are no UTF-8. Textual
ends an application at some of these.
"""

from enum import Enum, auto

ENTER, BACKSPACE = b"\r", b"\x7f"

_PLAIN = {code: bytes([code]) for code in b"0123456789*#\r\x7f"} | {0x0A: ENTER, 0x08: BACKSPACE}
_WITHOUT_NUM_LOCK = {b"F": b"1", b"B": b"2", b"D": b"4", b"E": b"5", b"C": b"6", b"H": b"7", b"A": b"8"}
"""The last byte of what a number pad sends while NumLock is off, after ``ESC [`` (after ``ESC O`` with application
cursor keys): End, Down, Left, the middle, Right, Home, Up."""
_SEQUENCES = _WITHOUT_NUM_LOCK | {
    b"G": b"5",  # the Linux console's middle
    b"2~": b"0",  # Insert
    b"3~": BACKSPACE,  # Delete, which is the point
    b"1~": b"7",  # Home of the Linux console
    b"4~": b"1",  # End
    b"7~": b"7",  # Home and End of rxvt
    b"8~": b"1",
    b"6~": b"3",  # Page Down
    b"5~": b"9",  # Page Up
}
_KEYPAD = {
    **{last[0]: stroke for last, stroke in _WITHOUT_NUM_LOCK.items()},
    **{0x70 + digit: str(digit).encode() for digit in range(10)},
    0x4D: ENTER,
    0x6A: b"*",
}
"""What a number pad in application mode sends after ``ESC O`` (DEC VT100): ``M`` Enter, ``j`` *, ``p`` ... ``y``."""

_ESCAPE, _BELL, _CANCEL, _SUBSTITUTE = 0x1B, 0x07, 0x18, 0x1A
_PASTE_BEGINS, _PASTE_END = b"200~", b"\x1b[201~"
_PARAMETERS_KEPT = 8
"""Enough to know a paste by; what is longer is dropped without being kept."""
_MOUSE_BYTES = 3
_FUNCTION_KEY = 0x5B


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    CONTROL = auto()  # CSI: ESC [ parameters, intermediates, final byte
    SINGLE = auto()  # SS3: ESC O and one byte
    STRING = auto()  # DCS, OSC, SOS, PM, APC: up to ST or BEL
    MOUSE = auto()  # X10: three bytes after ESC [ M
    PASTE = auto()


_LIMITS_S = {
    _State.ESCAPE: (0.1, 0.1),
    _State.CONTROL: (0.1, 0.5),
    _State.SINGLE: (0.1, 0.5),
    _State.STRING: (0.1, 1.0),
    _State.MOUSE: (0.1, 0.5),
    _State.PASTE: (0.5, 3.0),
}
"""Silence, and duration in all, that end a sequence which never ends itself: the next digit is a person's."""

BURST_STROKES = 64
STROKES_PER_S = 50
"""A held key repeats at 30 a second."""


class KeyFilter:
    """Turns bytes of a terminal into strokes. Keeps a few bytes only, whatever arrives."""

    def __init__(self) -> None:
        self._state = _State.GROUND
        self._since = self._heard = 0.0
        self._parameters = bytearray()
        self._matched = 0
        """So many bytes of the end of a paste, or of a mouse report, have been seen."""

    def feed(self, data: bytes, now: float) -> bytes:
        """The strokes in ``data``, which arrived at ``now`` (seconds of any clock that does not go back)."""
        if self._state is not _State.GROUND:
            silence_s, whole_s = _LIMITS_S[self._state]
            if now - self._heard > silence_s or now - self._since > whole_s:
                self._state = _State.GROUND
        self._heard = now
        strokes = bytearray()
        for code in data:
            strokes += self._take(code, now)
        return bytes(strokes)

    def _enter(self, state: _State, now: float) -> None:
        self._state, self._since = state, now
        self._matched = 0
        self._parameters.clear()

    def _take(self, code: int, now: float) -> bytes:
        if self._state is _State.GROUND:
            if code == _ESCAPE:
                self._enter(_State.ESCAPE, now)
            return _PLAIN.get(code, b"")
        if self._state is _State.PASTE:
            self._take_pasted(code)
        elif self._state is _State.MOUSE:
            self._matched += 1
            if self._matched == _MOUSE_BYTES:
                self._state = _State.GROUND
        elif code == _ESCAPE:
            # Begins anew from anywhere; ST, which ends a string, is ESC and a backslash.
            self._enter(_State.ESCAPE, now)
        elif code in {_CANCEL, _SUBSTITUTE}:
            self._state = _State.GROUND
        elif self._state is _State.ESCAPE:
            self._take_second(code, now)
        elif self._state is _State.CONTROL:
            return self._take_control(code, now)
        elif self._state is _State.SINGLE:
            return self._take_single(code)
        elif code == _BELL:
            self._state = _State.GROUND
        return b""

    def _take_second(self, code: int, now: float) -> None:
        match code:
            case 0x5B:  # [
                self._enter(_State.CONTROL, now)
            case 0x4F:  # O
                self._enter(_State.SINGLE, now)
            case 0x50 | 0x58 | 0x5D | 0x5E | 0x5F:  # P X ] ^ _
                self._enter(_State.STRING, now)
            case _ if not 0x20 <= code <= 0x2F:  # an intermediate byte is followed by more
                self._state = _State.GROUND

    def _take_control(self, code: int, now: float) -> bytes:
        if code == _FUNCTION_KEY and not self._parameters:
            # F1 to F5 of the Linux console: one more byte, which is no arrow.
            self._parameters.append(code)
            return b""
        if 0x40 <= code <= 0x7E:
            sequence = bytes(self._parameters) + bytes([code])
            self._state = _State.GROUND
            if sequence == _PASTE_BEGINS:
                self._enter(_State.PASTE, now)
            elif sequence == b"M":
                self._enter(_State.MOUSE, now)
            else:
                return _SEQUENCES.get(sequence, b"")
        elif len(self._parameters) < _PARAMETERS_KEPT:
            self._parameters.append(code)
        return b""

    def _take_single(self, code: int) -> bytes:
        if 0x30 <= code <= 0x3F:  # some terminals put a modifier before it
            self._matched = 1
            return b""
        self._state = _State.GROUND
        return b"" if self._matched else _KEYPAD.get(code, b"")

    def _take_pasted(self, code: int) -> None:
        if code == _PASTE_END[self._matched]:
            self._matched += 1
            if self._matched == len(_PASTE_END):
                self._state = _State.GROUND
        else:
            self._matched = int(code == _PASTE_END[0])


class TypingRateLimit:
    """A bucket of strokes that fills with time: what comes faster, a stuck key or noise on a line, does not pass."""

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
