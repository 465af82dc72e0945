"""What a busy station has in its outbox after thirty days without central: 500 visits a day, each with a key's log."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cbor2

from offline_cache import SqliteStore
from station.key import log_entries
from station.ports import Change, LogEvent
from station.records.claims import ClockSource, KeyKind, KeyRecord
from station.rules.clock import ClockReadings, ClockRules
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper
from station.visit.inputs import KeySeen

EVENTS = 100_000
"""500 visits a day for 30 days are 15,000: three events of its own each, and three or four entries of the key's log."""
KEYS = 400
BEGAN_S = 1_800_000_000
DAY_S = 86400
COMMIT_EVENTS = 500


class _Clocks:
    """A trusted clock that stands where it is put."""

    unix_s = BEGAN_S

    def __call__(self) -> ClockReadings:
        return ClockReadings(self.unix_s, float(self.unix_s), "a-boot", rtc_unix_s=self.unix_s)


def events(store: SqliteStore) -> Iterator[LogEvent]:
    """As the recorder and the reader of logs make them, visit by visit."""
    clocks = _Clocks()
    rules = ClockRules(trust_ntp=False, trust_rtc=True, holdover_days=10)
    recorder = Recorder(store, Timekeeper(clocks, rules), kept=lambda: None, failed=lambda _: None)
    visit = 0
    while True:
        number = visit % KEYS
        record = KeyRecord(issued=BEGAN_S, key=5001 + number, kind=KeyKind.PERSONAL, unit=7, holder=1001 + number)
        seen = KeySeen(b"", record)
        yield recorder.event("key_deactivated", seen)
        duration_ms, wire_bytes = 900 + visit % 700, 4000 + visit % 3000
        age_s = clocks.unix_s - BEGAN_S
        told = {"mirror_age_s": age_s, "duration_ms": duration_ms, "wire_bytes": wire_bytes}
        yield recorder.event("key_synced", seen, source="mirror", **told)
        yield recorder.event("key_activated", seen, expires=clocks.unix_s + 11 * 3600, areas=3, locks=120)
        opened = range(visit // KEYS * 4, visit // KEYS * 4 + 3 + (visit % 3 != 0))
        raw = b"".join(
            cbor2.dumps([seq, clocks.unix_s - 3600 * (seq % 4), 7001 + (visit * 7 + seq) % 3000, "opened", 1001, 87])
            for seq in opened
        )
        entries = log_entries.read_entries(raw, 3).entries
        yield from log_entries.events(record.key, entries, None, clocks.unix_s, int(ClockSource.RTC), 3)
        clocks.unix_s += DAY_S // 500
        visit += 1


async def fill(store: SqliteStore, path: Path, count: int = EVENTS) -> int:
    """Put ``count`` events into the outbox; the largest that the write-ahead log became, in bytes."""
    wal = path.with_name(path.name + "-wal")
    largest = 0
    source = islice(events(store), count)
    while batch := list(islice(source, COMMIT_EVENTS)):
        await store.commit(Change(batch))
        largest = max(largest, wal.stat().st_size)
    return largest
