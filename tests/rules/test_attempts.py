"""Wrong PINs: waits, the lock, and what is forgotten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.records.claims import KeyKind
from station.rules.attempts import (
    LOCK_AT,
    POOL_FADE_S,
    AttemptCount,
    counted,
    current,
    in_force,
    locked_by_central,
    taken_back,
)
from station.rules.facts import KeyEntry
from tests.visit.visiting import EMERGENCY, NOON, OWN, SUBSTITUTE

assert OWN.known.key
assert SUBSTITUTE.known.key
assert EMERGENCY.known.key
PERSONAL: KeyEntry = OWN.known.key
POOLS: list[KeyEntry] = [SUBSTITUTE.known.key, EMERGENCY.known.key]


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [(0, 0), (1, 0), (2, 0), (3, 0), (4, 5), (5, 15), (6, 30), (7, 60), (8, 120), (9, 300), (10, 300), (40, 300)],
)
def test_the_wait_grows_from_the_fourth_failure(failures: int, wait_s: int) -> None:
    meant = in_force(AttemptCount(100, failures), PERSONAL, 50.0)
    assert meant.wait_until_s == (50.0 + wait_s if wait_s else 0.0)
    assert meant.failures == failures


def test_the_tenth_failure_locks() -> None:
    assert not in_force(AttemptCount(100, 9), PERSONAL, 0.0).locked
    assert in_force(AttemptCount(100, 10), PERSONAL, 0.0).locked
    assert in_force(AttemptCount(100, 10), None, 0.0).locked


@pytest.mark.parametrize(
    ("locked_at", "unlocked_at", "locked"),
    [
        (None, None, False),
        (None, 5, False),
        (5, None, True),
        (5, 4, True),
        (5, 6, False),
        (5, 5, False),
        (0, None, False),
    ],
)
def test_central_locks_and_unlocks(locked_at: int | None, unlocked_at: int | None, locked: bool) -> None:
    entry = replace(PERSONAL, locked_at=locked_at, unlocked_at=unlocked_at)
    assert locked_by_central(entry) is locked
    assert in_force(AttemptCount(100), entry, 0.0).locked is locked
    assert not locked_by_central(None)


def test_an_attempt_is_counted_with_its_time_and_the_unlock_known_then() -> None:
    entry = replace(PERSONAL, unlocked_at=NOON - 5)
    assert counted(AttemptCount(100, 3), entry, NOON) == AttemptCount(100, 4, NOON, NOON - 5)
    assert counted(AttemptCount(100, 3, unlock_seen=7), None, NOON) == AttemptCount(100, 4, NOON, 7)


def test_a_right_pin_on_a_personal_key_takes_back_all() -> None:
    assert taken_back(AttemptCount(100, 9, NOON, 5), KeyKind.PERSONAL) == AttemptCount(100)


@pytest.mark.parametrize("kind", [KeyKind.SUBSTITUTE, KeyKind.EMERGENCY])
def test_a_right_pin_on_a_pool_key_takes_back_its_own(kind: KeyKind) -> None:
    assert taken_back(AttemptCount(200, 3, NOON, 5), kind) == AttemptCount(200, 2, NOON, 5)
    assert taken_back(AttemptCount(200, 1, NOON, 5), kind) == AttemptCount(200)
    assert taken_back(AttemptCount(200), kind) == AttemptCount(200)


@pytest.mark.parametrize("pool", POOLS, ids=lambda e: e.kind.name)
def test_failures_on_a_pool_key_fade_after_a_day(pool: KeyEntry) -> None:
    count = AttemptCount(200, 9, NOON)
    assert current(count, pool, NOON + POOL_FADE_S - 1) == count
    assert current(count, pool, NOON + POOL_FADE_S) == AttemptCount(200)


def test_those_on_a_personal_key_do_not_and_a_lock_never_does() -> None:
    count = AttemptCount(100, 9, NOON)
    assert current(count, PERSONAL, NOON + 9 * POOL_FADE_S) == count
    locked = AttemptCount(200, LOCK_AT, NOON)
    assert current(locked, POOLS[0], NOON + 9 * POOL_FADE_S) == locked


def test_a_clock_that_went_back_fades_nothing() -> None:
    count = AttemptCount(200, 5, NOON)
    assert current(count, POOLS[0], NOON - 5 * POOL_FADE_S) == count


def test_central_unlocks_what_was_counted_before() -> None:
    count = AttemptCount(100, LOCK_AT, NOON, None)
    assert current(count, replace(PERSONAL, unlocked_at=NOON + 60), NOON + 70) == AttemptCount(100)
    again = AttemptCount(100, LOCK_AT, NOON + 90, NOON + 60)
    assert current(again, replace(PERSONAL, unlocked_at=NOON + 60), NOON + 99) == again
    assert current(again, replace(PERSONAL, unlocked_at=NOON + 95), NOON + 99) == AttemptCount(100)


@pytest.mark.parametrize("older", [None, NOON - 60])
def test_a_mirror_that_went_back_unlocks_nothing(older: int | None) -> None:
    count = AttemptCount(100, LOCK_AT, NOON + 90, NOON + 60)
    assert current(count, replace(PERSONAL, unlocked_at=older), NOON + 99) == count


def test_an_unlock_at_0_is_none() -> None:
    assert current(AttemptCount(100, 9), replace(PERSONAL, unlocked_at=0), NOON) == AttemptCount(100, 9)


def test_a_key_that_central_does_not_know_keeps_its_count() -> None:
    count = AttemptCount(100, 3, NOON)
    assert current(count, None, NOON + 9 * POOL_FADE_S) == count
    assert current(AttemptCount(100), PERSONAL, NOON) == AttemptCount(100)


@given(st.lists(st.integers(0, 3600), min_size=LOCK_AT, max_size=30), st.sampled_from([PERSONAL, *POOLS]))
def test_ten_wrong_pins_within_a_day_lock_every_kind_of_key(gaps: list[int], entry: KeyEntry) -> None:
    count, now_s = AttemptCount(entry.record.key), NOON
    for gap in gaps[:LOCK_AT]:
        now_s += gap
        count = counted(current(count, entry, now_s), entry, now_s)
    assert in_force(count, entry, 0.0).locked
