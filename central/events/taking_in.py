"""Events, each taken in once: a batch is one transaction, and a malformed event keeps none of the others out."""

import json
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard
from uuid import UUID

from auditlog.context import disable_auditlog, set_extra_data
from pydantic import ValidationError

from central.api.schemas import EventIn
from central.events.keeping import keep
from central.events.keyrecords import note_records
from central.events.logmarks import note_marks
from central.feed import change
from central.models import Event, Key, Station
from central.models.event import OPENING_TYPES
from central.office.models import Task
from central.stationhealth import note_events

DATA_LIMIT_BYTES = 4096
ID_LIMIT_CHARACTERS = 64
MAX_SEQ = 2**53
RECORD_SEEN = {"key_record_written": "issued", "key_synced": "record_issued"}
"""Events that say which record is on a key, and under what name."""


@dataclass(frozen=True)
class Result:
    """What became of one event. ``id`` is as it was sent."""

    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


def take_in(station: Station, items: list[Any], now: int) -> list[Result]:
    """Keep the events that are new and well formed. The results are in the order of ``items``.

    A batch costs the same few statements however many events it has, and one commit.
    """
    parsed = [_parse(item) for item in items]
    good = [event for event, _ in parsed if event is not None]
    results = []
    with change():
        known = set(
            Event.objects.filter(site=station.site_id, event__in=[e.id for e in good])
            .order_by()
            .values_list("event", flat=True)
        )
        new: list[EventIn] = []
        for item, (event, reason) in zip(items, parsed, strict=True):
            if event is None:
                results.append(Result(_id_of(item), "rejected", reason))
            elif event.id in known:
                results.append(Result(_id_of(item), "duplicate"))
            else:
                known.add(event.id)
                new.append(event)
                results.append(Result(_id_of(item), "accepted"))
        keep(station, new, now)
        with set_extra_data({"additional_data": {"station": station.number}}):
            _lock_keys(station, new, now)
            _collected(station, new, now)
        with disable_auditlog():
            note_marks(station.site_id, _marks(new), now)
            note_records(station.site_id, _records(new))
            note_events(station, good, now)
    return results


def _parse(item: Any) -> tuple[EventIn | None, str | None]:
    try:
        event = EventIn.model_validate(item)
        # A lone surrogate gets through JSON but into no database; NaN gets into none that others read.
        text = json.dumps(event.data, ensure_ascii=False, allow_nan=False)
        size = len(text.encode("utf-8"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return None, f"{'.'.join(str(part) for part in first['loc']) or 'event'}: {first['type']}"[:200]
    except (ValueError, RecursionError):
        return None, "data: not_json"
    if size > DATA_LIMIT_BYTES:
        return None, "data: too_long"
    # Escaped, it gets through JSON; PostgreSQL takes it nowhere.
    if "\\u0000" in text:
        return None, "data: nul"
    return event, None


def _id_of(item: Any) -> str:
    id_ = item.get("id") if isinstance(item, dict) else None
    # Only what is an id is repeated to the sender.
    if not isinstance(id_, str) or len(id_) > ID_LIMIT_CHARACTERS or not id_.isascii():
        return ""
    return id_


def _lock_keys(station: Station, events: list[EventIn], now: int) -> None:
    """A key that was locked at one station is locked at all."""
    for event in events:
        if event.type != "key_locked_out" or event.key is None:
            continue
        key = Key.objects.filter(site=station.site, number=event.key).first()
        if key is None:
            continue
        unlocked_at = key.unlocked_at or 0
        # A report that comes late must not lock again what a coordinator has unlocked since: hence the time of the
        # tenth wrong PIN, where the station knew it, never one in the future.
        locked_at = max(now, unlocked_at + 1) if event.clock == "unknown" else min(event.at, now)
        if locked_at > max(key.locked_at or 0, unlocked_at):
            key.locked_at = locked_at
            key.save(update_fields=["locked_at"])


def _collected(station: Station, events: list[EventIn], now: int) -> None:
    """A pool key that somebody who left had not brought back is back."""
    back = {event.key for event in events if event.type == "pool_key_returned" and event.key is not None}
    tasks = Task.objects.filter(site=station.site_id, key__number__in=back, kind=Task.Kind.COLLECT_KEY, done_at=None)
    for task in tasks if back else ():
        task.done_at, task.done_by = now, str(station)
        task.save()


def _marks(events: list[EventIn]) -> dict[int, tuple[int, int]]:
    marks: dict[int, tuple[int, int]] = {}
    for event in events:
        generation, seq = event.data.get("generation"), event.data.get("seq")
        if event.type not in OPENING_TYPES or event.key is None or not (_counts(generation) and _counts(seq)):
            continue
        marks[event.key] = max(marks.get(event.key, (-1, -1)), (generation, seq))
    return marks


def _records(events: list[EventIn]) -> dict[int, int]:
    """When the record was signed that each key carries, as the newest of these events has seen it."""
    seen: dict[int, int] = {}
    for event in events:
        name = RECORD_SEEN.get(event.type)
        issued = event.data.get(name) if name is not None else None
        if event.key is not None and _counts(issued):
            seen[event.key] = max(seen.get(event.key, 0), issued)
    return seen


def _counts(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_SEQ


def missing(station: Station, instance: UUID) -> list[tuple[int, int]]:
    """The gaps in what this instance of a station's database has sent, as (first, last): events that were lost."""
    gaps = []
    expected = 1
    numbers = Event.objects.filter(station=station, instance=instance).order_by("seq").values_list("seq", flat=True)
    for seq in numbers.iterator():
        if seq > expected:
            gaps.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    return gaps
