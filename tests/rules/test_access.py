"""Who may activate what."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.records.claims import Category, ClockSource, KeyKind, Window
from station.rules import access
from station.rules.facts import (
    Attempts,
    Grant,
    HolderEntry,
    KeyKnown,
    KeyStatus,
    Now,
    OffOnlyReason,
    PermitEntry,
    Person,
    Policy,
    Refusal,
    Shortened,
    StationFacts,
    Unfit,
    UnitEntry,
    WrongPin,
)
from tests.visit.visiting import (
    ANNA,
    ANNA_FOUND,
    AWAY,
    EMERGENCY,
    HOME,
    NOON,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    TIM,
    TIM_FOUND,
    UNIT,
    WRONG_TAG,
    Key,
    handed_on,
    key,
    permit,
)

NOW = Now(1000.0, NOON, ClockSource.SYNCED)
CLOSED = UnitEntry(HOME, "Stängd enhet", closed=True)


def decided(
    which: Key = OWN,
    person: Person | None = None,
    *,
    tags: tuple[bytes, ...] = (TAG,),
    own: PermitEntry | None = None,
    station: StationFacts = STATION,
    now: Now = NOW,
) -> Grant | WrongPin | Refusal:
    return access.decide(which.known, person, tags, own, station, Policy(), now)


def granted(
    which: Key = OWN,
    person: Person | None = None,
    *,
    own: PermitEntry | None = None,
    station: StationFacts = STATION,
    now: Now = NOW,
) -> Grant:
    verdict = decided(which, person, own=own, station=station, now=now)
    assert isinstance(verdict, Grant), verdict
    return verdict


def with_permit(**claims: Any) -> Key:
    return OWN.but(permit=permit(**claims))


# --- before the PIN


def before(which: Key, attempts: Attempts | None = None) -> Refusal | None:
    return access.refusal_before_pin(which.seen.record, which.known, attempts or Attempts())


@pytest.mark.parametrize("which", [OWN, SUBSTITUTE, EMERGENCY], ids=lambda k: k.seen.record.kind.name)
def test_a_key_in_good_standing_gets_a_prompt(which: Key) -> None:
    assert before(which) is None


@pytest.mark.parametrize(
    ("which", "refusal"),
    [
        (replace(OWN, known=KeyKnown()), Refusal.UNKNOWN),
        (replace(OWN, known=KeyKnown(on_blocklist=True)), Refusal.BLOCKED),
        (OWN.but(on_blocklist=True), Refusal.BLOCKED),
        (OWN.but_entry(status=KeyStatus.BLOCKED), Refusal.BLOCKED),
        (OWN.but_entry(status=KeyStatus.RETURNED), Refusal.RETURNED),
        (OWN.but(holder=None), Refusal.HOLDER_ENDED),
        (OWN.but(holder=replace(ANNA, ended=True)), Refusal.HOLDER_ENDED),
        (OWN.but_entry(record=replace(OWN.seen.record, holder=99)), Refusal.UNKNOWN),
        (OWN.but_entry(record=replace(OWN.seen.record, unit=AWAY)), Refusal.UNKNOWN),
        (OWN.but_entry(record=key(101).seen.record), Refusal.UNKNOWN),
        (OWN.but_entry(record=key(100, KeyKind.EMERGENCY).seen.record), Refusal.UNKNOWN),
    ],
)
def test_refused_before_any_pin(which: Key, refusal: Refusal) -> None:
    assert before(which) is refusal


def test_a_locked_key_is_refused_before_any_pin() -> None:
    assert before(OWN, Attempts(10, locked=True)) is Refusal.LOCKED


def test_a_record_signed_anew_is_the_same_key() -> None:
    assert before(OWN.but_entry(record=replace(OWN.seen.record, issued=NOON))) is None


# --- personal keys


def test_its_holder_may_activate_a_personal_key() -> None:
    grant = granted()
    assert grant == Grant(100, ANNA, permit(), NOON - 60, NOON + 660 * 60, ClockSource.SYNCED, None)


def test_a_colleagues_right_pin_is_a_wrong_pin() -> None:
    colleague = replace(ANNA, holder=55)
    found = Person(colleague, UNIT, (permit(colleague, pin_tag=WRONG_TAG),))
    assert decided(OWN, found, tags=(WRONG_TAG,)) == WrongPin()


@pytest.mark.parametrize("which", [OWN.but(permit=None), OWN.but(holder=None)])
def test_without_permit_or_holder_no_pin_is_right(which: Key) -> None:
    assert decided(which) == WrongPin()


def test_a_withdrawn_permit_does_not_live_on_in_the_copy_on_the_key() -> None:
    assert decided(OWN.but(permit=None), own=permit()) == WrongPin()


def test_the_keys_own_newer_permit_is_used() -> None:
    newer = permit(revision=6, areas=(2,))
    assert granted(own=newer).permit is newer


@pytest.mark.parametrize("own", [permit(revision=4), permit(revision=5, areas=(2,)), permit(holder=TIM, revision=9)])
def test_an_older_or_someone_elses_permit_on_the_key_is_not(own: PermitEntry) -> None:
    assert granted(own=own).permit is OWN.known.permit


def test_the_pin_of_the_keys_own_newer_permit_counts_and_the_old_one_is_dead() -> None:
    newer = permit(revision=6, pin_tag=WRONG_TAG)
    assert decided(own=newer) == WrongPin()
    assert isinstance(decided(own=newer, tags=(WRONG_TAG,)), Grant)


# --- pool keys


def test_hourly_staff_may_activate_a_substitute_key_of_a_unit_they_have_a_permit_for() -> None:
    grant = granted(SUBSTITUTE, TIM_FOUND)
    assert grant.holder is TIM
    assert grant.permit == TIM_FOUND.permits[0]


def test_the_permit_is_that_of_the_keys_unit_without_fall_back() -> None:
    away = key(201, KeyKind.SUBSTITUTE, AWAY)
    assert granted(away, TIM_FOUND).permit.permit.areas == (9,)
    third = key(202, KeyKind.SUBSTITUTE, 9)
    assert decided(third, TIM_FOUND) == WrongPin(TIM.holder, Unfit.NO_PERMIT)
    assert decided(SUBSTITUTE, Person(TIM, UNIT, (permit(TIM),))) == WrongPin(TIM.holder, Unfit.NO_PERMIT)


@pytest.mark.parametrize("category", [Category.PERMANENT, Category.LONG_TERM])
def test_permanent_and_long_term_staff_may_activate_an_emergency_key(category: Category) -> None:
    holder = replace(ANNA, category=category)
    assert granted(EMERGENCY, Person(holder, UNIT, (permit(holder),))).holder is holder


@pytest.mark.parametrize("category", [Category.PERMANENT, Category.LONG_TERM])
def test_they_may_not_take_a_substitute_key(category: Category) -> None:
    holder = replace(ANNA, category=category)
    assert decided(SUBSTITUTE, Person(holder, UNIT, (permit(holder),))) == WrongPin(ANNA.holder, Unfit.NOT_HOURLY)


def test_hourly_staff_may_not_take_an_emergency_key() -> None:
    assert decided(EMERGENCY, TIM_FOUND) == WrongPin(TIM.holder, Unfit.NOT_PERMANENT)


def test_an_emergency_key_of_another_unit_serves_too() -> None:
    assert granted(key(301, KeyKind.EMERGENCY, AWAY), ANNA_FOUND).holder is ANNA


@pytest.mark.parametrize("person", [None, replace(TIM_FOUND, holder=replace(TIM, ended=True))])
def test_a_pin_that_nobody_has_and_one_of_somebody_who_left_read_the_same(person: Person | None) -> None:
    assert decided(SUBSTITUTE, person) == WrongPin()


@pytest.mark.parametrize("keys_unit", [UNIT, CLOSED, None])
@pytest.mark.parametrize("persons_unit", [UNIT, CLOSED, None])
@pytest.mark.parametrize("kind", [KeyKind.SUBSTITUTE, KeyKind.EMERGENCY])
def test_closed_units_keep_to_themselves_and_an_unknown_unit_may_be_closed(
    kind: KeyKind, keys_unit: UnitEntry | None, persons_unit: UnitEntry | None
) -> None:
    pool = key(400, kind).but(unit=keys_unit)
    found = TIM_FOUND if kind is KeyKind.SUBSTITUTE else ANNA_FOUND
    at_home = replace(found, unit=persons_unit)
    assert isinstance(decided(pool, at_home), Grant)
    from_away = replace(at_home, holder=replace(found.holder, unit=AWAY))
    if keys_unit is persons_unit is UNIT:
        assert isinstance(decided(pool, from_away), Grant)
    else:
        assert decided(pool, from_away) == WrongPin(found.holder.holder, Unfit.CLOSED_UNIT)


def test_a_pool_keys_own_newer_permit_counts_with_its_pin() -> None:
    newer = permit(TIM, HOME, revision=7, pin_tag=WRONG_TAG)
    assert decided(SUBSTITUTE, TIM_FOUND, own=newer) == WrongPin()
    assert isinstance(decided(SUBSTITUTE, TIM_FOUND, own=newer, tags=(WRONG_TAG,)), Grant)


def test_the_permit_that_the_last_holder_left_on_a_pool_key_does_not_matter() -> None:
    last = permit(replace(TIM, holder=77), HOME, revision=99)
    assert granted(SUBSTITUTE, TIM_FOUND, own=last).permit == TIM_FOUND.permits[0]


@pytest.mark.parametrize("tags", [(WRONG_TAG, TAG), (TAG, WRONG_TAG)])
def test_a_pin_matches_under_either_pepper(tags: tuple[bytes, ...]) -> None:
    assert isinstance(decided(tags=tags), Grant)
    assert isinstance(decided(SUBSTITUTE, TIM_FOUND, tags=tags), Grant)


def test_a_pin_that_two_people_have_is_wrong() -> None:
    assert decided(tags=()) == WrongPin()
    assert decided(SUBSTITUTE, None, tags=()) == WrongPin()


def test_a_pin_that_is_somebody_elses_by_the_mirror_is_wrong_whatever_the_key_carries() -> None:
    newer = permit(revision=6, pin_tag=WRONG_TAG)
    assert decided(person=TIM_FOUND, own=newer, tags=(WRONG_TAG,)) == WrongPin()
    assert isinstance(decided(person=ANNA_FOUND, own=newer, tags=(WRONG_TAG,)), Grant)


# --- station and time


@pytest.mark.parametrize("off_only", OffOnlyReason)
def test_an_off_only_station_activates_nothing_but_judges_the_pin_first(off_only: OffOnlyReason) -> None:
    station = replace(STATION, off_only=off_only)
    assert decided(station=station) is Refusal.STATION
    assert decided(station=station, tags=(WRONG_TAG,)) == WrongPin()


def test_an_untrusted_clock_activates_nothing_even_if_nobody_told() -> None:
    assert decided(now=replace(NOW, trust=None)) is Refusal.STATION


def test_a_certificate_that_has_just_expired_activates_nothing_even_if_nobody_told() -> None:
    assert decided(station=replace(STATION, certificate_expires=NOON)) is Refusal.STATION
    assert granted(station=replace(STATION, certificate_expires=NOON + 1)).expires == NOON + 1


def test_a_key_that_nobody_knows_activates_nothing() -> None:
    assert decided(replace(OWN, known=KeyKnown())) is Refusal.UNKNOWN


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"expires": NOON}, Refusal.PERMIT_EXPIRED),
        ({"not_before": NOON + 1}, Refusal.PERMIT_EXPIRED),
        ({"windows": (Window(127, 13 * 60, 14 * 60),)}, Refusal.OUTSIDE_WINDOW),
        ({"windows": (Window(1, 0, 1440),)}, Refusal.OUTSIDE_WINDOW),
    ],
)
def test_a_permit_that_is_not_in_force_now(claims: dict[str, object], refusal: Refusal) -> None:
    assert decided(with_permit(**claims)) is refusal


def test_bounds_of_a_permit() -> None:
    assert granted(with_permit(not_before=NOON)).not_before == NOON - 60
    assert granted(with_permit(expires=NOON + 1)).expires == NOON + 1


LONG = NOON + 660 * 60
WINDOW = (Window(127, 0, 17 * 60),)


@pytest.mark.parametrize(
    ("claims", "certificate_expires", "expires", "shortened"),
    [
        ({}, LONG, LONG, None),
        ({"expires": LONG}, LONG, LONG, None),
        ({}, LONG - 1, LONG - 1, Shortened.CERTIFICATE),
        ({"expires": LONG - 2}, LONG - 1, LONG - 2, Shortened.PERMIT),
        ({"windows": WINDOW}, LONG, NOON + 5 * 3600, Shortened.WINDOW),
        ({"windows": WINDOW, "expires": NOON + 60}, LONG, NOON + 60, Shortened.PERMIT),
    ],
)
def test_the_earliest_of_four_ends(
    claims: dict[str, object], certificate_expires: int, expires: int, shortened: Shortened | None
) -> None:
    grant = granted(with_permit(**claims), station=replace(STATION, certificate_expires=certificate_expires))
    assert (grant.expires, grant.shortened) == (expires, shortened)


def test_windows_are_in_the_sites_time() -> None:
    station = replace(STATION, zone=ZoneInfo("Europe/Stockholm"))
    assert granted(with_permit(windows=WINDOW), station=station).expires == NOON + 4 * 3600


def test_never_longer_than_661_minutes_nor_past_now() -> None:
    grant = granted()
    assert grant.expires - grant.not_before == 661 * 60
    assert grant.expires > NOON


@pytest.mark.parametrize("source", ClockSource)
def test_the_grant_says_what_the_time_rests_on(source: ClockSource) -> None:
    assert granted(now=replace(NOW, trust=source)).clock is source


def test_nobody_else_is_granted() -> None:
    stranger = HolderEntry(88, "Okänd Exempel", Category.HOURLY, HOME)
    assert decided(SUBSTITUTE, Person(stranger, UNIT, ())) == WrongPin(88, Unfit.NO_PERMIT)


def test_a_newer_record_of_the_number_is_for_the_key_and_no_other_is() -> None:
    anew = handed_on(OWN)
    ours, entry = OWN.seen.record, anew.known.key
    assert entry is not None
    assert access.signed_anew(ours, anew.known) is access.handed_on(ours, anew.known) is entry
    same_holder = replace(anew.known, key=replace(entry, record=replace(ours, issued=entry.record.issued)))
    assert access.signed_anew(ours, same_holder) is not None
    assert access.handed_on(ours, same_holder) is None
    for known in (
        replace(anew.known, key=None),
        replace(anew.known, on_blocklist=True),
        replace(anew.known, key=replace(entry, status=KeyStatus.BLOCKED)),
        replace(anew.known, key=replace(entry, status=KeyStatus.RETURNED)),
        replace(anew.known, key=replace(entry, record=replace(entry.record, issued=ours.issued))),
        replace(anew.known, key=replace(entry, record=replace(entry.record, key=999))),
        # A copy of it with the older record would open.
        replace(anew.known, key=replace(entry, record=replace(entry.record, key_public=b"k" * 32))),
    ):
        assert access.signed_anew(ours, known) is None
