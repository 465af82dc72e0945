"""Entries of a key's log: read as they lie, and what is none."""

import cbor2
import pytest

from station.records.log_entry import ENTRY_LIMIT_BYTES, LogEntry, is_count, read_entry

RAW = bytes.fromhex("8618291a6afd86c01866666f70656e656419032c1858")


def test_an_entry_is_read_and_what_follows_is_left() -> None:
    assert read_entry(RAW + b"more") == LogEntry(41, 0x6AFD86C0, 102, "opened", 812, 88, RAW)


def test_an_entry_that_is_coded_long_keeps_its_bytes() -> None:
    raw = bytes.fromhex("861900291a6afd86c01866666f70656e656419032c1858")
    entry = read_entry(raw)
    assert entry is not None
    assert (entry.seq, entry.raw) == (41, raw)


def test_what_may_be_unknown_is() -> None:
    entry = read_entry(cbor2.dumps([1, -5, 7, "blocked", 0, 101]))
    assert entry is not None
    assert (entry.time, entry.holder, entry.battery_percent) == (None, None, None)


@pytest.mark.parametrize(
    "value",
    [5, [], [1, 2, 3, "opened", 4], [True, 2, 3, "opened", 4, 5], [-1, 2, 3, "opened", 4, 5], [2**53, 2, 3, "o", 4, 5],
     [1, 2, 0, "opened", 4, 5], [1, 2, 2**32, "opened", 4, 5], [1, 2, 3, "\x1b[31m", 4, 5], [1, 2, 3, "o" * 41, 4, 5],
     [1, 2, 3, b"opened", 4, 5], [1, 2, 3, "öppnad", 4, 5], [1, 2, 3, "", 4, 5]],
    ids=repr,
)  # fmt: skip
def test_what_is_no_entry(value: object) -> None:
    assert read_entry(cbor2.dumps(value)) is None


def test_what_is_torn_or_too_long_is_no_entry() -> None:
    assert all(read_entry(RAW[:n]) is None for n in range(len(RAW)))
    assert read_entry(cbor2.dumps([1, 2, 3, "o" * ENTRY_LIMIT_BYTES, 4, 5])) is None


@pytest.mark.parametrize(("value", "expected"), [(0, True), (2**53, False), (-1, False), (True, False), ("1", False)])
def test_a_count_is_a_number_that_json_can_hold(value: object, expected: bool) -> None:
    assert is_count(value) is expected
