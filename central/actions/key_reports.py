"""What reports tell of keys: which record each key carries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from central.models import Event, Key
from station.records import claims
from station.records.envelope import claimed

MAX_SEQ = 2**53
RECORD_SEEN = {"key_record_written": "issued", "key_synced": "record_issued"}
"""Events that say which record is on a key, and under what name."""


def note_records_seen(keys: Mapping[int, Key], events: Iterable[Event]) -> None:
    """Keep when the newest record was signed that these events have seen on each of ``keys``, by number.

    A change of the central key is over when every key has the record by the new one. It is nothing that stations hear
    of, so it is written past the change feed.
    """
    seen: dict[int, set[int]] = defaultdict(set)
    for event in events:
        name = RECORD_SEEN.get(event.type)
        issued = event.data.get(name) if name is not None else None
        if event.key is not None and event.key in keys and _counts(issued):
            seen[event.key].add(issued)
    moved = []
    for number, told in seen.items():
        key = keys[number]
        newest = claimed(claims.KeyRecord, None if key.record is None else bytes(key.record))
        # A later one than there is: it would count in every change of keys to come.
        there = [issued for issued in told if newest is not None and issued <= newest.issued]
        if there and max(there) > (key.record_carried or 0):
            key.record_carried = max(there)
            moved.append(key)
    if moved:
        Key.objects.bulk_update(moved, ["record_carried"])


def _counts(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_SEQ
