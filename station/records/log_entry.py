"""One entry of a key's log, from its bytes as they lie there. Source: the key-link contract, "Files".

Not signed, and so no evidence by itself: whoever has the key and a serial cable can write some.
"""

import io
from dataclasses import dataclass
from typing import Any

import cbor2

from station.records.claims import MAX_UINT32

ENTRY_LIMIT_BYTES = 256
OUTCOME_LIMIT_CHARACTERS = 40
OPENED = "opened"
TEST_LOCK = 1
"""Every station's test lock."""
MAX_COUNT = 2**53 - 1
"""What JSON and databases both carry; a key that has counted beyond it is broken."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a lock wrote: `raw` is the entry's bytes as they are on the key."""

    seq: int
    time: int | None
    lock: int
    outcome: str
    holder: int | None
    battery_percent: int | None
    raw: bytes


def read_entry(data: bytes) -> LogEntry | None:
    """The entry at the start of ``data``; what follows it is not looked at. None: not all there, or no entry."""
    item = read_item(data)
    return None if item is None else entry_of(item[0], data[: item[1]])


def read_item(data: bytes) -> tuple[Any, int] | None:
    """The CBOR item at the start of ``data``, and how many bytes it takes; None when it is not all there or none."""
    stream = io.BytesIO(data[:ENTRY_LIMIT_BYTES])
    try:
        value = cbor2.CBORDecoder(stream, read_size=1).decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return None
    return value, stream.tell()


def entry_of(value: object, raw: bytes) -> LogEntry | None:
    """The entry that the CBOR item ``value``, coded as ``raw``, is; None for another item."""
    if not isinstance(value, list) or len(value) != 6:
        return None
    seq, time, lock, outcome, holder, battery = value
    if not _uint(seq, MAX_COUNT) or not _uint(lock, MAX_UINT32) or not lock:
        return None
    if not isinstance(outcome, str) or not outcome.isascii() or not outcome.isidentifier():
        return None
    if len(outcome) > OUTCOME_LIMIT_CHARACTERS:
        return None
    # What else is out of range is not known, and the opening is told all the same.
    return LogEntry(
        seq,
        time if _uint(time, MAX_COUNT) else None,
        lock,
        outcome,
        holder if _uint(holder, MAX_UINT32) and holder else None,
        battery if _uint(battery, 100) else None,
        raw,
    )


def is_count(value: object) -> bool:
    """Whether ``value`` is a generation or a number of an entry."""
    return _uint(value, MAX_COUNT)


def _uint(value: object, high: int) -> bool:
    return type(value) is int and 0 <= value <= high
