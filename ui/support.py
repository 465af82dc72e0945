"""Whom to call when this station does not help, and the code to read out on the telephone: ``12 R07 S2``.

The codes are printed in the manual: give new ones, never change or reuse one.
"""

import gettext
from collections.abc import Mapping

from station.display.screen import Line, OutsideHelp, Screen
from station.rules.facts import OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold
from ui import sentences
from ui.glyphs import printable
from ui.languages import in_language
from ui.sentences import N_

LINES: Mapping[Line, int] = {
    Line.EMPTY: 10,
    Line.READING: 11,
    Line.PROMPT: 12,
    Line.WRONG_PIN: 13,
    Line.WAIT: 14,
    Line.CHECKING: 15,
    Line.ACTIVATING: 16,
    Line.READY: 17,
    Line.REFUSED: 20,
    Line.STILL_ON: 21,
    Line.UNREADABLE: 22,
    Line.LEFT_IN: 23,
    Line.OUT_OFF: 30,
    Line.OUT_READY: 31,
    Line.OUT_EARLY: 32,
    Line.OUT_UNSURE: 33,
    Line.OUT_HANDING_OUT: 34,
    Line.BLANK: 40,
    Line.HANDING_OUT: 41,
    Line.HANDED_OUT: 42,
    Line.READER_BROKEN: 90,
}

REFUSALS: Mapping[Refusal, int] = {
    Refusal.UNKNOWN: 1,
    Refusal.BLOCKED: 2,
    Refusal.RETURNED: 3,
    Refusal.LOCKED: 4,
    Refusal.HOLDER_ENDED: 5,
    Refusal.WRONG_PIN: 10,
    Refusal.PERMIT_EXPIRED: 15,
    Refusal.OUTSIDE_WINDOW: 16,
    Refusal.STATION: 20,
    Refusal.KEY_FAULT: 21,
    Refusal.CLOCK_UNSET: 30,
    Refusal.BAD_STATION_CERTIFICATE: 31,
    Refusal.NEVER_SYNCED: 32,
    Refusal.SYNCED_TOO_LONG_AGO: 33,
    Refusal.BAD_PERMIT: 34,
    Refusal.WRONG_HOLDER: 35,
    Refusal.BAD_KEY_RECORD: 36,
    Refusal.NOT_GENUINE: 37,
    Refusal.NOT_PERSONAL: 40,
    Refusal.OTHER_UNIT: 41,
    Refusal.NO_PERMIT: 42,
}

HINDRANCES: Mapping[OffOnlyReason, int] = {
    OffOnlyReason.CLOCK: 1,
    OffOnlyReason.NO_MIRROR: 2,
    OffOnlyReason.MIRROR_TOO_OLD: 3,
    OffOnlyReason.CERTIFICATE: 4,
    OffOnlyReason.NOT_ENROLLED: 5,
    OffOnlyReason.DISK: 6,
    OffOnlyReason.BLOCKED: 7,
    OffOnlyReason.STARTING: 8,
}

HAND_OUTS: Mapping[HandOutTold, int] = {
    HandOutTold.PIN_BEGUN: 1,
    HandOutTold.NOT_A_CODE: 2,
    HandOutTold.BAD_CODE: 3,
    HandOutTold.CODE_SPENT: 4,
    HandOutTold.NUMBER_TAKEN: 5,
    HandOutTold.BAD_PROOF: 6,
    HandOutTold.NO_ANSWER: 7,
    HandOutTold.REFUSED: 8,
    HandOutTold.KEY_FAULT: 9,
}

SHORTENED: Mapping[Shortened, int] = {Shortened.WINDOW: 1, Shortened.PERMIT: 2, Shortened.CERTIFICATE: 3}


def telephone(screen: Screen) -> str:
    """``TEL:+46100000001``: the line of this hour, in characters that a QR code packs well; empty without one."""
    line = screen.outside_help.support
    return dialled(line.phone) if line is not None else ""


def dialled(phone: str) -> str:
    """``phone`` as a telephone's camera takes it: digits, and the ``+`` before them if there is one."""
    digits = "".join(character for character in phone if character in "0123456789")
    return f"TEL:{'+' if phone.lstrip().startswith('+') else ''}{digits}" if digits else ""


def support_code(screen: Screen) -> str:
    """Line; why refused (R), not handed out (K), only switching off (H), a shorter time (S): what there is."""
    parts = [f"{LINES[screen.line]}"]
    if screen.refusal is not None:
        parts.append(f"R{REFUSALS[screen.refusal]:02}")
    if screen.hand_out is not None:
        parts.append(f"K{HAND_OUTS[screen.hand_out]}")
    if screen.status.off_only is not None:
        parts.append(f"H{HINDRANCES[screen.status.off_only]}")
    if screen.receipt is not None and screen.receipt.shortened is not None:
        parts.append(f"S{SHORTENED[screen.receipt.shortened]}")
    return " ".join(parts)


def contacts(screen: Screen, language: str, translation: gettext.NullTranslations) -> list[str]:
    """The support line of this hour, then the nearest stations, each in a sentence."""
    where = screen.outside_help
    line = call(where, language, translation)
    if sentences.refused(screen) is not None:
        line = _said(where, language, translation, named=N_("Ask: {name}, {phone}"), unnamed=N_("Ask: {phone}"))
    station_fault = screen.line in {Line.EMPTY, Line.READER_BROKEN} or screen.refusal is Refusal.STATION
    return [*([line] if line else []), *(stations(where, translation) if station_fault else [])]


def call(where: OutsideHelp, language: str, translation: gettext.NullTranslations) -> str:
    """The support line of this hour in a sentence; empty where there is none."""
    return _said(where, language, translation, named=N_("Call {name}: {phone}"), unnamed=N_("Call {phone}"))


def _said(where: OutsideHelp, language: str, translation: gettext.NullTranslations, *, named: str, unnamed: str) -> str:
    if where.support is None:
        return ""
    name = printable(in_language(where.support.texts, language))
    said = translation.gettext(named if name else unnamed)
    return said.format(name=name, phone=printable(where.support.phone))


def numbers(where: OutsideHelp, language: str) -> str:
    """The site's other lines: ``Technicians 000-000 01, Night patrol 000-000 04``; empty without any."""
    lines = ((printable(in_language(line.texts, language)), printable(line.phone)) for line in where.others)
    return ", ".join(f"{name} {phone}".strip() for name, phone in lines)


def stations(where: OutsideHelp, translation: gettext.NullTranslations) -> list[str]:
    """The other stations, each in a sentence."""
    said = translation.gettext("Station {number}: {place}")
    places = [
        (each.station, ", ".join(printable(p) for p in (each.name, each.address) if p)) for each in where.neighbours
    ]
    silent = translation.gettext("silent")
    marks = [f" ({silent})" if each.silent else "" for each in where.neighbours]
    named = zip(places, marks, strict=True)
    return [said.format(number=number, place=place) + mark for (number, place), mark in named]
