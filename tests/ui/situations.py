"""Every kind of screen there is, with the longest contents that it can have."""

from collections.abc import Iterator
from dataclasses import replace

from station.display.idle import HelpTopic, View
from station.display.screen import (
    Changes,
    IdlePage,
    Line,
    Notes,
    OutsideHelp,
    PastVisit,
    Progress,
    Screen,
)
from station.display.snapshot import FLICKER_LINES
from station.records.claims import KeyKind
from station.rules.clock import ClockDoubt
from station.rules.facts import LookUpReason, LookUps, OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold
from station.rules.support import Neighbour
from tools.pictures import sample_screens

NOON_S = 1_774_868_400
"""Monday 2026-03-30 13:00 in Stockholm."""
STATUS = replace(sample_screens.STATUS, mirror_age_s=5, unix_s=NOON_S)
OFFLINE = replace(STATUS, online=False, mirror_age_s=3 * 86400)
RECEIPT = replace(sample_screens.RECEIPT, expires=NOON_S + 11 * 3600, mirror_age_s=5)
LONGEST_NAME = "Maximilian-Alexander Hittepåsson-Påhittsdotter"
LONG_RECEIPT = replace(
    RECEIPT,
    expires=NOON_S + 16 * 3600,
    shortened=Shortened.WINDOW,
    areas=tuple(range(1, 13)),
    area_names=("Nordvästra Granbacken", "Övre Kvarnby", "Sjöängen"),
    locks=250,
    mirror_age_s=3 * 86400,
    online=False,
)
LONG_NOTES = replace(
    sample_screens.NOTES,
    permit_ends=NOON_S + 86400,
    changes=Changes(added=(3, 5), removed=(7,), boxes_added=2, boxes_removed=1),
)
SUPPORT = replace(sample_screens.SUPPORT, from_min=990, to_min=480)
NEIGHBOURS = (
    Neighbour(3, "Kvarnbacken entré", "Kvarnvägen 1", 1),
    Neighbour(5, "Björkdungen", "Björkstigen 2", 1, silent=True),
    Neighbour(8, "Hamngatan", "Hamngatan 3", 2),
)
OUTSIDE_HELP = OutsideHelp(NEIGHBOURS, SUPPORT)
PRIVACY = (
    ("sv", "Stationen loggar nyckel, tid och innehavare. Exempelby är en påhittad kommun."),
    ("da", "Stationen logger nøgle, tid og indehaver. Exempelby er en opdigtet kommune."),
    ("en", "This station logs key, time and holder. Exempelby is an invented municipality."),
)
TECHNICIAN = replace(
    sample_screens.TECHNICIAN,
    outbox_events=3,
    certificate_expires=NOON_S + 40 * 86400,
    visits=tuple(PastVisit(NOON_S - 600 * n, KeyKind.PERSONAL, "refused", Refusal.WRONG_PIN) for n in range(1, 11)),
)


def situations() -> Iterator[tuple[str, Screen]]:
    """Named screens: every line, refusal and reason at least once."""
    for line in Line:
        yield f"{line}", Screen(line, STATUS, digits=6, key=1042, holder_name=LONGEST_NAME)
    for refusal in Refusal:
        yield f"{Line.REFUSED}-{refusal}", Screen(Line.REFUSED, OFFLINE, key=1042, refusal=refusal, digits=16)
    for kind in KeyKind:
        for unit in (None, "Hemtjänst Norr"):
            shown = Screen(Line.WRONG_PIN, OFFLINE, key=1042, refusal=Refusal.WRONG_PIN, kind=kind, unit_name=unit)
            yield f"{Line.WRONG_PIN}-{kind.name.lower()}{'-of-unit' if unit else ''}", replace(shown, digits=16)
    for off_only in OffOnlyReason:
        status = replace(OFFLINE, off_only=off_only, clock_trusted=False, mirror_age_s=None)
        yield f"empty-{off_only}", Screen(Line.EMPTY, status, outside_help=OUTSIDE_HELP)
        yield f"refused-{off_only}", Screen(Line.REFUSED, status, refusal=Refusal.STATION, outside_help=OUTSIDE_HELP)
    for line in (Line.READY, Line.OUT_READY):
        yield f"{line}-plain", Screen(line, STATUS, receipt=RECEIPT)
        yield f"{line}-every", Screen(line, STATUS, receipt=replace(RECEIPT, every_area=True, areas=(), area_names=()))
        for shortened in Shortened:
            receipt = replace(LONG_RECEIPT, shortened=shortened)
            yield f"{line}-{shortened}", Screen(line, OFFLINE, receipt=receipt, notes=LONG_NOTES)
    for line in (Line.STILL_ON, Line.OUT_UNSURE):
        yield f"{line}-until", Screen(line, OFFLINE, still_on_until=NOON_S + 9 * 86400)
    for refusal in Refusal:
        out = Screen(Line.OUT_OFF, STATUS, key=1042, refusal=refusal, outside_help=OUTSIDE_HELP)
        yield f"out_off-{refusal}", out
    yield "refused-since", Screen(Line.REFUSED, STATUS, key=1042, refusal=Refusal.BLOCKED, blocked_at=NOON_S - 86400)
    yield "out_off-unreadable", Screen(Line.OUT_OFF, STATUS, unreadable=True, outside_help=OUTSIDE_HELP)
    yield "prompt-lost-power", Screen(Line.PROMPT, STATUS, key=1042, notes=Notes(lost_power=True))
    for told in HandOutTold:
        yield f"{Line.BLANK}-{told}", Screen(Line.BLANK, STATUS, hand_out=told)
    yield f"{Line.BLANK}-offline", Screen(Line.BLANK, OFFLINE)
    yield f"{Line.BLANK}-wait", Screen(Line.BLANK, STATUS, wait_s=900, digits=10)
    yield f"{Line.BLANK}-digits-lost", Screen(Line.BLANK, STATUS, digits_lost=True)
    yield "wait-long", Screen(Line.WAIT, OFFLINE, wait_s=300, digits=6, refusal=Refusal.WRONG_PIN)
    yield "prompt-clock", Screen(Line.PROMPT, OFFLINE, digits=16, key=1042, notes=LONG_NOTES)


LOOK_UPS = LookUps({2026: {LookUpReason.INCIDENT: 12}, 2025: dict.fromkeys(LookUpReason, 23)})


def further() -> Iterator[tuple[str, Screen]]:
    """Named screens: what is said besides, and what an empty station shows instead."""
    yield "broken", Screen(Line.READER_BROKEN, replace(OFFLINE, offline_since=NOON_S - 7200), outside_help=OUTSIDE_HELP)
    for kind in (KeyKind.SUBSTITUTE, KeyKind.EMERGENCY):
        pool = Screen(Line.PROMPT, STATUS, key=2007, kind=kind, unit_name="Hemtjänst Norr")
        yield f"{kind.name.lower()}-prompt", pool
        yield f"{kind.name.lower()}-ready", replace(pool, line=Line.READY, holder_name=LONGEST_NAME, receipt=RECEIPT)
        yield f"{kind.name.lower()}-out", replace(pool, line=Line.OUT_OFF)
    for line in (Line.READY, Line.OUT_OFF):
        told = Screen(line, STATUS, receipt=RECEIPT if line is Line.READY else None, notes=LONG_NOTES)
        yield f"{line}-notes", told
        yield f"{line}-names", replace(told, area_names=((3, "Granbacken"), (5, "Kvarnby"), (7, "Sjöängen")))
        yield f"{line}-every", replace(told, notes=Notes(changes=Changes(every_area_added=True)))
        yield f"{line}-one", replace(told, notes=Notes(changes=Changes(every_area_removed=True, boxes_added=1)))
    for line in sorted(FLICKER_LINES):
        yield f"{line}-flickering", Screen(line, STATUS, flickering=True)
    yield "ready-soon-off", Screen(Line.READY, OFFLINE, receipt=LONG_RECEIPT, notes=LONG_NOTES, off_in_s=15)
    yield "out_unsure-halfway", Screen(Line.OUT_UNSURE, OFFLINE, still_on_until=NOON_S + 9 * 86400, halfway=True)
    yield "out_unsure-unseen", Screen(Line.OUT_UNSURE, OFFLINE, unseen=True)
    for line in (Line.PROMPT, Line.WRONG_PIN):
        lost = Screen(line, STATUS, key=1042, digits_lost=True)
        yield f"{line}-digits-lost", replace(lost, refusal=Refusal.WRONG_PIN if line is Line.WRONG_PIN else None)
    for line, left in ((Line.WRONG_PIN, 1), (Line.WAIT, 3), (Line.PROMPT, 2)):
        few = Screen(line, STATUS, key=1042, tries_left=left)
        yield f"{line}-tries-left", replace(few, refusal=None if line is Line.PROMPT else Refusal.WRONG_PIN, wait_s=60)
    for done in (0, 700, 1740):
        yield f"progress-{done}", Screen(Line.ACTIVATING, STATUS, progress=Progress(done, 1740))
    for topic in (None, *HelpTopic):
        own = tuple((language, "Egen text. " * 20) for language in ("sv", "fi")) if topic is HelpTopic.LOST else ()
        page = IdlePage(View.HELP, topic, site_texts=own, privacy=PRIVACY, log_days=90, look_ups=LOOK_UPS)
        where = replace(OUTSIDE_HELP, others=sample_screens.OTHERS)
        yield f"help-{topic or 'topics'}", Screen(Line.EMPTY, STATUS, idle_page=page, outside_help=where)
    no_notice = IdlePage(View.HELP, HelpTopic.LOGGED, part=1)
    yield "help-no-notice", Screen(Line.READER_BROKEN, STATUS, idle_page=no_notice)
    yield "wrong-code", Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.WRONG_CODE))
    yield "code", Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.CODE, digits=5))
    yield "technician", Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.TECHNICIAN, technician=TECHNICIAN))
    unknown = replace(
        TECHNICIAN, reader_works=False, clock=ClockDoubt.NO_SOURCE, mirror_objects=None, outbox_events=None, visits=()
    )
    status = replace(OFFLINE, off_only=OffOnlyReason.DISK, mirror_age_s=None)
    refused = replace(OFFLINE, central_fault="unauthorized")
    yield "technician-refused", Screen(Line.EMPTY, refused, idle_page=IdlePage(View.TECHNICIAN, technician=TECHNICIAN))
    yield "technician-broken", Screen(Line.EMPTY, status, idle_page=IdlePage(View.TECHNICIAN, technician=unknown))
    for doubt in ClockDoubt:
        doubted = IdlePage(View.TECHNICIAN, technician=replace(TECHNICIAN, clock=doubt))
        yield f"technician-{doubt}", Screen(Line.EMPTY, OFFLINE, idle_page=doubted)
    yield "standby", Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.STANDBY))


SITUATIONS = {**dict(situations()), **dict(further())}
