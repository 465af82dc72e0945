"""Words for the two boxes: the activation box's short ones, and the update box's renewing instead of switching on."""

import gettext

from station.display.screen import Line, Screen, Status
from ui import sentences
from ui.sentences import N_, Tone

REFUSED = Tone.FAULT
"""It is not switched on here, or its state is not known."""

LAMPS = {
    Line.EMPTY: Tone.QUIET,
    Line.READING: Tone.OFF,
    Line.PROMPT: Tone.OFF,
    Line.WRONG_PIN: REFUSED,
    Line.WAIT: REFUSED,
    Line.CHECKING: Tone.OFF,
    Line.ACTIVATING: Tone.OFF,
    Line.READY: Tone.ON,
    Line.REFUSED: REFUSED,
    Line.STILL_ON: REFUSED,
    Line.UNREADABLE: REFUSED,
    Line.BLANK: REFUSED,
    Line.HANDING_OUT: REFUSED,
    Line.HANDED_OUT: REFUSED,
    Line.OUT_HANDING_OUT: REFUSED,
    Line.LEFT_IN: Tone.OFF,
    Line.OUT_OFF: Tone.OFF,
    Line.OUT_READY: Tone.ON,
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


def lamp(screen: Screen) -> Tone:
    """The activation box's lamp: a refusal stays for as long as what is said of it."""
    if screen.line is Line.EMPTY and screen.status.off_only is not None:
        return REFUSED
    if screen.line is Line.OUT_OFF and sentences.refused(screen) is not None:
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
            return (N_("To switch it ON: PIN and #."),)
        case Line.WRONG_PIN:
            return (N_("Wrong PIN. Try again: PIN and #."),)
        case Line.REFUSED | Line.OUT_OFF if (said := sentences.refused(screen)) is not None:
            return said[:2]
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
    strip = (translation.gettext("Activation box {number}").format(number=status.station),)
    return (*strip, translation.gettext("settings file broken")) if status.config_rejected else strip
