"""From a snapshot to the words that a person reads: pure text, shared by the kiosk, the screenless player and tests."""

import gettext
from dataclasses import dataclass
from typing import assert_never

from station.core.aside import View
from station.core.facts import Refusal
from station.core.screen import Beside, Line, Progress, Screen, Status
from station.records.claims import KeyKind, Role
from ui import beside, box_lamp, codes, elsewhere, receipts, sentences, times
from ui.glyphs import printable
from ui.help_pages import Lamp
from ui.languages import catalogue, chosen
from ui.sentences import Tone


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
    notes: tuple[str, ...] = ()
    """Further sentences, the most important first: where there is little room, the last are left out."""
    lamps: tuple[Lamp, ...] = ()
    """Lights to be drawn, with what they mean."""
    progress: Progress | None = None
    dark: bool = False
    """Standby: nothing but the last part of the strip."""
    qr: str = ""
    """What to draw as a QR code instead of `figure`, where it fits."""

    def __str__(self) -> str:
        rest = " ".join(part for part in (self.small, *(lamp.meaning for lamp in self.lamps), *self.notes) if part)
        return f"{self.big} | {rest}" if rest else self.big


def words(screen: Screen, language: str) -> Words:
    """What ``screen`` says, in the holder's language once known, else in ``language`` (the station's)."""
    tongue = chosen(screen.language, language)
    speech = catalogue(tongue)
    if screen.beside is not None:
        return _beside(screen, screen.beside, tongue, speech)
    if screen.status.role is Role.ACTIVATION_BOX:
        return _box(screen, tongue, speech)
    figure = _figure(screen)
    lamp = sentences.LAMPS[screen.line]
    fault = screen.line is Line.READER_BROKEN or (screen.line is Line.EMPTY and screen.status.hindrance is not None)
    return Words(
        tone=_tone(screen),
        lamp=speech.gettext(lamp) if lamp else "",
        big=_big(screen, speech),
        figure=codes.fault_digits(screen) if fault else figure,
        mask=0 if figure or screen.status.role is Role.UPDATE_BOX else screen.digits,
        small=" ".join(part for part in _small(screen, speech) if part),
        code=codes.support_code(screen),
        status=_status(screen.status, speech),
        notes=(*elsewhere.notes(screen, tongue, speech), *_notes(screen, speech)),
        progress=screen.progress,
        qr=codes.fault_message(screen) if fault else "",
    )


def _box(screen: Screen, tongue: str, speech: gettext.NullTranslations) -> Words:
    """An activation box is a lamp: one of three colours, each with its shape and its word, and a short reason."""
    lamp = box_lamp.lamp(screen)
    figure = _figure(screen)
    end = screen.receipt.expires if screen.receipt is not None else screen.still_on_until
    fault = screen.line is Line.READER_BROKEN or (screen.line is Line.EMPTY and screen.status.hindrance is not None)
    big, *reason = box_lamp.sentences_of(screen) if screen.off_in_s is None else _pair(screen)
    return Words(
        tone=lamp.tone,
        lamp=speech.gettext(lamp.sign) if lamp.sign else "",
        big=speech.gettext(big).format(
            until="" if end is None else times.until_on(screen.status, end, speech),
            wait=times.countdown(screen.off_in_s or 0),
        ),
        figure=codes.fault_digits(screen) if fault else figure,
        mask=0 if figure else screen.digits,
        small=" ".join(speech.gettext(part) for part in reason if part),
        code=codes.support_code(screen),
        status=box_lamp.status(screen.status, speech),
        notes=(
            *([_hindrance(screen.status, speech)] if screen.status.hindrance is not None else []),
            *elsewhere.notes(screen, tongue, speech),
        ),
        progress=screen.progress,
        qr=codes.fault_message(screen) if fault else "",
    )


def _beside(screen: Screen, shown: Beside, tongue: str, speech: gettext.NullTranslations) -> Words:
    standby = shown.view is View.STANDBY
    status = _status(screen.status, speech)
    return Words(
        tone=Tone.QUIET,
        lamp="",
        big=beside.big(shown, screen.status, speech),
        figure="",
        mask=shown.digits,
        small=beside.small(shown, speech),
        code="" if standby else codes.support_code(screen),
        status=status[-1:] if standby else status,
        notes=tuple(beside.notes(shown, screen, tongue, speech)),
        lamps=beside.lamps(shown, speech),
        dark=standby,
    )


def _notes(screen: Screen, speech: gettext.NullTranslations) -> list[str]:
    """Further sentences, the most important first."""
    match screen.line:
        case Line.EMPTY:
            return [part for part in (_hindrance(screen.status, speech), speech.gettext(sentences.HELP)) if part]
        case Line.REFUSED if screen.refusal is Refusal.STATION and screen.status.hindrance is not None:
            return [_hindrance(screen.status, speech)]
        case Line.PROMPT | Line.WRONG_PIN:
            mistyped = [speech.gettext(sentences.MISTYPED)] if screen.digits else []
            return [*mistyped, *receipts.notes(screen, speech)]
        case Line.READY | Line.OUT_READY | Line.OUT_OFF | Line.LEFT_IN:
            return receipts.notes(screen, speech)
        case _:
            return []


def _tone(screen: Screen) -> Tone:
    if screen.line is Line.EMPTY and screen.status.hindrance is not None:
        return Tone.ATTENTION
    if screen.off_in_s is not None:
        return Tone.ATTENTION
    return sentences.TONES[screen.line]


def _figure(screen: Screen) -> str:
    if screen.line is Line.WAIT and screen.wait_s is not None:
        return times.countdown(screen.wait_s)
    if screen.off_in_s is not None:
        return times.countdown(screen.off_in_s)
    if screen.receipt is not None and screen.line in {Line.READY, Line.OUT_READY}:
        return times.time_of_day(screen.receipt.expires, screen.status.time_zone)
    return ""


def _pair(screen: Screen) -> tuple[str, str]:
    """The untranslated big and small sentence for the line, or for the refusal that it stands for."""
    if screen.flickering:
        return sentences.FLICKERING
    if screen.line is Line.READY and screen.off_in_s is not None:
        return sentences.LEFT_IN_SOON, ""
    if screen.status.role is Role.UPDATE_BOX and (renewal := box_lamp.renewal(screen)) is not None:
        return renewal
    match screen.line:
        case Line.EMPTY if screen.status.hindrance is not None:
            return sentences.ONLY_OFF
        case Line.OUT_UNSURE if screen.halfway:
            return sentences.OUT_HALFWAY
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
        until="" if expires is None else times.until_on(screen.status, expires, speech),
        wait=times.countdown(screen.off_in_s or screen.wait_s or 0),
    )


def _small(screen: Screen, speech: gettext.NullTranslations) -> list[str]:
    fixed = _pair(screen)[1]
    parts = [speech.gettext(fixed)] if fixed else []
    match screen.line:
        case Line.PROMPT:
            parts.append(_whose(screen, speech))
        case Line.READY | Line.OUT_READY:
            if screen.receipt is not None:
                parts += receipts.small(screen.receipt, speech)
        case Line.OUT_UNSURE:
            if screen.still_on_until is not None:
                end = times.until_on(screen.status, screen.still_on_until, speech)
                parts.append(speech.gettext(sentences.STILL_ON_AT_MOST).format(until=end))
        case (
            Line.EMPTY
            | Line.REFUSED
            | Line.READING
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
    if screen.holder_name is not None:
        return speech.gettext("Key {key}, {name}.").format(key=screen.key, name=printable(screen.holder_name))
    match screen.kind:
        case KeyKind.SUBSTITUTE:
            return speech.gettext("Substitute key {key}.").format(key=screen.key)
        case KeyKind.EMERGENCY:
            return speech.gettext("Emergency key {key}.").format(key=screen.key)
        case _:
            return speech.gettext("Key {key}.").format(key=screen.key)


def _hindrance(status: Status, speech: gettext.NullTranslations) -> str:
    return "" if status.hindrance is None else speech.gettext(sentences.HINDRANCES[status.hindrance])


def _status(status: Status, speech: gettext.NullTranslations) -> tuple[str, ...]:
    network = _network(status, speech)
    if status.mirror_age_s is None:
        data = speech.gettext("no data")
    else:
        data = speech.gettext("data {age}").format(age=times.age(status.mirror_age_s, speech))
    clock = times.time_of_day(status.unix_s, status.time_zone) if status.clock_trusted else speech.gettext("no time")
    box = status.role is Role.UPDATE_BOX
    name = speech.gettext("Update box {number}") if box else speech.gettext("Station {number}")
    strip = (name.format(number=status.station), network, data, clock)
    return (*strip, speech.gettext("settings file broken")) if status.config_rejected else strip


def _network(status: Status, speech: gettext.NullTranslations) -> str:
    if status.online:
        return speech.gettext("online")
    if status.offline_since is None or not status.clock_trusted:
        return speech.gettext("OFFLINE")
    since = times.until_on(status, status.offline_since, speech)
    return speech.gettext("OFFLINE since {time}").format(time=since)
