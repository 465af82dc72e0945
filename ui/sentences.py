"""The sentences of every line and refusal, and why keys are only switched off: English, marked for translation.

Big: what to do; small: why. Written for someone with gloves on and a queue behind them: no technical words, the key's
state first, then the one thing to do. The tables are complete; a test goes through the enums.
"""

from collections.abc import Mapping
from enum import Enum

from station.display.screen import Line, Screen
from station.records.claims import KeyKind
from station.rules.facts import OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold


class Tone(Enum):
    """How a line looks. The colour is never alone: a shape and a word say the same."""

    QUIET = "quiet"
    """Nobody's key is in question."""
    OFF = "off"
    """White on black. (A key's own steady blue means ON.)"""
    ON = "on"
    """A green field."""
    BUSY = "busy"
    """Leave the key in."""
    ATTENTION = "attention"
    """The key is off, and something is to be done again: a yellow bar."""
    FAULT = "fault"
    """The key is refused, or may be on although it should not, or the station is out of order: a red bar."""


def N_(message: str) -> str:  # noqa: N802, gettext's customary mark for a message that is looked up later
    """``message`` as it is, marked for extraction."""
    return message


LINES: Mapping[Line, tuple[str, str]] = {
    Line.EMPTY: (
        N_("Press the button on the key and put it in."),
        N_("Put it in alone, not on a heavy key ring."),
    ),
    Line.READING: (N_("Switching the key OFF. Leave it in."), N_("You can already type your PIN.")),
    Line.PROMPT: (N_("Going home: take the key out. Starting: PIN and #."), ""),
    Line.WRONG_PIN: (N_("Wrong PIN. Try again: PIN and #."), N_("Key is OFF. Going home: take it out.")),
    Line.WAIT: (
        N_("Too many wrong PINs. Wait {wait}."),
        N_("Key is OFF. Going home: take it out. Other keys can be used meanwhile."),
    ),
    Line.CHECKING: (N_("Checking. Leave the key in."), N_("Key is OFF.")),
    Line.ACTIVATING: (N_("Switching the key ON. Leave it in."), ""),
    Line.READY: (N_("Key is ON until {until}. Take it out."), ""),
    Line.REFUSED: (N_("Key is OFF."), ""),
    Line.STILL_ON: (
        N_("Key is still ON until {until}. Take it out and put it in again."),
        N_("It could not be switched off. If this happens again, hand the key to your coordinator."),
    ),
    Line.UNREADABLE: (
        N_("Key is OFF."),
        N_("It cannot be used: it does not say which key it is."),
    ),
    Line.BLANK: (
        N_("Blank key. To hand it out: the code and #."),
        N_("The office shows a code of ten digits. No code: take the key out, it is OFF."),
    ),
    Line.HANDING_OUT: (N_("Handing out the key. Leave it in."), N_("Key is OFF.")),
    Line.HANDED_OUT: (
        N_("Done. The key is handed out. Take it out."),
        N_("It is OFF. Starting: put it in again, PIN and #."),
    ),
    Line.LEFT_IN: (
        N_("Key is OFF again. Take it out."),
        N_("It was left in too long. Starting: take it out, put it in, PIN and #."),
    ),
    Line.OUT_OFF: (N_("Key is OFF."), N_("It opens nothing now.")),
    Line.OUT_READY: (N_("Key is ON until {until}."), ""),
    Line.OUT_EARLY: (
        N_("Taken out too early. Key is OFF. Put it back."),
        N_("Leave it in until the screen says that it is ON."),
    ),
    Line.OUT_UNSURE: (
        N_("Put the key back. It may still be ON."),
        N_("It was taken out before it could be switched off."),
    ),
    Line.OUT_HANDING_OUT: (
        N_("Taken out too early. Put the key back."),
        N_("It is OFF. If the screen asks for the code again, type the same one."),
    ),
    Line.READER_BROKEN: (
        N_("Out of order. Use another station."),
        N_("This station has no contact with its key reader. A key that is ON stays ON until its time."),
    ),
}

TAKE_IT_OUT = N_("Take it out.")


def to_be_taken_out(screen: Screen) -> bool:
    """Whether `TAKE_IT_OUT` is said after what a refused key is told."""
    return screen.line is Line.UNREADABLE or (screen.line is Line.REFUSED and screen.refusal is not Refusal.KEY_FAULT)


ROUTINE = (N_("Press the key's button: it shines steady blue."), N_("Try it in the lock under the station: green."))
"""Of a key that is ON; the second where there is such a lock."""

LOST_POWER = N_("The key has been without power, as with a new battery. It is set right; type your PIN once more.")
"""At the prompt."""
LOAN_AT_PROMPT = N_("On loan until the end of the shift; your PIN is the receipt.")
LOAN = N_("On loan until the end of the shift, on the receipt of {name}. Return it to {unit}.")
"""Of an emergency key."""
IN_THE_NAME = N_("In the name of {name}. Return it to {unit}.")
"""Of a substitute key."""

HOLD_GENTLY = N_("Press gently on the underside of the key and hold.")
FLICKERING = (HOLD_GENTLY, N_("The contact comes and goes."))
"""Instead of a line's own words, while `Screen.flickering`."""
STILL_NO_CONTACT = N_("Still no contact: try another key. If that has none either, use another station.")
"""Said with it: what is typed there is for the key, and opens no help."""

OUT_HALFWAY = (
    N_("Taken out too early. Put the key back."),
    N_("It may be ON. Leave it in until the screen says that it is ON."),
)
"""For `Line.OUT_UNSURE` where the key was being switched ON: nobody who wants that wonders why it is not OFF."""

OUT_UNSEEN = (
    N_("Put the key back."),
    N_("The contact broke before the station could see which key it is."),
)
"""For `Line.OUT_UNSURE` where a ready key had been: this may be another one."""

LEFT_IN_SOON = N_("Take the key out now. It switches OFF in {wait}.")
"""For `Line.READY` while `Screen.off_in_s`."""

DIGITS_LOST = N_("Not all digits got through: press * and type the whole PIN.")
MISTYPED = N_("Mistyped: press * and start over.")
"""While a PIN is being typed."""

HELP = N_("Help: *")
"""Where no key is in question."""

STILL_ON_UNKNOWN = N_("Key may still be ON. Take it out and put it in again.")
"""For `Line.STILL_ON` when the key does not tell until when."""
STILL_ON_AT_MOST = N_("At the latest it ends {until}.")

_HAND_IN = N_("Hand it to your coordinator.")
_ANOTHER_KEY = N_("Take another key from the pool. Hand this one to your coordinator.")
_EMERGENCY_KEY = N_("Take an emergency key from the pool; your PIN is the receipt. Hand this one to your coordinator.")
_AT_A_STATION = N_("It must first be put in at a station.")
_NO_STATION = N_("If no station works: ask a colleague to open, else call the on-call manager.")
"""Whoever stands at an activation box has come because of that."""

UNREADABLE = (*LINES[Line.UNREADABLE], _ANOTHER_KEY)
REFUSALS: Mapping[Refusal, tuple[str, str, str]] = {
    Refusal.UNKNOWN: (N_("Unknown key. It is OFF."), N_("No key of ours has this number."), _HAND_IN),
    Refusal.BLOCKED: (N_("Blocked key. It is OFF."), "", _EMERGENCY_KEY),
    Refusal.RETURNED: (
        N_("This key is handed in. It is OFF."),
        N_("A coordinator must hand it out before it can be used."),
        _HAND_IN,
    ),
    Refusal.LOCKED: (
        N_("Locked key. It is OFF."),
        N_("Too many wrong PINs."),
        N_("Ask your coordinator to unlock it, at night the on-call manager."),
    ),
    Refusal.HOLDER_ENDED: (N_("This key has no holder any more. It is OFF."), "", _HAND_IN),
    Refusal.WRONG_PIN: (*LINES[Line.WRONG_PIN], ""),
    Refusal.PERMIT_EXPIRED: (N_("Your permit has ended. Key is OFF."), "", N_("Ask your coordinator to renew it.")),
    Refusal.OUTSIDE_WINDOW: (
        N_("Your permit is not for this time of day. Key is OFF."),
        "",
        N_("Ask your coordinator if you should be working now."),
    ),
    Refusal.STATION: (
        N_("This station can only switch keys OFF."),
        N_("Key is OFF."),
        N_("Start at another station."),
    ),
    Refusal.KEY_FAULT: (
        N_("The key could not be switched ON. Take it out and put it in again."),
        "",
        N_("If this happens again, hand it to your coordinator and take another key from the pool."),
    ),
    Refusal.CLOCK_UNSET: (
        N_("The key has lost power, as with a new battery. It is OFF."),
        _AT_A_STATION,
        _NO_STATION,
    ),
    Refusal.BAD_KEY_RECORD: (N_("The key does not say which it is. It is OFF."), _AT_A_STATION, _NO_STATION),
    Refusal.NOT_GENUINE: (
        N_("This key does not prove that it is the right one. It is OFF."),
        "",
        _ANOTHER_KEY,
    ),
    Refusal.BAD_STATION_CERTIFICATE: (N_("Nobody vouches for this key. It is OFF."), _AT_A_STATION, _NO_STATION),
    Refusal.NEVER_SYNCED: (N_("This key is not prepared. It is OFF."), _AT_A_STATION, _NO_STATION),
    Refusal.SYNCED_TOO_LONG_AGO: (
        N_("Too long since this key was at a station. It is OFF."),
        _AT_A_STATION,
        _NO_STATION,
    ),
    Refusal.BAD_PERMIT: (N_("There is no permit on this key. It is OFF."), _AT_A_STATION, _NO_STATION),
    Refusal.WRONG_HOLDER: (N_("The permit on this key is somebody else's. It is OFF."), _AT_A_STATION, _NO_STATION),
    Refusal.NOT_PERSONAL: (
        N_("This box renews personal keys only. Key is OFF."),
        "",
        N_("Switch this one ON at a station, with a PIN."),
    ),
    Refusal.OTHER_UNIT: (
        N_("This key belongs to another unit. It is OFF."),
        "",
        N_("Put it in at a box of its own unit, or at a station."),
    ),
    Refusal.NO_PERMIT: (N_("You have no permit for this key. It is OFF."), "", N_("Ask your coordinator.")),
}
"""What is wrong, why, and what to do."""
BLOCKED_SINCE = N_("Blocked since {time}.")
"""For `Refusal.BLOCKED`, where that is known."""
DO_THIS = N_("Do this: {what}")


def refused(screen: Screen) -> tuple[str, str, str] | None:
    """What a refused key is told, in the socket or just taken out of it; None: it is not refused."""
    if screen.unreadable or screen.line is Line.UNREADABLE:
        return UNREADABLE
    if screen.refusal is None or screen.line not in {Line.REFUSED, Line.OUT_OFF}:
        return None
    what, why, do_this = REFUSALS[screen.refusal]
    pool = screen.kind in {KeyKind.SUBSTITUTE, KeyKind.EMERGENCY}
    return what, why, _ANOTHER_KEY if pool and do_this == _EMERGENCY_KEY else do_this


NO_CONNECTION_TO_HAND_OUT = (
    N_("Blank key. There is no network here now. Use another station."),
    N_("A code can be typed here as soon as there is. The key is OFF. Take it out."),
)
"""For `Line.BLANK` without a connection."""
HAND_OUT_WAIT = (
    N_("Too many wrong codes. Wait {wait}."),
    N_("The key is still blank, and OFF. It can be handed out at another station meanwhile."),
)
"""For `Line.BLANK` while `Screen.wait_s`."""
NOT_HANDED_OUT: Mapping[HandOutTold, tuple[str, str]] = {
    HandOutTold.PIN_BEGUN: (
        N_("This key is blank. It takes no PIN. Press #."),
        N_("To hand it out, type only the ten digits of its code, and #."),
    ),
    HandOutTold.NOT_A_CODE: (
        N_("That was no code. It has ten digits: type them and #."),
        N_("Nothing was sent. The key is still blank, and OFF."),
    ),
    HandOutTold.BAD_CODE: (
        N_("Wrong code. Try again: the code and #."),
        N_("The key is still blank, and OFF. After five wrong codes this station must wait."),
    ),
    HandOutTold.CODE_SPENT: (
        N_("This code is no good any more. Ask for a new one."),
        N_("It has been used, or its 15 minutes are over. The key is still blank, and OFF."),
    ),
    HandOutTold.NUMBER_TAKEN: (
        N_("This number belongs to another key. Ask for a new number."),
        N_("A number is never given to a second key. This one is still blank, and OFF."),
    ),
    HandOutTold.BAD_PROOF: (
        N_("This key cannot prove which it is. Take it out."),
        N_("It is still blank, and OFF. Hand it to your coordinator, and take another blank key."),
    ),
    HandOutTold.NO_ANSWER: (
        N_("No answer. Type the same code again, and #."),
        N_("The central system did not answer. The key is still blank, and OFF. The code is good for 15 minutes."),
    ),
    HandOutTold.REFUSED: (
        N_("This station may not hand out keys. Use another station."),
        N_("The central system refuses it. The key is still blank, and OFF."),
    ),
    HandOutTold.KEY_FAULT: (
        N_("The key did not take it. Take it out and put it in again."),
        N_("It is OFF. Then type the same code. If this happens again, hand the key to your coordinator."),
    ),
}
"""For `Line.BLANK` after a code that did not hand the key out."""
CODE_DIGITS_LOST = N_("Not all digits got through: press # and type the whole code.")
"""As `DIGITS_LOST`, for `Line.BLANK`."""

WRONG_PIN_OF_POOL_KEY = N_("Not accepted. Check the PIN.")
"""For `Line.WRONG_PIN` on a key that is nobody's own: one wording, whether the PIN is anybody's or not."""
POOL_KEY_IS_FOR: Mapping[KeyKind, tuple[str, str]] = {
    KeyKind.SUBSTITUTE: (
        N_("This key is for hourly staff of {unit}; permanent staff take an emergency key."),
        N_("This key is for hourly staff; permanent staff take an emergency key."),
    ),
    KeyKind.EMERGENCY: (
        N_("This key of {unit} is for permanent staff; hourly staff take a substitute key."),
        N_("This key is for permanent staff; hourly staff take a substitute key."),
    ),
}
"""Said after it, with the name of the key's unit, and where that is not known."""

ONLY_OFF = (
    N_("This station can only switch keys OFF."),
    N_("Going home: put the key in. To start, use another station."),
)
"""The empty screen of a station with a `OffOnlyReason`."""
STARTING = (N_("Starting …"), N_("Ready in a moment. A key that is put in is switched OFF."))
"""That of one that has only just been started."""

HINDRANCES: Mapping[OffOnlyReason, str] = {
    OffOnlyReason.CLOCK: N_("It does not know the time."),
    OffOnlyReason.NO_MIRROR: N_("It has no data from the central system yet."),
    OffOnlyReason.MIRROR_TOO_OLD: N_("Its data is too old."),
    OffOnlyReason.CERTIFICATE: N_("Its own permit has ended."),
    OffOnlyReason.NOT_ENROLLED: N_("It has not been set up."),
    OffOnlyReason.DISK: N_("Its storage does not work."),
    OffOnlyReason.BLOCKED: N_("It is blocked: locks do not believe it any more."),
    OffOnlyReason.STARTING: N_("It is starting."),
}

SHORTENED: Mapping[Shortened, str] = {
    Shortened.WINDOW: N_("Shorter than usual: your permit is only for that time of day."),
    Shortened.PERMIT: N_("Shorter than usual: your permit ends then."),
    Shortened.CERTIFICATE: N_("Shorter than usual: the station's own permit ends then."),
}

TONES: Mapping[Line, Tone] = {
    Line.EMPTY: Tone.QUIET,
    Line.READING: Tone.BUSY,
    Line.PROMPT: Tone.OFF,
    Line.WRONG_PIN: Tone.ATTENTION,
    Line.WAIT: Tone.ATTENTION,
    Line.CHECKING: Tone.BUSY,
    Line.ACTIVATING: Tone.BUSY,
    Line.READY: Tone.ON,
    Line.REFUSED: Tone.FAULT,
    Line.STILL_ON: Tone.FAULT,
    Line.UNREADABLE: Tone.FAULT,
    Line.BLANK: Tone.OFF,
    Line.HANDING_OUT: Tone.BUSY,
    Line.HANDED_OUT: Tone.OFF,
    Line.OUT_HANDING_OUT: Tone.ATTENTION,
    Line.LEFT_IN: Tone.OFF,
    Line.OUT_OFF: Tone.OFF,
    Line.OUT_READY: Tone.ON,
    Line.OUT_EARLY: Tone.ATTENTION,
    Line.OUT_UNSURE: Tone.FAULT,
    Line.READER_BROKEN: Tone.FAULT,
}

OFF, ON = N_("OFF"), N_("ON")
PERHAPS_ON = N_("ON?")
UNKNOWN = "?"
BUSY = "..."
"""Something is being done to the key."""

KEY_STATES: Mapping[Line, str] = {
    Line.EMPTY: "",
    Line.READING: BUSY,
    Line.PROMPT: OFF,
    Line.WRONG_PIN: OFF,
    Line.WAIT: OFF,
    Line.CHECKING: BUSY,
    Line.ACTIVATING: BUSY,
    Line.READY: ON,
    Line.REFUSED: OFF,
    Line.STILL_ON: PERHAPS_ON,
    Line.UNREADABLE: OFF,
    Line.BLANK: OFF,
    Line.HANDING_OUT: BUSY,
    Line.HANDED_OUT: OFF,
    Line.OUT_HANDING_OUT: OFF,
    Line.LEFT_IN: OFF,
    Line.OUT_OFF: OFF,
    Line.OUT_READY: ON,
    Line.OUT_EARLY: OFF,
    Line.OUT_UNSURE: PERHAPS_ON,
    Line.READER_BROKEN: "",
}
"""The state of the key in one word. That alone is to be understood without colours."""
