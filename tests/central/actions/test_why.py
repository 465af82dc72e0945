"""What the office says of a key and a lock is what stations and locks decide: the two sets of rules side by side."""

from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import tests.central.django_ready  # noqa: F401
from central.actions.why import Facts, Rule, decide
from station.records import claims
from station.rules import access, facts, locks

ZONE = ZoneInfo("Europe/Stockholm")
NOON = 1_790_000_000 // 86400 * 86400 + 10 * 3600
"""12:00 there, on a day of summer time."""
DAY = claims.Window(127, 7 * 60, 16 * 60)
TAG = bytes(16)


def permit(category: int, windows: tuple[claims.Window, ...], areas: Any, lock_numbers: tuple[int, ...]) -> Any:
    return claims.Permit(
        expires=NOON + 86400, not_before=NOON - 86400, issued=NOON - 86400, holder=10, revision=1, areas=areas,
        locks=lock_numbers, windows=windows, pin_tag=TAG, category=claims.Category(category),
    )  # fmt: skip


def by_stations(given: Facts, at: int, status: str) -> str:
    """What a station says of the key and its person's right PIN, and then the lock."""
    record = claims.KeyRecord(
        key=100, kind=claims.KeyKind(given.kind), unit=given.unit, issued=1, holder=10 if given.kind == 0 else None
    )
    entry = facts.KeyEntry(record, facts.KeyStatus(status))
    unit = facts.UnitEntry(given.unit, "", closed=given.is_unit_closed)
    person_unit = facts.UnitEntry(given.holder_unit, "", closed=given.is_unit_closed)
    category = claims.Category(given.category)
    holder = facts.HolderEntry(10, "", category, given.holder_unit, ended=given.has_ended)
    for_unit = given.unit if given.category == 2 and given.kind else None
    permits = () if given.permit is None else (facts.PermitEntry(given.permit, b"", for_unit),)
    own = given.kind == 0
    known = facts.KeyKnown(
        entry, unit, holder if own else None, permits[0] if own and permits else None, on_blocklist=given.is_blocked
    )
    refusal = access.refusal_before_pin(record, known, facts.Attempts(locked=given.is_locked))
    if refusal is not None:
        return refusal.value
    station = facts.StationFacts(off_only=None, certificate_expires=NOON + 10**7, zone=ZONE)
    now = facts.Now(0.0, at, claims.ClockSource.SYNCED)
    person = facts.Person(holder, person_unit, permits)
    found = access.decide(known, person, (TAG,), None, station, facts.Policy(), now)
    if isinstance(found, facts.WrongPin):
        if found.unfit is not None:
            return found.unfit.value
        return "holder_ended" if given.has_ended else "no_permit"
    if isinstance(found, facts.Refusal):
        return found.value
    opens = locks._permits(found.permit.permit, locks.Lock(given.lock, given.area or 0))
    return "opened" if opens else "no_permission"


SAME = {
    Rule.BLOCKED: "blocked", Rule.RETURNED: "returned", Rule.LOCKED: "locked", Rule.ENDED: "holder_ended",
    Rule.NOT_HOURLY: "not_hourly", Rule.NOT_PERMANENT: "not_permanent", Rule.CLOSED_UNIT: "closed_unit",
    Rule.NO_PERMIT: "no_permit", Rule.NOT_BEGUN: "permit_expired", Rule.PERMIT_EXPIRED: "permit_expired",
    Rule.OUTSIDE_HOURS: "outside_window", Rule.NO_AREA: "no_permission", Rule.OPENS: "opened",
}  # fmt: skip


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_each_rule_is_the_stations_and_the_locks(kind: int) -> None:
    seen = set()
    flags = (False, True)
    scopes = ((claims.EVERY_AREA, ()), ((2,), ()), ((3,), (101,)), ((3,), ()), (None, ()))
    for category, status, is_locked, has_ended, closed, (areas, numbers), windows, lock in product(
        (0, 1, 2), ("active", "blocked", "returned"), flags, flags, flags, scopes, ((), (DAY,)), (101, 1)
    ):
        given = Facts(
            kind=kind, unit=1, is_handed_out=True, is_blocked=status == "blocked", is_returned=status == "returned",
            is_locked=is_locked, has_holder=True, has_ended=has_ended, category=category, holder_unit=2,
            is_unit_closed=closed, permit=None if areas is None else permit(category, windows, areas, numbers),
            lock=lock, area=2, zone=ZONE,
        )  # fmt: skip
        for at in (NOON, NOON + 3 * 3600 + 3599, NOON + 4 * 3600, NOON + 86400, NOON - 2 * 86400):
            rule = decide(given, at)
            assert SAME[rule] == by_stations(given, at, status), (given, at)
            seen.add(rule)
    never = {0: {Rule.NOT_HOURLY, Rule.NOT_PERMANENT, Rule.CLOSED_UNIT}, 1: {Rule.NOT_PERMANENT}, 2: {Rule.NOT_HOURLY}}
    assert seen == set(SAME) - never[kind]
