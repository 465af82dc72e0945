"""What a visit makes its station tell: what was found in the key's log, that the key is off, and on again."""

import os
import time
import uuid
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import cbor2

from station.records.base64url import encoded
from station.records.log_ids import entry_id
from tools.load.sizes import EVENTS_A_VISIT, FIRST_HOLDER, FIRST_KEY, FIRST_LOCK, Caller, Size

OTHERS = 3
"""Of a visit's events: all else is from the key's log."""
POOL_SHARE = 0.2
SHIFT_S = 8 * 3600
ACTIVE_S = 11 * 3600
OLD_LOG = 10**9
"""Numbers in keys' logs begin beyond those that a seeded database has."""


class Visits:
    """Makes up visits, each of another key of the station's site, as their events; the same for a seed and an hour."""

    def __init__(self, size: Size, seed: int) -> None:
        self._size = size
        self._random = Random(seed)  # noqa: S311  (a morning that can be repeated; nothing secret)
        self._entries: dict[tuple[int, int], Iterator[int]] = {}
        self._instances: dict[Caller, tuple[uuid.UUID, Iterator[int]]] = {}

    def key(self) -> int:
        """The number of a key that somebody comes with."""
        pools = self._random.random() < POOL_SHARE
        n = self._random.randrange(self._size.pool_keys if pools else self._size.employees)
        return FIRST_KEY + n + (self._size.employees if pools else 0)

    def events(self, station: Caller, key: int) -> list[dict[str, Any]]:
        """What ``station`` tells of that key's visit: `EVENTS_A_VISIT` events."""
        now = int(time.time())
        is_pool = key >= FIRST_KEY + self._size.employees
        first, choices = (self._size.employees, self._size.hourly) if is_pool else (key - FIRST_KEY, 1)
        holder = FIRST_HOLDER + first + self._random.randrange(choices)
        about = {"key": key, "holder": holder}
        seen = {"source": "online", "mirror_age_s": 20, "duration_ms": 900, "wire_bytes": 4200}
        active = {"expires": now + ACTIVE_S, "areas": 2, "locks": 0}
        told: list[dict[str, Any]] = [{"type": "key_synced", **about, "data": seen}]
        told += [self._entry(station.site, key, holder, now) for _ in range(EVENTS_A_VISIT - OTHERS - is_pool)]
        told.append({"type": "key_deactivated", **about, "data": {}})
        told.append({"type": "key_activated", **about, "data": active})
        if is_pool:
            told.append({"type": "pool_key_taken", **about, "data": {}})
        instance, numbers = self._instances.setdefault(station, (uuid.uuid4(), count(1)))
        rest = {"instance": str(instance), "at": now, "clock": 0}
        return [{"id": _new_id(now), "seq": next(numbers)} | rest | each for each in told]

    def _entry(self, site: int, key: int, holder: int, now: int) -> dict[str, Any]:
        seq = next(self._entries.setdefault((site, key), count(OLD_LOG)))
        at = now - self._random.randrange(SHIFT_S)
        lock = FIRST_LOCK + self._random.randrange(self._size.locks)
        raw = cbor2.dumps([seq, at, lock, "opened", holder, 80], canonical=True)
        data = {"generation": 1, "seq": seq, "outcome": "opened", "entry": encoded(raw), "battery_percent": 80}
        names = {"key": key, "holder": holder, "lock": lock}
        return {"id": str(entry_id(key, raw)), "at": at, "type": "lock_opened", **names, "data": data}


def _new_id(now: int) -> str:
    """A UUID of version 7 (RFC 9562): time first."""
    raw = bytearray((now * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))
