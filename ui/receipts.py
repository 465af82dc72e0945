"""What a receipt says: where the key opens, what is new, and what to know before leaving."""

import gettext

from station.display.screen import Changes, Line, Receipt, Screen
from station.records.claims import KeyKind
from ui import sentences, times
from ui.glyphs import printable

NAMES_LIMIT = 32
"""Characters of area names in one sentence; the rest are counted."""


def reasons(receipt: Receipt, translation: gettext.NullTranslations) -> list[str]:
    """Why it is shorter than usual, and where the key opens."""
    parts = [] if receipt.shortened is None else [translation.gettext(sentences.SHORTENED[receipt.shortened])]
    return [*parts, _where(receipt, translation)]


def notes(screen: Screen, translation: gettext.NullTranslations) -> list[str]:
    """What to know before leaving, the most important first: a small screen leaves out the last."""
    told = screen.notes
    parts = [_pool(screen, translation)]
    if told.battery_percent is not None:
        low = translation.gettext("The key's battery is low ({percent} %): tell your coordinator.")
        parts.append(low.format(percent=told.battery_percent))
    if told.permit_ends is not None:
        ends = times.until_on(screen.status, told.permit_ends, translation)
        parts.append(translation.gettext("Your permit ends {until}: ask your coordinator.").format(until=ends))
    if told.lost_power and screen.line is not Line.PROMPT:
        parts.append(translation.gettext("The key had lost power; its clock is set again."))
    if screen.receipt is not None and not screen.receipt.online and screen.receipt.mirror_age_s >= times.MINUTE_S:
        age = times.age(screen.receipt.mirror_age_s, translation)
        parts.append(translation.gettext("Data from {age} ago.").format(age=age))
    if told.changes is not None:
        parts.append(_changed(told.changes, dict(screen.area_names), translation))
    return [part for part in parts if part]


def _pool(screen: Screen, translation: gettext.NullTranslations) -> str:
    """Of a substitute or emergency key: whose it is now, and where it belongs."""
    if screen.kind in {None, KeyKind.PERSONAL} or screen.unit_name is None:
        return ""
    unit = printable(screen.unit_name)
    emergency = screen.kind is KeyKind.EMERGENCY
    if screen.line in {Line.READY, Line.OUT_READY} and screen.holder_name is not None:
        name = printable(screen.holder_name)
        said = sentences.LOAN if emergency else sentences.IN_THE_NAME
        return translation.gettext(said).format(name=name, unit=unit)
    if emergency and screen.line is Line.PROMPT:
        return translation.gettext(sentences.LOAN_AT_PROMPT)
    return translation.gettext("Return it to {unit}.").format(unit=unit)


def _where(receipt: Receipt, translation: gettext.NullTranslations) -> str:
    """What the key opens: ``Opens all areas.``, ``Opens 2 areas (Norr, Söder) and 3 boxes.``."""
    count = len(receipt.areas)
    if receipt.every_area:
        areas = translation.gettext("all areas")
    elif count:
        areas = _areas(count, translation)
        names = _names(receipt.area_names)
        areas = f"{areas} ({names})" if names else areas
    else:
        areas = ""
    boxes = translation.ngettext("{count} box", "{count} boxes", receipt.locks).format(count=receipt.locks)
    if areas and receipt.locks:
        return translation.gettext("Opens {areas} and {boxes}.").format(areas=areas, boxes=boxes)
    return translation.gettext("Opens {what}.").format(what=areas or boxes)


def _changed(changes: Changes, names: dict[int, str], translation: gettext.NullTranslations) -> str:
    """``Changed since last time: new: Norr; no longer: 2 areas; 3 more boxes.``."""
    parts: list[str] = []
    new, gone = translation.gettext("new: {areas}"), translation.gettext("no longer: {areas}")
    if changes.every_area_added:
        parts.append(new.format(areas=translation.gettext("all areas")))
    if changes.every_area_removed:
        parts.append(gone.format(areas=translation.gettext("all areas")))
    if changes.added:
        parts.append(new.format(areas=_named(changes.added, names, translation)))
    if changes.removed:
        parts.append(gone.format(areas=_named(changes.removed, names, translation)))
    more, fewer = changes.boxes_added, changes.boxes_removed
    if more:
        parts.append(translation.ngettext("{count} more box", "{count} more boxes", more).format(count=more))
    if fewer:
        parts.append(translation.ngettext("{count} box fewer", "{count} boxes fewer", fewer).format(count=fewer))
    return translation.gettext("Changed since last time: {changes}.").format(changes="; ".join(parts))


def _named(areas: tuple[int, ...], names: dict[int, str], translation: gettext.NullTranslations) -> str:
    """By name where all of them have one and there is room, else by their count."""
    known = ", ".join(printable(names[area], NAMES_LIMIT) for area in areas if area in names)
    whole = all(area in names for area in areas) and len(known) <= NAMES_LIMIT
    return known if whole else _areas(len(areas), translation)


def _areas(count: int, translation: gettext.NullTranslations) -> str:
    return translation.ngettext("{count} area", "{count} areas", count).format(count=count)


def _names(names: tuple[str, ...]) -> str:
    """As many names as there is room for, at least one; ``…`` for the rest."""
    shown: list[str] = []
    for name in names:
        short = printable(name, NAMES_LIMIT)
        if shown and len(", ".join([*shown, short])) > NAMES_LIMIT:
            return ", ".join([*shown, "…"])
        shown.append(short)
    return ", ".join(shown)
