"""The log that locks write on a key: a CBOR sequence (RFC 8742), read from where it was last read."""

from collections.abc import Sequence
from dataclasses import dataclass

from station.ports import LogEvent
from station.records.base64url import encoded
from station.records.log_entry import ENTRY_LIMIT_BYTES, OPENED, LogEntry, entry_of, is_count, read_item
from station.records.log_ids import entry_id, gap_id, garbage_id

LOG_LIMIT_BYTES = 64 * 1024


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
    item = read_item(head)
    return item if item is not None and is_count(item[0]) else None


def read_entries(data: bytes, generation: int) -> LogRead:
    """The whole entries at the start of ``data``, which begins at an entry."""
    entries: list[LogEntry] = []
    at = 0
    while at < len(data):
        item = read_item(data[at : at + ENTRY_LIMIT_BYTES])
        if item is None:
            # Nothing that short is torn for ever: an entry is at most so long.
            return LogRead(generation, entries, at, garbage=len(data) - at > ENTRY_LIMIT_BYTES)
        entry = entry_of(item[0], data[at : at + item[1]])
        if entry is None:
            return LogRead(generation, entries, at, garbage=True)
        entries.append(entry)
        at += item[1]
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
