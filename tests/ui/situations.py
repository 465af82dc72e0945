"""Every kind of screen there is, with the longest contents that it can have."""

from collections.abc import Iterator
from dataclasses import replace

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.screen import Line, Receipt, Screen, Status

NOON_S = 1_774_868_400
"""Monday 2026-03-30 13:00 in Stockholm."""
STATUS = Status(
    station=12,
    online=True,
    mirror_age_s=5,
    hindrance=None,
    unix_s=NOON_S,
    clock_trusted=True,
    time_zone="Europe/Stockholm",
)
OFFLINE = replace(STATUS, online=False, mirror_age_s=3 * 86400)
RECEIPT = Receipt(
    expires=NOON_S + 11 * 3600,
    shortened=None,
    every_area=False,
    areas=(3, 5),
    area_names=("Granbacken", "Kvarnby"),
    locks=3,
    mirror_age_s=5,
    online=True,
)
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


def situations() -> Iterator[tuple[str, Screen]]:
    """Named screens: every line, refusal, hindrance and reason at least once."""
    for line in Line:
        yield f"{line}", Screen(line, STATUS, digits=6, key=1042, holder_name=LONGEST_NAME)
    for refusal in Refusal:
        for line in (Line.REFUSED, Line.WRONG_PIN):
            yield f"{line}-{refusal}", Screen(line, OFFLINE, key=1042, refusal=refusal, digits=16)
    for hindrance in Hindrance:
        status = replace(OFFLINE, hindrance=hindrance, clock_trusted=False, mirror_age_s=None)
        yield f"empty-{hindrance}", Screen(Line.EMPTY, status)
        yield f"refused-{hindrance}", Screen(Line.REFUSED, status, refusal=Refusal.STATION)
    for line in (Line.READY, Line.OUT_READY):
        yield f"{line}-plain", Screen(line, STATUS, receipt=RECEIPT)
        yield f"{line}-every", Screen(line, STATUS, receipt=replace(RECEIPT, every_area=True, areas=(), area_names=()))
        for shortened in Shortened:
            receipt = replace(LONG_RECEIPT, shortened=shortened)
            yield f"{line}-{shortened}", Screen(line, OFFLINE, receipt=receipt, clock_was_unset=True)
    for line in (Line.STILL_ON, Line.OUT_UNSURE):
        yield f"{line}-until", Screen(line, OFFLINE, still_on_until=NOON_S + 9 * 86400)
    yield "wait-long", Screen(Line.WAIT, OFFLINE, wait_s=300, digits=6, refusal=Refusal.WRONG_PIN)
    yield "prompt-clock", Screen(Line.PROMPT, OFFLINE, digits=16, key=1042, clock_was_unset=True)


SITUATIONS = dict(situations())
