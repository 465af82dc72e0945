"""The ranges of claims, from both sides: just inside is read, just outside is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.records.claims import (
    Blocklist,
    Category,
    ClaimError,
    Claims,
    Head,
    KeyKind,
    KeyRecord,
    LogPosition,
    Permit,
    StationCertificate,
    Sync,
    Window,
)
from station.records.keys import SigningKey
from tests.records.strategies import CLAIMS

PERMIT = Permit(9, 5, 5, 812, 1, (3, 5), (101, 102), (Window(1, 0, 1440),), b"t" * 16, Category.PERMANENT).to_map()
PUBLIC_KEY = SigningKey(b"\1" * 32).public
NOT_A_POINT = b"\2" + bytes(31)
SMALL_ORDER = b"\1" + bytes(31)
CERTIFICATE: dict[int, Any] = {4: 9, 6: 5, 12: 4, 31: 7, 34: PUBLIC_KEY, 35: 0}
KEY_RECORD: dict[int, Any] = {6: 5, 10: 41, 11: 1, 12: 4, 36: PUBLIC_KEY}
HEAD: dict[int, Any] = {6: 5, 10: 41, 31: 7, 40: 1, 50: b"n" * 16, 51: 0, 52: b"d" * 32, 53: [0, 0]}
BLOCKLIST: dict[int, Any] = {4: 9, 6: 5, 40: 1, 41: [], 42: []}


@pytest.mark.parametrize("kind", CLAIMS, ids=lambda k: k.TYPE)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_map_round_trip(kind: type[Claims], data: st.DataObject) -> None:
    claims = data.draw(CLAIMS[kind])
    payload = claims.to_map()
    assert list(payload) == sorted(payload)
    assert kind.from_map(payload) == claims


@pytest.mark.parametrize(
    ("kind", "payload", "claim", "good", "bad"),
    [
        (Permit, PERMIT, 4, [0, 2**64 - 1], [-1, 2**64, True, 1.0, "1", None, b"1"]),
        (Permit, PERMIT, 20, [1, 2**32 - 1], [0, 2**32]),
        (
            Permit,
            PERMIT,
            22,
            [[], [0], [1, 1], [2**32 - 1]],
            [[0, 1], [1, 0], [1, -1], [2**32], [True], ["1"], 7, None],
        ),
        (Permit, PERMIT, 22, [[1] * 1000], [[1] * 1001]),
        (Permit, PERMIT, 23, [[], [1]], [[0], [2**32 - 1, 1]]),
        (Permit, PERMIT, 24, [[], [[127, 0, 1440]], [[1, 1439, 1440]]], [[[0, 0, 1]], [[128, 0, 1]], [[1, 5, 5]]]),
        (Permit, PERMIT, 24, [[[1, 0, 1]] * 14], [[[1, 0, 1]] * 15, [[1, 0, 1441]], [[1, -1, 5]], [[1, 0]], [7], 7]),
        (Permit, PERMIT, 24, [], [[[True, 0, 1]], [[1, 0, 1.0]], [[1, 0, 1, 2]]]),
        (Permit, PERMIT, 25, [b"x" * 16], [b"x" * 15, b"x" * 17, "x" * 16, None]),
        (Permit, PERMIT, 26, [0, 2], [3, -1, False]),
        (StationCertificate, CERTIFICATE, 31, [1, 65535], [0, 65536]),
        (
            StationCertificate,
            CERTIFICATE,
            34,
            [PUBLIC_KEY],
            [PUBLIC_KEY[:31], SMALL_ORDER, NOT_A_POINT, "k" * 32, None],
        ),
        (KeyRecord, KEY_RECORD, 36, [PUBLIC_KEY], [PUBLIC_KEY + b"k", SMALL_ORDER, NOT_A_POINT, None]),
        (StationCertificate, CERTIFICATE, 35, [0, 1, 2], [3]),
        (Blocklist, BLOCKLIST, 41, [[1] * 3000], [[1] * 3001, [0]]),
        (Blocklist, BLOCKLIST, 42, [[1] * 100], [[1] * 101]),
        (Head, HEAD, 51, [0, 2**64 - 1], [-1, 2**64, False]),
        (Head, HEAD, 52, [b"d" * 32], [b"d" * 16]),
        (Head, HEAD, 53, [[0, 2**64 - 1]], [[0], [0, 1, 2], [0, -1], [0, 2**64], [True, 1], 7, {}, None, "01"]),
    ],
)
def test_range(kind: type[Claims], payload: dict[int, Any], claim: int, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert kind.from_map(payload | {claim: value}).to_map()[claim] == value
    for value in bad:
        with pytest.raises(ClaimError):
            kind.from_map(payload | {claim: value})


@pytest.mark.parametrize("payload", [[], 7, None, b"", "map"])
def test_not_a_map(payload: object) -> None:
    with pytest.raises(ClaimError):
        Sync.from_map(payload)


@pytest.mark.parametrize(
    ("kind", "holder"), [(KeyKind.PERSONAL, None), (KeyKind.SUBSTITUTE, 1), (KeyKind.EMERGENCY, 1)]
)
def test_a_personal_key_has_a_holder_and_a_pool_key_none(kind: KeyKind, holder: int | None) -> None:
    with pytest.raises(ClaimError):
        KeyRecord(5, 41, kind, 4, holder)


@pytest.mark.parametrize("locks", [(2, 1), (1, 1), (0,), (-1, 3), (2**32,), tuple(range(1, 1002))])
def test_wrong_lists_are_not_written(locks: tuple[int, ...]) -> None:
    with pytest.raises(ClaimError):
        Permit(9, 5, 5, 812, 1, (), locks, (), b"t" * 16, Category.PERMANENT).to_map()


def test_wrong_windows_are_not_written() -> None:
    with pytest.raises(ClaimError):
        Permit(9, 5, 5, 812, 1, (), (), (Window(1, 5, 5),), b"t" * 16, Category.PERMANENT).to_map()


def test_a_required_claim_is_not_left_out_in_writing() -> None:
    with pytest.raises(ClaimError):
        Sync(5, None, 7).to_map()  # type: ignore[arg-type]


@pytest.mark.parametrize(("key", "log_seen"), [(41, None), (None, LogPosition(1, 2))])
def test_how_far_a_log_is_known_goes_with_its_key(key: int | None, log_seen: LogPosition | None) -> None:
    with pytest.raises(ClaimError):
        Head(5, 7, 1, b"n" * 16, 0, b"d" * 32, key, log_seen)


def test_of_two_positions_in_a_log_the_greater_is_the_later() -> None:
    assert max(LogPosition(2, 5), LogPosition(1, 9), LogPosition(2, 4)) == LogPosition(2, 5)


def test_a_record_that_names_no_real_key_is_not_written() -> None:
    with pytest.raises(ClaimError):
        KeyRecord(5, 41, KeyKind.EMERGENCY, 4, key_public=SMALL_ORDER).to_map()
