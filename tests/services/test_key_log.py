"""The log on a key as bytes: what is an entry, what is torn, what is garbage, what is missing."""

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from station.key.log_entries import events, generation_of, read_entries
from station.records.base64url import encoded
from station.records.log_ids import entry_id

ENTRY = [7, 1_790_000_000, 101, "opened", 20, 80]


def test_whole_entries_are_read_and_a_torn_tail_waits() -> None:
    first, second = cbor2.dumps(ENTRY), cbor2.dumps([8, None, 102, "not_active", None, None])
    read = read_entries(first + second + first[:5], 3)
    assert [(e.seq, e.lock, e.outcome, e.time) for e in read.entries] == [
        (7, 101, "opened", 1_790_000_000),
        (8, 102, "not_active", None),
    ]
    assert (read.taken_bytes, read.garbage) == (len(first + second), False)


def test_a_head_is_a_number() -> None:
    assert generation_of(cbor2.dumps(300) + b"rest") == (300, 3)
    for head in (b"", b"\xff", cbor2.dumps("x"), cbor2.dumps(-1), cbor2.dumps(2**63), cbor2.dumps(True), b"\x19\x01"):
        assert generation_of(head) is None


@given(st.binary(max_size=700))
def test_no_bytes_make_it_raise_and_what_it_takes_it_understands(data: bytes) -> None:
    generation_of(data)
    read = read_entries(data, 1)
    assert read.taken_bytes == sum(len(e.raw) for e in read.entries) <= len(data)
    told = events(1, read.entries, None, 5, 0, 1)
    assert all(e.at < 2**53 and 0 < (e.lock or 1) < 2**32 and 0 < (e.holder or 1) < 2**32 for e in told)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6))
def test_numbers_of_any_size(numbers: list[int]) -> None:
    seq, time, lock, _, holder, battery = numbers
    read = read_entries(cbor2.dumps([seq, time, lock, "opened", holder, battery]), 1)
    assert read.garbage == (seq >= 2**53 or not 1 <= lock < 2**32)


def test_the_id_is_made_of_the_key_and_the_entry() -> None:
    raw = cbor2.dumps(ENTRY)
    (event,) = events(501, read_entries(raw, 1).entries, None, 0, 0, 1)
    assert event.id == str(entry_id(501, raw))
    assert (event.at, event.clock, event.holder, event.lock) == (1_790_000_000, 0, 20, 101)
    assert event.data == {
        "generation": 1,
        "seq": 7,
        "outcome": "opened",
        "battery_percent": 80,
        "entry": encoded(raw),
    }


def test_without_a_time_it_is_the_time_of_reading_by_the_stations_clock() -> None:
    (event,) = events(1, read_entries(cbor2.dumps([1, None, 5, "opened", 2, None]), 1).entries, None, 99, 0, 1)
    assert (event.at, event.clock) == (99, 0)


def test_a_gap_is_between_what_is_known_and_what_comes() -> None:
    entries = read_entries(b"".join(cbor2.dumps([n, 1, 5, "opened", 2, None]) for n in (4, 5, 9)), 2).entries
    gaps = [e for e in events(1, entries, 2, 0, 0, 2) if e.type == "log_gap"]
    assert [(e.data["first"], e.data["last"]) for e in gaps] == [(3, 3), (6, 8)]
    assert [e for e in events(1, entries, 8, 0, 0, 2) if e.type == "log_gap"] == []
    other_station = [e for e in events(1, entries, 2, 77, 1, 2) if e.type == "log_gap"]
    assert [e.id for e in other_station] == [e.id for e in gaps]


def test_entries_of_the_test_lock_are_told_like_others() -> None:
    entries = read_entries(
        b"".join(cbor2.dumps([n, 1, lock, "opened", 2, None]) for n, lock in ((1, 5), (2, 1), (3, 5))), 1
    )
    told = events(1, entries.entries, 0, 0, 0, 1)
    assert [(e.type, e.data["seq"]) for e in told] == [("lock_opened", 1), ("lock_opened", 2), ("lock_opened", 3)]
