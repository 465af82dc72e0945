"""What the mirror says, read for a decision: verified once more, and over the turn of daylight saving."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from station.ports import MirrorBundle, MirrorObject
from station.records.claims import Category, ClockSource, KeyKind, Window
from station.records.keys import SigningKey
from station.rules.access import decide
from station.rules.facts import Grant, Now, Policy, Refusal, Shortened, StationFacts
from station.sync.objects import key_known, newest_blocklist, person, record_of
from tests.received import received, take
from tests.services.lying_central import NOW_S, UNIT, LyingCentral
from tests.services.parts import Parts


async def test_what_is_known_of_a_key(central: LyingCentral, synced: Parts) -> None:
    central.key(52)
    assert await synced.poll()
    keys = synced.identity.central_keys
    bundle = await synced.store.bundle(51, [b"t" * 16])
    known = key_known(bundle, 51, keys, synced.readiness.blocklist_claims)
    assert known.key is not None
    assert known.holder is not None
    assert known.permit is not None
    assert known.unit is not None
    assert (known.key.kind, known.holder.holder, known.permit.permit.revision) == (KeyKind.PERSONAL, 11, 100)
    assert (known.unit.unit, known.on_blocklist) == (UNIT, False)
    who = person(bundle, keys)
    assert who is not None
    assert who.permits == (known.permit,)
    pool = key_known(await synced.store.bundle(52), 52, keys, None)
    assert pool.key is not None
    assert (pool.key.kind, pool.holder, pool.permit) == (KeyKind.SUBSTITUTE, None, None)


async def test_nothing_is_known(synced: Parts) -> None:
    bundle = await synced.store.bundle(99, [b"?" * 16])
    known = key_known(bundle, 99, synced.identity.central_keys, None)
    assert (known.key, known.unit, known.holder, known.permit) == (None, None, None, None)
    assert person(bundle, synced.identity.central_keys) is None


async def test_a_database_that_a_thief_has_written_to_opens_nothing(central: LyingCentral, synced: Parts) -> None:
    rogue = SigningKey.generate()
    objects = [central.permit(1, 11, 10**9, signer=rogue), central.key(51, 11, signer=rogue)]
    await take(synced.store, synced.mirror.state, map(received, objects))
    known = key_known(await synced.store.bundle(51), 51, synced.identity.central_keys, None)
    assert (known.key, known.permit) == (None, None)


async def test_of_two_permits_for_one_unit_the_newer_counts(central: LyingCentral, synced: Parts) -> None:
    keys = synced.identity.central_keys
    for first, second in [(101, 102), (104, 103)]:
        objects = [central.permit(1, 11, first), central.permit(2, 11, second)]
        found = tuple(MirrorObject("permit", o["id"], o) for o in objects)
        bundle = await synced.store.bundle(51)
        both = MirrorBundle(bundle.state, bundle.key, bundle.key_unit, bundle.key_holder, found)
        permit = key_known(both, 51, keys, None).permit
        assert permit is not None
        assert permit.permit.revision == max(first, second)


async def test_an_hourly_holder_has_a_permit_for_each_unit(central: LyingCentral, synced: Parts) -> None:
    central.holder(11, category=int(Category.HOURLY))
    central.permit(1, 11, 200, unit=UNIT + 1, category=Category.HOURLY)
    central.permit(2, 11, 201, unit=UNIT, category=Category.HOURLY)
    assert await synced.poll()
    known = key_known(await synced.store.bundle(51), 51, synced.identity.central_keys, None)
    assert known.permit is not None
    assert known.permit.unit == UNIT


async def test_what_a_permit_says_of_its_holder_wins(central: LyingCentral, synced: Parts) -> None:
    keys = synced.identity.central_keys
    bundle = await synced.store.bundle(51)
    hourly = central.permit(1, 11, 200, category=Category.LONG_TERM)
    another = central.permit(1, 12, 200)
    for forged in (hourly, another | {"holder": 11}):
        found = (MirrorObject("permit", 1, forged),)
        known = MirrorBundle(bundle.state, bundle.key, bundle.key_unit, bundle.key_holder, found)
        assert known.key_holder is not None
        assert key_known(known, 51, keys, None).permit is None
        who = person(MirrorBundle(bundle.state, person=bundle.key_holder, person_permits=found), keys)
        assert who is not None
        assert who.permits == ()


def test_the_newest_blocklist(central: LyingCentral) -> None:
    old = MirrorObject("blocklist", 0, central.blocklist(7))
    new = MirrorObject("blocklist", 0, central.blocklist(8, 51))
    keys = [central.signing.public]
    newest = newest_blocklist([record_of(new), None, b"?", record_of(old)], keys)
    assert newest is not None
    assert newest[1].version == 8
    assert newest_blocklist([None], keys) is None
    assert record_of(None) is None
    assert record_of(MirrorObject("area", 1, {})) is None


# --- over the turn of daylight saving ---


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# In Sweden the clock goes from 02 to 03 on 28 March 2027, and from 03 to 02 on 31 October 2027, both at 01:00 UTC.
@pytest.mark.parametrize(
    ("now_s", "end_s", "local_end"),
    [
        pytest.param(at("2027-03-27T20:00"), at("2027-03-28T05:00"), "07:00", id="spring"),
        pytest.param(at("2027-10-30T19:00"), at("2027-10-31T06:00"), "07:00", id="autumn"),
        pytest.param(at("2027-03-28T19:00"), at("2027-03-29T05:00"), "07:00", id="the_night_after"),
    ],
)
async def test_a_night_shift_ends_at_seven_by_the_clock_on_the_wall(
    central: LyingCentral, synced: Parts, now_s: int, end_s: int, local_end: str
) -> None:
    windows = (Window(127, 1260, 1440), Window(127, 0, 420))
    central.permit(1, 11, 200, issued=NOW_S, windows=windows)
    assert await synced.poll()
    facts = await synced.readiness.facts()
    assert facts.zone == ZoneInfo("Europe/Stockholm")
    bundle = await synced.store.bundle(51, [b"t" * 16])
    keys = synced.identity.central_keys
    known = key_known(bundle, 51, keys, None)
    assert known.permit is not None
    record = known.permit.record
    # The same permit in force on that night.
    central.permit(1, 11, 300, issued=now_s - 3600, windows=windows)
    permit = MirrorObject("permit", 1, central.objects["permit", 1])
    night = MirrorBundle(bundle.state, bundle.key, bundle.key_unit, bundle.key_holder, (permit,), bundle.person)
    known = key_known(night, 51, keys, None)
    assert known.permit is not None
    assert known.permit.record != record
    station = StationFacts(off_only=None, certificate_expires=end_s + 86400, zone=facts.zone)
    granted = decide(known, None, [b"t" * 16], None, station, Policy(), Now(0.0, now_s, ClockSource.SYNCED))
    assert isinstance(granted, Grant)
    assert granted.expires == end_s
    assert datetime.fromtimestamp(granted.expires, facts.zone).strftime("%H:%M") == local_end
    if end_s - now_s < 11 * 3600:
        assert granted.shortened is Shortened.WINDOW
    late = decide(known, None, [b"t" * 16], None, station, Policy(), Now(0.0, end_s, ClockSource.SYNCED))
    assert late is Refusal.OUTSIDE_WINDOW
