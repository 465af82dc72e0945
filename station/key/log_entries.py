"""The log that locks write on a key: a CBOR sequence (RFC 8742), read from where it was last read."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from station.ports import LogEvent
from station.records.base64url import encoded
from station.records.claims import MAX_UINT32
from station.records.log_ids import entry_id, gap_id, garbage_id

LOG_LIMIT_BYTES = 64 * 1024
ENTRY_LIMIT_BYTES = 256
OPENED = "opened"
MAX_COUNT = 2**53 - 1
"""What JSON and SQLite both carry; a key that has counted beyond it is broken."""


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


@dataclass(frozen=True, slots=True)
class LogRead:
    """What a stretch of log had: whole entries, and how many of its bytes they took."""

    generation: int
    entries: Sequence[LogEntry]
    taken_bytes: int
    garbage: bool
    """What follows is not an entry and never will be one (a torn tail is not garbage: it may go on)."""

    def follows(self, seq: int) -> bool:
        """Whether this may be what comes after the entry ``seq``, and not the middle of some other log."""
        return self.entries[0].seq > seq if self.entries else not self.garbage


def generation_of(head: bytes) -> tuple[int, int] | None:
    """The generation that a log begins with, and the bytes it takes; None when it begins otherwise."""
    item = _item(head, 0)
    return (item[0], item[1]) if item is not None and _uint(item[0], MAX_COUNT) else None


def read_entries(data: bytes, generation: int) -> LogRead:
    """The whole entries at the start of ``data``, which begins at an entry."""
    entries: list[LogEntry] = []
    at = 0
    while at < len(data):
        item = _item(data, at)
        if item is None:
            # Nothing that short is torn for ever: an entry is at most so long.
            return LogRead(generation, entries, at, garbage=len(data) - at > ENTRY_LIMIT_BYTES)
        entry = _entry(item[0], data[at : item[1]])
        if entry is None:
            return LogRead(generation, entries, at, garbage=True)
        entries.append(entry)
        at = item[1]
    return LogRead(generation, entries, at, garbage=False)


def events(
    key: int, entries: Sequence[LogEntry], before: int | None, now_s: int, clock: int | str, generation: int
) -> list[LogEvent]:
    """What opened or refused, and the gaps between. ``before``: the newest seq known, here or to central; or None.

    Entries up to it are told all the same: whether they are known is for their ids to say. ``now_s`` and ``clock`` are
    the station's.
    """
    found: list[LogEvent] = []
    last = before
    for entry in entries:
        if last is not None and entry.seq > last + 1:
            found.append(_gap(key, last + 1, entry.seq - 1, now_s, clock))
        last = max(entry.seq, last or 0)
        # What counts is ``entry``: whoever judges it reads the rest from there.
        data: dict[str, int | str] = {"generation": generation, "seq": entry.seq, "outcome": entry.outcome}
        data["entry"] = encoded(entry.raw)
        if entry.battery_percent is not None:
            data["battery_percent"] = entry.battery_percent
        found.append(
            LogEvent(
                "lock_opened" if entry.outcome == OPENED else "lock_refused",
                at=now_s if entry.time is None else entry.time,
                clock=clock,
                key=key,
                holder=entry.holder,
                lock=entry.lock,
                data=data,
                id=str(entry_id(key, entry.raw)),
            )
        )
    return found


def garbage(key: int, generation: int, offset: int, now_s: int, clock: int | str) -> LogEvent:
    """Bytes that are no entry, from ``offset`` of the file on."""
    return LogEvent(
        "record_refused",
        at=now_s,
        clock=clock,
        key=key,
        data={"type": "log", "reason": "log_garbage", "generation": generation, "offset": offset},
        id=str(garbage_id(key, generation, offset)),
    )


def _gap(key: int, first: int, last: int, now_s: int, clock: int | str) -> LogEvent:
    """Entries that were never seen."""
    return LogEvent(
        "log_gap",
        at=now_s,
        clock=clock,
        key=key,
        data={"first": first, "last": last},
        id=str(gap_id(key, first, last)),
    )


def _item(data: bytes, at: int) -> tuple[Any, int] | None:
    """One CBOR item at ``at`` and where it ends; None when it is not all there or not CBOR."""
    stream = io.BytesIO(data[at : at + ENTRY_LIMIT_BYTES])
    try:
        value = cbor2.CBORDecoder(stream, read_size=1).decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return None
    return value, at + stream.tell()


def _entry(value: object, raw: bytes) -> LogEntry | None:
    if not isinstance(value, list) or len(value) != 6:
        return None
    seq, time, lock, outcome, holder, battery = value
    if not _uint(seq, MAX_COUNT) or not _uint(lock, MAX_UINT32) or not lock:
        return None
    if not isinstance(outcome, str) or not outcome.isascii() or not outcome.isidentifier() or len(outcome) > 40:
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


def _uint(value: object, high: int) -> bool:
    return type(value) is int and 0 <= value <= high
