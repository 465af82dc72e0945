"""From a snapshot to the words that a person reads: pure text, shared by the kiosk, the screenless player and tests."""

import gettext
from dataclasses import dataclass
from typing import assert_never

from station.display.idle import View
from station.display.screen import IdlePage, Line, Progress, Screen, Status
from station.records.claims import KeyKind, Role
from station.rules.facts import OffOnlyReason, Refusal
from ui import box_words, idle_pages, receipts, sentences, support, times
from ui.glyphs import printable
from ui.idle_pages import HelpLight
from ui.languages import catalogue, chosen
from ui.sentences import Tone


@dataclass(frozen=True, slots=True)
class Words:
    """A whole screen in words. Everything is in one language, free of secrets, and of glyphs that a console lacks."""

    tone: Tone
    key_state: str = ""
    """As a shape and a word; empty when there is none."""
    instruction: str = ""
    """What to do now."""
    figure: str = ""
    """A time of day, a countdown or a fault's digits, to be drawn large; empty when there is none."""
    digits_typed: int = 0
    reason: str = ""
    """Why, and whose key it is."""
    support_code: str = ""
    """For support on the telephone."""
    status: tuple[str, ...] = ()
    """How the station is doing, in parts: its number, network, age of the data, time of day."""
    notes: tuple[str, ...] = ()
    """Further sentences, the most important first: where there is little room, the last are shown in turn."""
    lights: tuple[HelpLight, ...] = ()
    """Lights to be drawn, with what they mean."""
    progress: Progress | None = None
    fault_message: str = ""
    """What to draw as a QR code instead of `figure`, where it fits."""

    def __str__(self) -> str:
        rest = " ".join(part for part in (self.reason, *(shown.meaning for shown in self.lights), *self.notes) if part)
        return f"{self.instruction} | {rest}" if rest else self.instruction


NOTHING = Words(Tone.QUIET)
"""Before the station has said anything."""


def words(screen: Screen, language: str) -> Words:
    """What ``screen`` says, in the holder's language once known, else in ``language`` (the station's)."""
    language = chosen(screen.language, language)
    translation = catalogue(language)
    if screen.idle_page is not None:
        return _idle(screen, screen.idle_page, language, translation)
    if screen.status.role is Role.ACTIVATION_BOX:
        return _activation_box(screen, language, translation)
    figure = _figure(screen)
    return Words(
        tone=_tone(screen),
        key_state=_translated(sentences.UNKNOWN if screen.unseen else sentences.KEY_STATES[screen.line], translation),
        instruction=_instruction(screen, translation),
        figure=support.fault_digits(screen) if _is_fault(screen) else figure,
        digits_typed=0 if figure or screen.status.role is Role.UPDATE_BOX else screen.digits,
        reason=" ".join(part for part in _reasons(screen, translation) if part),
        support_code=support.support_code(screen),
        status=_status(screen.status, translation),
        notes=(*support.contacts(screen, language, translation), *_notes(screen, translation)),
        progress=screen.progress,
        fault_message=support.fault_message(screen) if _is_fault(screen) else "",
    )


def _activation_box(screen: Screen, language: str, translation: gettext.NullTranslations) -> Words:
    """An activation box is a lamp: one of three colours, each with its shape and its word, and a short reason."""
    lamp = box_words.lamp(screen)
    figure = _figure(screen)
    end = screen.receipt.expires if screen.receipt is not None else screen.still_on_until
    instruction, *reason = box_words.sentences_of(screen) if screen.off_in_s is None else _sentences(screen)
    return Words(
        tone=lamp.tone,
        key_state=_translated(lamp.sign, translation),
        instruction=translation.gettext(instruction).format(
            until="" if end is None else times.until_on(screen.status, end, translation),
            wait=times.countdown(screen.off_in_s or 0),
        ),
        figure=support.fault_digits(screen) if _is_fault(screen) else figure,
        digits_typed=0 if figure else screen.digits,
        reason=" ".join(translation.gettext(part) for part in reason if part),
        support_code=support.support_code(screen),
        status=box_words.status(screen.status, translation),
        notes=(
            *([_off_only_reason(screen.status, translation)] if screen.status.off_only is not None else []),
            *support.contacts(screen, language, translation),
        ),
        progress=screen.progress,
        fault_message=support.fault_message(screen) if _is_fault(screen) else "",
    )


def _idle(screen: Screen, shown: IdlePage, language: str, translation: gettext.NullTranslations) -> Words:
    status = _status(screen.status, translation)
    if shown.view is View.STANDBY:
        return Words(Tone.QUIET, status=status[-1:])
    return Words(
        Tone.QUIET,
        instruction=idle_pages.instruction(shown, screen.status, translation),
        digits_typed=shown.digits,
        reason=idle_pages.reason(shown, translation),
        support_code=support.support_code(screen),
        status=status,
        notes=tuple(idle_pages.notes(shown, screen, language, translation)),
        lights=idle_pages.lights(shown, translation),
    )


def _translated(text: str, translation: gettext.NullTranslations) -> str:
    """``text``, which may be empty: for that gettext has the catalogue's header."""
    return translation.gettext(text) if text else ""


def _is_fault(screen: Screen) -> bool:
    """Whether somebody will have to be called about the station."""
    return screen.line is Line.READER_BROKEN or _only_switches_off(screen)


def _only_switches_off(screen: Screen) -> bool:
    """Whether this is the empty screen of a station that cannot activate."""
    return screen.line is Line.EMPTY and screen.status.off_only not in {None, OffOnlyReason.STARTING}


def _is_starting(screen: Screen) -> bool:
    return screen.line is Line.EMPTY and screen.status.off_only is OffOnlyReason.STARTING


def _notes(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    """Further sentences, the most important first."""
    match screen.line:
        case Line.EMPTY:
            off_only = _off_only_reason(screen.status, translation) if _only_switches_off(screen) else ""
            return [*([off_only] if off_only else []), translation.gettext(sentences.HELP)]
        case Line.REFUSED if screen.refusal is Refusal.STATION and screen.status.off_only is not None:
            return [_off_only_reason(screen.status, translation)]
        case Line.PROMPT | Line.WRONG_PIN:
            hint = sentences.DIGITS_LOST if screen.digits_lost else sentences.MISTYPED if screen.digits else ""
            return [
                *_tries_left(screen, translation),
                *([translation.gettext(hint)] if hint else []),
                *receipts.notes(screen, translation),
            ]
        case Line.WAIT:
            return _tries_left(screen, translation)
        case Line.BLANK:
            return [translation.gettext(sentences.CODE_DIGITS_LOST)] if screen.digits_lost else []
        case Line.READY | Line.OUT_READY | Line.OUT_OFF | Line.LEFT_IN:
            return receipts.notes(screen, translation)
        case _:
            return []


def _tone(screen: Screen) -> Tone:
    if _only_switches_off(screen) or screen.off_in_s is not None:
        return Tone.ATTENTION
    if screen.line is Line.BLANK and _of_blank_key(screen) != sentences.LINES[Line.BLANK]:
        return Tone.ATTENTION
    return sentences.TONES[screen.line]


def _figure(screen: Screen) -> str:
    if screen.line in {Line.WAIT, Line.BLANK} and screen.wait_s is not None:
        return times.countdown(screen.wait_s)
    if screen.off_in_s is not None:
        return times.countdown(screen.off_in_s)
    if screen.receipt is not None and screen.line in {Line.READY, Line.OUT_READY}:
        return times.time_of_day(screen.receipt.expires, screen.status.time_zone)
    return ""


def _sentences(screen: Screen) -> tuple[str, str]:
    """The untranslated instruction and reason for the line, or for the refusal that it stands for."""
    if screen.flickering:
        return sentences.FLICKERING
    if _only_switches_off(screen):
        return sentences.ONLY_OFF
    if _is_starting(screen):
        return sentences.STARTING
    if screen.line is Line.READY and screen.off_in_s is not None:
        return sentences.LEFT_IN_SOON, ""
    if screen.status.role is Role.UPDATE_BOX and (renewal := box_words.renewal(screen)) is not None:
        return renewal
    match screen.line:
        case Line.OUT_UNSURE if screen.halfway or screen.unseen:
            return sentences.OUT_HALFWAY if screen.halfway else sentences.OUT_UNSEEN
        case Line.STILL_ON if screen.still_on_until is None:
            return sentences.STILL_ON_UNKNOWN, sentences.LINES[Line.STILL_ON][1]
        case Line.REFUSED if screen.refusal is not None:
            return sentences.REFUSALS[screen.refusal]
        case Line.BLANK:
            return _of_blank_key(screen)
        case Line.WRONG_PIN if screen.kind in sentences.POOL_KEY_IS_FOR:
            return sentences.WRONG_PIN_OF_POOL_KEY, ""
        case Line.READY | Line.OUT_READY if screen.receipt is None:
            return sentences.LINES[Line.OUT_UNSURE]
        case line:
            return sentences.LINES[line]


def _of_blank_key(screen: Screen) -> tuple[str, str]:
    if not screen.status.online:
        return sentences.NO_CONNECTION_TO_HAND_OUT
    if screen.wait_s is not None:
        return sentences.HAND_OUT_WAIT
    return sentences.LINES[Line.BLANK] if screen.hand_out is None else sentences.NOT_HANDED_OUT[screen.hand_out]


def _tries_left(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    left = screen.tries_left
    if left is None:
        return []
    said = translation.ngettext(
        "{count} try is left before the key locks.", "{count} tries are left before the key locks.", left
    )
    return [said.format(count=left)]


def _instruction(screen: Screen, translation: gettext.NullTranslations) -> str:
    sentence = translation.gettext(_sentences(screen)[0])
    expires = screen.receipt.expires if screen.receipt is not None else screen.still_on_until
    return sentence.format(
        until="" if expires is None else times.until_on(screen.status, expires, translation),
        wait=times.countdown(screen.off_in_s or screen.wait_s or 0),
    )


def _reasons(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    fixed = _sentences(screen)[1]
    parts = [translation.gettext(fixed)] if fixed else []
    match screen.line:
        case Line.PROMPT:
            parts.append(_whose(screen, translation))
        case Line.HANDED_OUT:
            parts.insert(0, _whose(screen, translation))
        case Line.WRONG_PIN if screen.kind is not None:
            parts.append(_whom_a_pool_key_is_for(screen, screen.kind, translation))
        case Line.READY | Line.OUT_READY:
            if screen.receipt is not None:
                parts += receipts.reasons(screen.receipt, translation)
        case Line.OUT_UNSURE:
            if screen.still_on_until is not None:
                end = times.until_on(screen.status, screen.still_on_until, translation)
                parts.append(translation.gettext(sentences.STILL_ON_AT_MOST).format(until=end))
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
            | Line.BLANK
            | Line.HANDING_OUT
            | Line.OUT_HANDING_OUT
            | Line.LEFT_IN
            | Line.OUT_OFF
            | Line.OUT_EARLY
            | Line.READER_BROKEN
        ):
            pass
        case never:  # pragma: no cover
            assert_never(never)
    return parts


def _whose(screen: Screen, translation: gettext.NullTranslations) -> str:
    if screen.key is None:
        return ""
    if screen.holder_name is not None:
        return translation.gettext("Key {key}, {name}.").format(key=screen.key, name=printable(screen.holder_name))
    match screen.kind:
        case KeyKind.SUBSTITUTE:
            return translation.gettext("Substitute key {key}.").format(key=screen.key)
        case KeyKind.EMERGENCY:
            return translation.gettext("Emergency key {key}.").format(key=screen.key)
        case _:
            return translation.gettext("Key {key}.").format(key=screen.key)


def _whom_a_pool_key_is_for(screen: Screen, kind: KeyKind, translation: gettext.NullTranslations) -> str:
    """Empty for a personal key. Where a key is kept for one unit's people, that unit's name says it to the honest."""
    of_unit, of_any = sentences.POOL_KEY_IS_FOR.get(kind, ("", ""))
    name = printable(screen.unit_name or "")
    return _translated(of_unit, translation).format(unit=name) if name else _translated(of_any, translation)


def _off_only_reason(status: Status, translation: gettext.NullTranslations) -> str:
    return "" if status.off_only is None else translation.gettext(sentences.HINDRANCES[status.off_only])


def _status(status: Status, translation: gettext.NullTranslations) -> tuple[str, ...]:
    network = _network(status, translation)
    if status.mirror_age_s is None:
        data = translation.gettext("no data")
    else:
        data = translation.gettext("data {age}").format(age=times.age(status.mirror_age_s, translation))
    clock = times.clock(status, translation)
    box = status.role is Role.UPDATE_BOX
    name = translation.gettext("Update box {number}") if box else translation.gettext("Station {number}")
    strip = (name.format(number=status.station), network, data, clock)
    return (*strip, translation.gettext("settings file broken")) if status.config_rejected else strip


def _network(status: Status, translation: gettext.NullTranslations) -> str:
    if status.online:
        return translation.gettext("online")
    if status.central_fault is not None:
        return translation.gettext("central: FAULT")
    if status.offline_since is None or not status.clock_trusted:
        return translation.gettext("OFFLINE")
    since = times.until_on(status, status.offline_since, translation)
    return translation.gettext("OFFLINE since {time}").format(time=since)
