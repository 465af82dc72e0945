"""What stations tell of keys' logs: events with the bytes that a lock would have written."""

import time
from typing import Any
from uuid import uuid4

import cbor2

from station.records.base64url import encoded
from station.records.log_ids import entry_id, gap_id

_NOW = object()


def entry_event(
    key: int = 100,
    seq: int = 1,
    *,
    at: Any = _NOW,
    lock: int = 101,
    outcome: str = "opened",
    holder: int | None = 10,
    battery_percent: int | None = 80,
    generation: int = 1,
) -> dict[str, Any]:
    """An entry, as an honest station tells it. ``at`` None: the key had no time."""
    at = int(time.time()) if at is _NOW else at
    raw = cbor2.dumps([seq, at, lock, outcome, holder, battery_percent], canonical=True)
    data = {"generation": generation, "seq": seq, "outcome": outcome, "entry": encoded(raw)}
    if battery_percent is not None:
        data["battery_percent"] = battery_percent
    event = {
        "id": str(entry_id(key, raw)),
        "type": "lock_opened" if outcome == "opened" else "lock_refused",
        "at": int(time.time()) if at is None else at,
        "key": key,
        "lock": lock,
        "data": data,
    }
    return event | ({} if holder is None else {"holder": holder}) | _station()


def gap_event(first: int, last: int, key: int = 100) -> dict[str, Any]:
    """Entries that are missing."""
    data = {"first": first, "last": last}
    event = {"id": str(gap_id(key, first, last)), "type": "log_gap", "at": int(time.time()), "key": key, "data": data}
    return event | _station()


def _station() -> dict[str, Any]:
    return {"instance": str(uuid4()), "seq": 1, "clock": 0}
