"""What a holder is told before leaving, and a flickering contact."""

from dataclasses import replace

import pytest

from station.display.key_findings import KeyFindings, changes, notes
from station.display.screen import Changes, Notes
from station.display.snapshot import FLICKERS_WITHIN_S, Contact
from station.records.claims import EVERY_AREA, ClockSource, Permit
from station.rules.facts import Now
from tests.visit.visiting import NOON, permit

NOW = Now(1000.0, NOON, ClockSource.SYNCED)
PERMIT = permit().permit


def but(**claims: object) -> Permit:
    return replace(PERMIT, **claims)  # type: ignore[arg-type]


def test_nothing_known_nothing_said() -> None:
    assert notes(KeyFindings(), None, NOW) == Notes()
    assert notes(KeyFindings(), PERMIT, NOW) == Notes()


@pytest.mark.parametrize(("percent", "told"), [(100, None), (21, None), (20, 20), (0, 0)])
def test_a_low_battery(percent: int, told: int | None) -> None:
    assert notes(KeyFindings(battery_percent=percent), PERMIT, NOW).battery_percent == told


def test_a_permit_that_ends_within_three_days() -> None:
    soon = NOON + 3 * 86400 - 1
    assert notes(KeyFindings(), but(expires=soon), NOW).permit_ends == soon
    assert notes(KeyFindings(), but(expires=soon + 1), NOW).permit_ends is None
    assert notes(KeyFindings(), but(expires=soon), replace(NOW, trust=None)).permit_ends is None


def test_power_lost() -> None:
    assert notes(KeyFindings(lost_power=True), None, NOW).lost_power


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, None),
        ({"revision": 4}, {}, None),
        ({"areas": (1, 3)}, {}, Changes(added=(2,), removed=(3,))),
        ({"areas": EVERY_AREA}, {}, Changes(every_area_removed=True)),
        ({}, {"areas": EVERY_AREA}, Changes(every_area_added=True)),
        ({"areas": EVERY_AREA}, {"areas": EVERY_AREA}, None),
        ({"locks": ()}, {}, Changes(boxes_added=1)),
        ({"locks": (501, 502, 503)}, {}, Changes(boxes_removed=2)),
        ({"holder": 99, "areas": ()}, {}, None),
    ],
)
def test_what_has_changed(before: dict[str, object], after: dict[str, object], expected: Changes | None) -> None:
    assert changes(but(**before), but(**after)) == expected


def test_there_is_nothing_to_compare_with() -> None:
    assert changes(None, PERMIT) is None
    assert changes(PERMIT, None) is None


def test_three_losses_in_a_row_are_a_flicker() -> None:
    contact = Contact().lost(10.0).lost(11.0)
    assert not contact.flickers(11.0)
    contact = contact.lost(12.0)
    assert contact.flickers(12.0)
    assert contact.flickers(10.0 + FLICKERS_WITHIN_S)
    assert not contact.flickers(10.1 + FLICKERS_WITHIN_S)
    assert not contact.lost(30.0).flickers(30.0)
