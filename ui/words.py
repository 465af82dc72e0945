"""From a snapshot to the words that a person reads: pure text, shared by the kiosk, the screenless player and tests."""

import gettext
from dataclasses import dataclass
from typing import assert_never

from station.core.facts import Refusal
from station.core.screen import Line, Receipt, Screen, Status
from ui import sentences, times
from ui.codes import support_code
from ui.glyphs import printable
from ui.languages import catalogue, chosen
from ui.sentences import Tone

NAMES_LIMIT = 32
"""Characters of area names in a receipt; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Words:
    """A whole screen in words. Everything is in one language, free of secrets, and of glyphs that a console lacks."""

    tone: Tone
    lamp: str
    """The state of the key, as a shape and a word; empty when there is none."""
    big: str
    """What to do now."""
    figure: str
    """A time of day or a countdown, to be drawn large; empty when there is none."""
    mask: int
    """How many digits have been typed."""
    small: str
    """Why, and what state the key is in."""
    code: str
    """For support on the telephone."""
    status: tuple[str, ...]
    """The quiet strip, in parts: station, network, age of the data, time of day."""

    def __str__(self) -> str:
        return f"{self.big} | {self.small}" if self.small else self.big


def words(screen: Screen, language: str) -> Words:
    """What ``screen`` says, in the holder's language once known, else in ``language`` (the station's)."""
    speech = catalogue(chosen(screen.language, language))
    figure = _figure(screen)
    return Words(
        tone=_tone(screen),
        lamp=speech.gettext(sentences.LAMPS[screen.line]) if sentences.LAMPS[screen.line] else "",
        big=_big(screen, speech),
        figure=figure,
        mask=0 if figure else screen.digits,
        small=" ".join(part for part in _small(screen, speech) if part),
        code=support_code(screen),
        status=_status(screen.status, speech),
    )


def _tone(screen: Screen) -> Tone:
    if screen.line is Line.EMPTY and screen.status.hindrance is not None:
        return Tone.ATTENTION
    return sentences.TONES[screen.line]


def _figure(screen: Screen) -> str:
    if screen.line is Line.WAIT and screen.wait_s is not None:
        return times.countdown(screen.wait_s)
    if screen.receipt is not None and screen.line in {Line.READY, Line.OUT_READY}:
        return times.time_of_day(screen.receipt.expires, screen.status.time_zone)
    return ""


def _until(unix_s: int, screen: Screen, speech: gettext.NullTranslations) -> str:
    # A clock that nothing vouches for does not know what day it is: the far past makes the whole date appear.
    now_s = screen.status.unix_s if screen.status.clock_trusted else 0
    return times.until(unix_s, now_s, screen.status.time_zone, speech)


def _pair(screen: Screen) -> tuple[str, str]:
    """The untranslated big and small sentence for the line, or for the refusal that it stands for."""
    match screen.line:
        case Line.EMPTY if screen.status.hindrance is not None:
            return sentences.ONLY_OFF
        case Line.STILL_ON if screen.still_on_until is None:
            return sentences.STILL_ON_UNKNOWN, sentences.LINES[Line.STILL_ON][1]
        case Line.REFUSED if screen.refusal is not None:
            return sentences.REFUSALS[screen.refusal]
        case Line.WRONG_PIN if screen.refusal is not None:
            return sentences.REFUSALS[screen.refusal]
        case Line.READY | Line.OUT_READY if screen.receipt is None:
            return sentences.LINES[Line.OUT_UNSURE]
        case line:
            return sentences.LINES[line]


def _big(screen: Screen, speech: gettext.NullTranslations) -> str:
    sentence = speech.gettext(_pair(screen)[0])
    expires = screen.receipt.expires if screen.receipt is not None else screen.still_on_until
    return sentence.format(
        until="" if expires is None else _until(expires, screen, speech),
        wait=times.countdown(screen.wait_s or 0),
    )


def _small(screen: Screen, speech: gettext.NullTranslations) -> list[str]:
    fixed = _pair(screen)[1]
    parts = [speech.gettext(fixed)] if fixed else []
    match screen.line:
        case Line.PROMPT:
            parts += [_whose(screen, speech), _clock_note(screen, speech)]
        case Line.READY | Line.OUT_READY:
            if screen.receipt is not None:
                parts += _receipt(screen.receipt, speech)
            parts.append(_clock_note(screen, speech))
        case Line.OUT_UNSURE:
            if screen.still_on_until is not None:
                end = _until(screen.still_on_until, screen, speech)
                parts.append(speech.gettext(sentences.STILL_ON_AT_MOST).format(until=end))
        case Line.EMPTY:
            parts.append(_hindrance(screen.status, speech))
        case Line.REFUSED:
            if screen.refusal is Refusal.STATION:
                parts.append(_hindrance(screen.status, speech))
        case (
            Line.READING
            | Line.WRONG_PIN
            | Line.WAIT
            | Line.CHECKING
            | Line.ACTIVATING
            | Line.STILL_ON
            | Line.UNREADABLE
            | Line.LEFT_IN
            | Line.OUT_OFF
            | Line.OUT_EARLY
            | Line.READER_BROKEN
        ):
            pass
        case never:  # pragma: no cover
            assert_never(never)
    return parts


def _whose(screen: Screen, speech: gettext.NullTranslations) -> str:
    if screen.key is None:
        return ""
    if screen.holder_name is None:
        return speech.gettext("Key {key}.").format(key=screen.key)
    return speech.gettext("Key {key}, {name}.").format(key=screen.key, name=printable(screen.holder_name))


def _clock_note(screen: Screen, speech: gettext.NullTranslations) -> str:
    return speech.gettext("The key had lost power; its clock is set again.") if screen.clock_was_unset else ""


def _hindrance(status: Status, speech: gettext.NullTranslations) -> str:
    return "" if status.hindrance is None else speech.gettext(sentences.HINDRANCES[status.hindrance])


def _receipt(receipt: Receipt, speech: gettext.NullTranslations) -> list[str]:
    parts = [] if receipt.shortened is None else [speech.gettext(sentences.SHORTENED[receipt.shortened])]
    parts.append(_where(receipt, speech))
    if not receipt.online:
        parts.append(speech.gettext("Data from {age} ago.").format(age=times.age(receipt.mirror_age_s, speech)))
    return parts


def _where(receipt: Receipt, speech: gettext.NullTranslations) -> str:
    """What the key opens: ``Opens all areas.``, ``Opens 2 areas (Norr, Söder) and 3 boxes.``."""
    count = len(receipt.areas)
    if receipt.every_area:
        areas = speech.gettext("all areas")
    elif count:
        areas = speech.ngettext("{count} area", "{count} areas", count).format(count=count)
        names = _names(receipt.area_names)
        areas = f"{areas} ({names})" if names else areas
    else:
        areas = ""
    boxes = speech.ngettext("{count} box", "{count} boxes", receipt.locks).format(count=receipt.locks)
    if areas and receipt.locks:
        return speech.gettext("Opens {areas} and {boxes}.").format(areas=areas, boxes=boxes)
    return speech.gettext("Opens {what}.").format(what=areas or boxes)


def _names(names: tuple[str, ...]) -> str:
    """As many names as there is room for, at least one; ``…`` for the rest."""
    shown: list[str] = []
    for name in names:
        short = printable(name, NAMES_LIMIT)
        if shown and len(", ".join([*shown, short])) > NAMES_LIMIT:
            return ", ".join([*shown, "…"])
        shown.append(short)
    return ", ".join(shown)


def _status(status: Status, speech: gettext.NullTranslations) -> tuple[str, ...]:
    network = speech.gettext("online") if status.online else speech.gettext("OFFLINE")
    if status.mirror_age_s is None:
        data = speech.gettext("no data")
    else:
        data = speech.gettext("data {age}").format(age=times.age(status.mirror_age_s, speech))
    clock = times.time_of_day(status.unix_s, status.time_zone) if status.clock_trusted else speech.gettext("no time")
    return (speech.gettext("Station {number}").format(number=status.station), network, data, clock)
