"""Finds the words for the two boxes: the activation box's lamp, and the update box's renewing instead of switching on.

The lamp has three colours. None of them is alone: a shape and a word say the same.
"""

import gettext
from dataclasses import dataclass

from station.display.screen import Line, Screen, Status
from ui import sentences, times
from ui.sentences import N_, Tone


@dataclass(frozen=True, slots=True)
class BoxLamp:
    """How the lamp shines, and its shape and word."""

    tone: Tone
    sign: str


DARK = BoxLamp(Tone.QUIET, "")
SEEN = BoxLamp(Tone.OFF, N_("■ SEEN"))
"""Blue: the key has been seen, and is off."""
ACTIVE = BoxLamp(Tone.ON, N_("● ACTIVE"))
"""Green."""
REFUSED = BoxLamp(Tone.FAULT, N_("▲ REFUSED"))
"""Red: it is not switched on here, or its state is not known."""

LAMPS = {
    Line.EMPTY: DARK,
    Line.READING: SEEN,
    Line.PROMPT: SEEN,
    Line.WRONG_PIN: REFUSED,
    Line.WAIT: REFUSED,
    Line.CHECKING: SEEN,
    Line.ACTIVATING: SEEN,
    Line.READY: ACTIVE,
    Line.REFUSED: REFUSED,
    Line.STILL_ON: REFUSED,
    Line.UNREADABLE: REFUSED,
    Line.BLANK: REFUSED,
    Line.HANDING_OUT: REFUSED,
    Line.HANDED_OUT: REFUSED,
    Line.OUT_HANDING_OUT: REFUSED,
    Line.LEFT_IN: SEEN,
    Line.OUT_OFF: SEEN,
    Line.OUT_READY: ACTIVE,
    Line.OUT_EARLY: REFUSED,
    Line.OUT_UNSURE: REFUSED,
    Line.READER_BROKEN: REFUSED,
}

RENEWALS = {
    Line.EMPTY: (N_("Press the button on the key and put it in. It is renewed at once."), ""),
    Line.READING: (N_("Reading the key. Leave it in."), N_("It is OFF until it has been renewed.")),
    Line.ACTIVATING: (N_("Renewing the key. Leave it in."), ""),
    Line.READY: (N_("Key is renewed until {until}. Take it out."), ""),
    Line.OUT_READY: (N_("Key is renewed until {until}."), ""),
    Line.LEFT_IN: (
        N_("Key is OFF again. Take it out."),
        N_("It was left in too long. To renew it, take it out and put it in again."),
    ),
}
"""An update box asks for no PIN: what it says where a station would."""


def lamp(screen: Screen) -> BoxLamp:
    """The activation box's lamp."""
    if screen.line is Line.EMPTY and screen.status.off_only is not None:
        return REFUSED
    return LAMPS[screen.line]


def sentences_of(screen: Screen) -> tuple[str, ...]:
    """Untranslated: what to do, then the short reason, if there is one."""
    match screen.line:
        case _ if screen.flickering:
            return sentences.FLICKERING
        case Line.EMPTY if screen.status.off_only is not None:
            return (N_("This box can only switch keys OFF."),)
        case Line.EMPTY:
            return (N_("Put the key in."),)
        case Line.PROMPT:
            return (N_("Key is OFF. To switch it ON: PIN and #."),)
        case Line.WRONG_PIN:
            return (N_("Wrong PIN. Try again: PIN and #."),)
        case Line.REFUSED if screen.refusal is not None:
            return sentences.REFUSALS[screen.refusal]
        case Line.WAIT:
            return (N_("Too many wrong PINs. Wait."),)
        case Line.STILL_ON if screen.still_on_until is None:
            return (sentences.STILL_ON_UNKNOWN,)
        case Line.READY | Line.OUT_READY if screen.receipt is None:
            return sentences.LINES[Line.OUT_UNSURE]
        case line:
            return sentences.LINES[line]


def renewal(screen: Screen) -> tuple[str, str] | None:
    """The update box's own words for the line; None: those of a station."""
    if screen.line in {Line.READY, Line.OUT_READY} and screen.receipt is None:
        return None
    return RENEWALS.get(screen.line)


def status(status: Status, translation: gettext.NullTranslations) -> tuple[str, ...]:
    """The box's quiet strip: it has no network to be without, and no data to grow old."""
    clock = times.clock(status, translation)
    strip = (translation.gettext("Activation box {number}").format(number=status.station), clock)
    return (*strip, translation.gettext("settings file broken")) if status.config_rejected else strip
