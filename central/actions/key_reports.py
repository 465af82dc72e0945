"""What reports tell of keys: how far central has each key's log, and which record each key carries.

A station sends a key's log in order, so the highest entry is the mark: stations tell the key what it may forget by it.
"""

from collections.abc import Iterable
from typing import TypeGuard

from central.models import Event, Key, LogMark
from central.models.events import OPENING_TYPES

MAX_SEQ = 2**53
RECORD_SEEN = {"key_record_written": "issued", "key_synced": "record_issued"}
"""Events that say which record is on a key, and under what name."""


def note_log_marks(site: int, events: Iterable[Event]) -> None:
    """Keep the highest log entry of each key among these events. Nothing of it is in the mirror: see ``head/1``."""
    marks: dict[int, tuple[int, int]] = {}
    for event in events:
        generation, seq = event.data.get("generation"), event.data.get("seq")
        if event.type in OPENING_TYPES and event.key is not None and _counts(generation) and _counts(seq):
            marks[event.key] = max(marks.get(event.key, (-1, -1)), (generation, seq))
    if not marks:
        return
    keys = {key.number: key for key in Key.objects.filter(site_id=site, number__in=list(marks))}
    known = {mark.key_id: mark for mark in LogMark.objects.filter(key__in=keys.values())}
    moved = []
    for number, key in keys.items():
        mark = known.get(key.pk) or LogMark(key=key, generation=-1, seq=-1)
        if marks[number] > (mark.generation, mark.seq):
            mark.generation, mark.seq = marks[number]
            moved.append(mark)
    LogMark.objects.bulk_create(
        moved, update_conflicts=True, unique_fields=["key"], update_fields=["generation", "seq"]
    )


def note_records_seen(site: int, events: Iterable[Event]) -> None:
    """Keep when the newest record was signed that these events have seen on each key. Inside a change.

    A change of the central key is over when every key has the record by the new one. It is nothing that stations hear
    of, so it is written past the change feed.
    """
    seen: dict[int, int] = {}
    for event in events:
        name = RECORD_SEEN.get(event.type)
        issued = event.data.get(name) if name is not None else None
        if event.key is not None and _counts(issued):
            seen[event.key] = max(seen.get(event.key, 0), issued)
    if not seen:
        return
    moved = []
    for key in Key.objects.filter(site_id=site, number__in=list(seen)).only("number", "record_carried"):
        if seen[key.number] > (key.record_carried or 0):
            key.record_carried = seen[key.number]
            moved.append(key)
    if moved:
        Key.objects.bulk_update(moved, ["record_carried"])


def _counts(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_SEQ
