"""From a snapshot to the words that a person reads: pure text, shared by the kiosk, the screenless player and tests."""

import gettext
from dataclasses import dataclass
from typing import assert_never

from station.display.idle import View
from station.display.screen import IdlePage, Line, Progress, Screen, Status
from station.records.claims import KeyKind, Role
from station.rules.facts import OffOnlyReason, Refusal
from station.rules.hand_out import CODE_DIGITS
from ui import box_words, idle_pages, receipts, sentences, support, times
from ui.glyphs import printable, short_name
from ui.languages import catalogue, chosen
from ui.sentences import Tone
from ui.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Words:
    """A whole screen in words. Everything is in one language, free of secrets, and of glyphs that a console lacks."""

    tone: Tone
    key_state: str = ""
    """In one word; empty where there is no key."""
    figure: str = ""
    """A time of day or a countdown, to be drawn as large as the state; empty when there is none."""
    who: str = ""
    """Whose key it is."""
    instruction: str = ""
    """What to do now."""
    resting: bool = False
    """The station waits for a key, and nothing is the matter."""
    asking: bool = False
    """What to do stands beside the state: below it is room for what is typed, and for progress."""
    routine: tuple[str, ...] = ()
    """What everybody does after that."""
    boxes: int = 0
    """How many digits there is room for; 0: none are asked for."""
    digits_typed: int = 0
    reason: str = ""
    """Why."""
    support_code: str = ""
    """For support on the telephone."""
    status: tuple[str, ...] = ()
    """How the station is doing, in parts: its number, network, when it was updated."""
    place: str = ""
    """What the station is called."""
    clock: str = ""
    """The time of day."""
    notes: tuple[str, ...] = ()
    """Further sentences, the most important first: where there is little room, the last are shown in turn."""
    sheet: Sheet | None = None
    """A page to read, in place of all of this."""
    progress: Progress | None = None
    telephone: str = ""
    """What to draw as a QR code that a telephone can dial, where it fits."""

    def __str__(self) -> str:
        if self.sheet is not None:
            return str(self.sheet)
        rest = " ".join(part for part in (self.who, *self.routine, self.reason, *self.notes) if part)
        said = f"{self.key_state}. {self.instruction}" if self.asking else self.instruction
        return f"{said} | {rest}" if rest else said


NOTHING = Words(Tone.QUIET)
"""Before the station has said anything."""
ASKING = frozenset({Line.READING, Line.PROMPT, Line.WRONG_PIN, Line.CHECKING, Line.ACTIVATING, Line.BLANK})
"""Lines during which a PIN, or a blank key's code, may be typed, or has been."""


def words(screen: Screen, language: str) -> Words:
    """What ``screen`` says, in the holder's language once known, else in ``language`` (the station's)."""
    language = chosen(screen.language, language)
    translation = catalogue(language)
    if screen.idle_page is not None:
        return _idle(screen, screen.idle_page, language, translation)
    if screen.status.role is Role.ACTIVATION_BOX:
        return _activation_box(screen, language, translation)
    return Words(
        tone=_tone(screen),
        key_state=_key_state(screen, translation),
        figure=_figure(screen),
        who=_whose(screen, translation),
        instruction=_instruction(screen, translation),
        resting=screen.line is Line.EMPTY and not _only_switches_off(screen),
        asking=_is_asking(screen),
        routine=_routine(screen, translation),
        boxes=_boxes(screen),
        digits_typed=screen.digits if _boxes(screen) else 0,
        reason=" ".join(part for part in _reasons(screen, translation) if part),
        support_code=support.support_code(screen),
        status=_status(screen.status, translation),
        place=printable(screen.status.name),
        clock=times.clock(screen.status, translation),
        notes=(
            *_what_to_do(screen, translation),
            *support.contacts(screen, language, translation),
            *_notes(screen, translation),
        ),
        progress=screen.progress,
        telephone=support.telephone(screen) if _is_fault(screen) else "",
    )


def off_and_on(*wishes: str | None) -> tuple[str, str]:
    """The two words for a key's state, in the first of ``wishes`` that there is a screen in: off, and on."""
    translation = catalogue(chosen(*wishes))
    return translation.gettext(sentences.OFF), translation.gettext(sentences.ON)


def _activation_box(screen: Screen, language: str, translation: gettext.NullTranslations) -> Words:
    """An activation box: the same states, and a short reason."""
    end = screen.receipt.expires if screen.receipt is not None else screen.still_on_until
    what_to_do, *reason = box_words.sentences_of(screen) if screen.off_in_s is None else _sentences(screen)
    instruction = translation.gettext(what_to_do).format(
        until="" if end is None else times.until_on(screen.status, end, translation),
        wait=times.countdown(screen.off_in_s or 0),
    )
    return Words(
        tone=box_words.lamp(screen),
        key_state=_key_state(screen, translation),
        figure=_figure(screen),
        who=_whose(screen, translation),
        instruction=_with_take_it_out(instruction, screen, translation),
        resting=screen.line is Line.EMPTY and not _only_switches_off(screen),
        asking=_is_asking(screen),
        boxes=_boxes(screen),
        digits_typed=screen.digits if _boxes(screen) else 0,
        reason=" ".join(translation.gettext(part) for part in reason if part),
        support_code=support.support_code(screen),
        status=box_words.status(screen.status, translation),
        clock=times.clock(screen.status, translation),
        notes=(
            *_what_to_do(screen, translation),
            *([_off_only_reason(screen.status, translation)] if screen.status.off_only is not None else []),
            *support.contacts(screen, language, translation),
        ),
        progress=screen.progress,
        telephone=support.telephone(screen) if _is_fault(screen) else "",
    )


def _idle(screen: Screen, shown: IdlePage, language: str, translation: gettext.NullTranslations) -> Words:
    status = _status(screen.status, translation)
    clock = times.clock(screen.status, translation)
    if shown.view is View.STANDBY:
        return Words(Tone.QUIET, clock=clock)
    return Words(
        Tone.QUIET,
        instruction=idle_pages.instruction(shown, translation),
        boxes=shown.digits,
        digits_typed=shown.digits,
        support_code=support.support_code(screen),
        status=status,
        place=printable(screen.status.name),
        clock=clock,
        sheet=idle_pages.sheet(shown, screen, language, translation),
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
        case Line.READER_BROKEN:
            return [translation.gettext(sentences.HELP)]
        case Line.REFUSED | Line.OUT_OFF if screen.refusal is Refusal.STATION and screen.status.off_only is not None:
            return [_off_only_reason(screen.status, translation)]
        case Line.OUT_OFF if sentences.refused(screen) is not None:
            return []
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
    if _only_switches_off(screen):
        return Tone.ATTENTION
    if screen.line is Line.BLANK and _of_blank_key(screen) != sentences.LINES[Line.BLANK]:
        return Tone.ATTENTION
    refused = screen.line is Line.OUT_OFF and sentences.refused(screen) is not None
    return sentences.TONES[Line.REFUSED if refused else screen.line]


def _key_state(screen: Screen, translation: gettext.NullTranslations) -> str:
    return _translated(sentences.UNKNOWN if screen.unseen else sentences.KEY_STATES[screen.line], translation)


def _figure(screen: Screen) -> str:
    if screen.line in {Line.WAIT, Line.BLANK} and screen.wait_s is not None:
        return times.countdown(screen.wait_s)
    if screen.receipt is not None and screen.line in {Line.READY, Line.OUT_READY}:
        return times.time_of_day(screen.receipt.expires, screen.status.time_zone)
    return ""


def _is_asking(screen: Screen) -> bool:
    """Whether something may be typed, or has been: its boxes have their place, also while they are not drawn."""
    return screen.line in ASKING and not (screen.line is Line.BLANK and not _boxes(screen))


def _boxes(screen: Screen) -> int:
    """As many as a PIN of this site has digits, from the prompt on; before it and afterwards for what is typed."""
    if screen.status.role is Role.UPDATE_BOX or screen.line not in ASKING:
        return 0
    if screen.line is Line.BLANK:
        return CODE_DIGITS if screen.status.online and screen.wait_s is None else 0
    empty = screen.line in {Line.PROMPT, Line.WRONG_PIN}
    return max(screen.status.pin_digits, screen.digits) if empty or screen.digits else 0


def _routine(screen: Screen, translation: gettext.NullTranslations) -> tuple[str, ...]:
    """Of a key that is on."""
    if screen.receipt is None or screen.line not in {Line.READY, Line.OUT_READY} or screen.off_in_s is not None:
        return ()
    at_station = screen.status.role is Role.SYNC_STATION
    return tuple(map(translation.gettext, sentences.ROUTINE if at_station else sentences.ROUTINE[:1]))


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
        case Line.REFUSED | Line.OUT_OFF if (said := sentences.refused(screen)) is not None:
            return said[:2]
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
    said = sentence.format(
        until="" if expires is None else times.until_on(screen.status, expires, translation),
        wait=times.countdown(screen.off_in_s or screen.wait_s or 0),
    )
    return _with_take_it_out(said, screen, translation)


def _with_take_it_out(said: str, screen: Screen, translation: gettext.NullTranslations) -> str:
    return f"{said} {translation.gettext(sentences.TAKE_IT_OUT)}" if sentences.to_be_taken_out(screen) else said


def _reasons(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    fixed = _sentences(screen)[1]
    parts = [translation.gettext(fixed)] if fixed else []
    match screen.line:
        case Line.PROMPT if screen.notes.lost_power:
            parts.append(translation.gettext(sentences.LOST_POWER))
        case Line.WRONG_PIN if screen.kind is not None:
            parts.append(_whom_a_pool_key_is_for(screen, screen.kind, translation))
        case Line.READY | Line.OUT_READY:
            if screen.receipt is not None:
                parts += receipts.reasons(screen.receipt, translation)
        case Line.OUT_UNSURE:
            if screen.still_on_until is not None:
                end = times.until_on(screen.status, screen.still_on_until, translation)
                parts.append(translation.gettext(sentences.STILL_ON_AT_MOST).format(until=end))
        case Line.REFUSED | Line.OUT_OFF:
            if screen.blocked_at is not None:
                since = times.until_on(screen.status, screen.blocked_at, translation)
                parts.append(translation.gettext(sentences.BLOCKED_SINCE).format(time=since))
        case (
            Line.EMPTY
            | Line.PROMPT
            | Line.READING
            | Line.WRONG_PIN
            | Line.WAIT
            | Line.CHECKING
            | Line.ACTIVATING
            | Line.STILL_ON
            | Line.UNREADABLE
            | Line.BLANK
            | Line.HANDING_OUT
            | Line.HANDED_OUT
            | Line.OUT_HANDING_OUT
            | Line.LEFT_IN
            | Line.OUT_EARLY
            | Line.READER_BROKEN
        ):
            pass
        case never:  # pragma: no cover
            assert_never(never)
    return parts


def _what_to_do(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    """With a key that is refused, or that makes no contact."""
    if screen.flickering:
        return [translation.gettext(sentences.STILL_NO_CONTACT)]
    told = sentences.refused(screen)
    if told is None or not told[2]:
        return []
    return [translation.gettext(sentences.DO_THIS).format(what=translation.gettext(told[2]))]


def _whose(screen: Screen, translation: gettext.NullTranslations) -> str:
    if screen.key is None or not sentences.KEY_STATES[screen.line]:
        return ""
    if screen.holder_name is not None and screen.kind in {None, KeyKind.PERSONAL}:
        return translation.gettext("Key {key} · {name}").format(key=screen.key, name=short_name(screen.holder_name))
    match screen.kind:
        case KeyKind.SUBSTITUTE:
            return translation.gettext("Substitute key {key}").format(key=screen.key)
        case KeyKind.EMERGENCY:
            return translation.gettext("Emergency key {key}").format(key=screen.key)
        case _:
            return translation.gettext("Key {key}").format(key=screen.key)


def _whom_a_pool_key_is_for(screen: Screen, kind: KeyKind, translation: gettext.NullTranslations) -> str:
    """Empty for a personal key. Where a key is kept for one unit's people, that unit's name says it to the honest."""
    of_unit, of_any = sentences.POOL_KEY_IS_FOR.get(kind, ("", ""))
    name = printable(screen.unit_name or "")
    return _translated(of_unit, translation).format(unit=name) if name else _translated(of_any, translation)


def _off_only_reason(status: Status, translation: gettext.NullTranslations) -> str:
    return "" if status.off_only is None else translation.gettext(sentences.HINDRANCES[status.off_only])


def _status(status: Status, translation: gettext.NullTranslations) -> tuple[str, ...]:
    box = status.role is Role.UPDATE_BOX
    name = translation.gettext("Update box {number}") if box else translation.gettext("Station {number}")
    parts = [name.format(number=status.station), _network(status, translation)]
    if status.mirror_age_s is None:
        parts.append(translation.gettext("no data"))
    elif status.clock_trusted:
        updated = times.until_on(status, status.unix_s - status.mirror_age_s, translation)
        parts.append(translation.gettext("updated {time}").format(time=updated))
    else:
        parts.append(translation.gettext("data {age}").format(age=times.age(status.mirror_age_s, translation)))
    if status.config_rejected:
        parts.append(translation.gettext("settings file broken"))
    return tuple(part for part in parts if part)


def _network(status: Status, translation: gettext.NullTranslations) -> str:
    """Empty where there is nothing the matter with it."""
    if status.online:
        return ""
    if status.central_fault is not None:
        return translation.gettext("central: FAULT")
    if status.offline_since is None or not status.clock_trusted:
        return translation.gettext("OFFLINE")
    since = times.until_on(status, status.offline_since, translation)
    return translation.gettext("OFFLINE since {time}").format(time=since)
