"""Wrong PINs of all stations together: what counts, what locks, and how many keys one station may lock."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from central.actions.codes import new_enrolment_code
from central.actions.keys import unlock_key
from central.feed import change_and_sign
from central.models import Key, Task
from tests.central.served import Caller, Served
from tests.central.site import make_site, saved

NOW = int(time.time())
PERSONAL, POOL = 100, 101


@pytest.fixture
def town(served: Served) -> SimpleNamespace:
    """A site with pool keys."""
    return make_site(2, pools=True)


@pytest.fixture
def stations(town: SimpleNamespace, served: Served) -> Iterator[list[Caller]]:
    """Two of its stations."""
    with httpx.Client(base_url=f"{served.url}/api/v1") as one, httpx.Client(base_url=f"{served.url}/api/v1") as two:
        callers = [Caller(one), Caller(two)]
        for caller, part in zip(callers, (town.one, town.two), strict=True):
            assert caller.enrol(new_enrolment_code(part.station)).status_code == 201
        yield callers


def wrong(key: int = PERSONAL, at: int = NOW, clock: Any = 0) -> dict[str, Any]:
    return {"type": "pin_rejected", "key": key, "at": at, "clock": clock}


def key_of(town: SimpleNamespace, number: int = PERSONAL) -> Key:
    return Key.objects.get(site=town.site, number=number)


@pytest.mark.parametrize("number", [PERSONAL, POOL])
def test_ten_wrong_pins_of_two_stations_lock_the_key_at_both(
    town: SimpleNamespace, stations: list[Caller], number: int
) -> None:
    """Nine tries at each of thirteen stations were 117."""
    one, two = stations
    before = one.snapshot()["cursor"]
    one.reported(*[wrong(number)] * 9)
    assert not key_of(town, number).is_locked
    two.reported(wrong(number))
    locked = key_of(town, number)
    assert locked.is_locked
    assert NOW <= (locked.locked_at or 0) <= time.time()
    told = [o for o in two.snapshot()["objects"] if (o["type"], o["id"]) == ("key", number)]
    assert told[0]["locked_at"] == locked.locked_at
    assert one.snapshot()["cursor"] != before


def test_an_event_that_comes_twice_counts_once(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    same = wrong() | {"id": "0192f5a0-0000-7000-8000-000000000001"}
    for _ in range(12):
        one.report(same)
    assert len(key_of(town).wrong_pins) == 1


def test_unlocking_starts_the_sum_anew(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, two = stations
    one.reported(*[wrong()] * 10)
    unlock_key(key_of(town))
    unlocked_at = key_of(town).unlocked_at or 0
    two.reported(*[wrong(at=unlocked_at)] * 9)
    assert not key_of(town).is_locked
    # What was tried before and comes late is nobody's try of now.
    two.reported(*[wrong(at=unlocked_at - 1)] * 30)
    assert not key_of(town).is_locked
    two.reported(wrong(at=unlocked_at))
    assert key_of(town).is_locked


def test_a_right_pin_begins_anew_on_a_personal_key_and_not_on_a_pool_key(
    town: SimpleNamespace, stations: list[Caller]
) -> None:
    one, two = stations
    for number in (PERSONAL, POOL):
        one.reported(*[wrong(number, at=NOW - 100)] * 9)
        one.reported({"type": "key_activated", "key": number, "holder": 10, "at": NOW - 50, "data": {"expires": NOW}})
        # The other station was away: these were before the right PIN.
        two.reported(*[wrong(number, at=NOW - 60)] * 5)
    assert not key_of(town, PERSONAL).is_locked
    assert key_of(town, POOL).is_locked
    two.reported(*[wrong(at=NOW - 40)] * 9)
    assert not key_of(town).is_locked
    two.reported(wrong(at=NOW - 40))
    assert key_of(town).is_locked


def test_on_pool_keys_wrong_pins_fade_after_a_day(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    for number in (PERSONAL, POOL):
        one.reported(*[wrong(number, at=NOW - 25 * 3600)] * 10)
    assert key_of(town, PERSONAL).is_locked
    assert not key_of(town, POOL).is_locked
    # Those that were fresh when they came are old by now.
    Key.objects.filter(site=town.site, number=POOL).update(wrong_pins=[NOW - 86500] * 9)
    one.reported(wrong(POOL))
    assert not key_of(town, POOL).is_locked
    one.reported(*[wrong(POOL)] * 9)
    assert key_of(town, POOL).is_locked


def test_an_unknown_clock_counts_by_the_receipt(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    unlock_key(key_of(town, POOL))
    one.reported(*[wrong(POOL, at=5, clock="unknown")] * 10)
    assert key_of(town, POOL).is_locked


def test_what_is_only_told_beside_counts_nothing(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    refused = {"type": "key_refused", "key": POOL, "holder": 10, "at": NOW, "data": {"reason": "not_hourly"}}
    one.reported(*[refused] * 20)
    assert key_of(town, POOL).wrong_pins == []


def test_a_key_locked_at_one_station_is_locked_for_all(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    one.reported({"type": "key_locked_out", "key": PERSONAL, "at": NOW - 30})
    assert key_of(town).locked_at == NOW - 30
    one.reported({"type": "key_locked_out", "key": POOL, "at": NOW + 9999})
    assert NOW <= (key_of(town, POOL).locked_at or 0) <= time.time()


def test_a_late_report_does_not_lock_what_was_unlocked_since(town: SimpleNamespace, stations: list[Caller]) -> None:
    one, _ = stations
    unlock_key(key_of(town))
    one.reported({"type": "key_locked_out", "key": PERSONAL, "at": NOW - 500})
    assert (key_of(town).locked_at, key_of(town).is_locked) == (None, False)
    one.reported({"type": "key_locked_out", "key": PERSONAL, "at": 1, "clock": "unknown"})
    assert key_of(town).is_locked
    one.reported({"type": "key_locked_out", "key": 9999})


def test_one_station_locks_ten_keys_an_hour_and_then_it_is_an_alarm(
    town: SimpleNamespace, stations: list[Caller]
) -> None:
    one, two = stations
    with change_and_sign():
        for number in range(1000, 1030):
            saved(Key(site=town.site, number=number, kind=1, unit=town.one.unit, status="active"))
    locked = Key.objects.filter(site=town.site, locked_at__isnull=False)
    one.reported(*[{"type": "key_locked_out", "key": number, "at": NOW} for number in range(1000, 1020)])
    assert list(locked.values_list("number", flat=True)) == list(range(1000, 1010))
    one.reported(*[wrong(1020)] * 10)
    assert locked.count() == 10
    alarm = Task.objects.get(site=town.site)
    assert (alarm.kind, alarm.station, alarm.unit) == ("many_locked", town.one.station, town.one.unit)
    # Another station's word still counts, and unlocking one gives the first no more to lock.
    two.reported({"type": "key_locked_out", "key": 1019, "at": NOW})
    unlock_key(Key.objects.get(site=town.site, number=1000))
    one.reported({"type": "key_locked_out", "key": 1018, "at": NOW})
    assert set(locked.values_list("number", flat=True)) == {*range(1000, 1010), 1019}
    Key.objects.filter(site=town.site).exclude(locked_by=None).update(locked_noted_at=NOW - 3700)
    one.reported(wrong(1020))
    assert Key.objects.get(site=town.site, number=1020).is_locked
