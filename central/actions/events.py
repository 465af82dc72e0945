"""What stations report: each event is kept once, and what it changes (locked keys, tasks, how a station is) with it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from auditlog.context import disable_auditlog, set_extra_data
from pydantic import BaseModel, Field, ValidationError

from central.actions.key_reports import note_log_marks, note_records_seen
from central.actions.station_health import note_events
from central.actions.tasks import finish_tasks
from central.feed import change
from central.models import Event, Key, Station, Task
from central.models.base import MAX_UINT32
from central.models.events import CLOCK_UNKNOWN

DATA_LIMIT_BYTES = 4096
ID_LIMIT_CHARACTERS = 64
MAX_SAFE_INTEGER = 2**53 - 1
"""The largest that JSON readers agree on."""

Number = Annotated[int, Field(strict=True, ge=1, le=MAX_UINT32)]
Counter = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER)]


class EventIn(BaseModel):
    """An event. Unknown further fields are passed over, so that stations may be newer than central."""

    id: UUID
    instance: UUID
    seq: Counter
    at: Counter
    clock: Literal[0, 1, 2, "unknown"]
    type: Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    key: Number | None = None
    holder: Number | None = None
    lock: Number | None = None
    data: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of one event. ``id`` is as it was sent."""

    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


def receive_events(station: Station, items: list[Any], now: int) -> list[Result]:
    """Keep the events that are new and well formed, in one transaction. The results are in the order of ``items``.

    A malformed event keeps none of the others out.
    """
    parsed = [_parse(item, station, now) for item in items]
    good = [event for event, _ in parsed if event is not None]
    results = []
    with change():
        known = set(
            Event.objects.filter(site=station.site_id, event__in=[e.event for e in good])
            .order_by()
            .values_list("event", flat=True)
        )
        new: list[Event] = []
        for item, (event, reason) in zip(items, parsed, strict=True):
            if event is None:
                results.append(Result(_id_of(item), "rejected", reason))
            elif event.event in known:
                results.append(Result(_id_of(item), "duplicate"))
            else:
                known.add(event.event)
                new.append(event)
                results.append(Result(_id_of(item), "accepted"))
        # Two stations may bring the same entry of a key's log at the same instant: it is kept once, and both are right.
        Event.objects.bulk_create(new, ignore_conflicts=True)
        with set_extra_data({"additional_data": {"station": station.number}}):
            _lock_keys(station, new, now)
            _finish_collecting(station, new, now)
        with disable_auditlog():
            note_log_marks(station.site_id, new)
            note_records_seen(station.site_id, new)
            note_events(station, good, now)
    return results


def _parse(item: Any, station: Station, now: int) -> tuple[Event | None, str | None]:
    """The event, or why it is rejected."""
    try:
        told = EventIn.model_validate(item)
        # A lone surrogate gets through JSON but into no database; NaN gets into none that others read.
        text = json.dumps(told.data, ensure_ascii=False, allow_nan=False)
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
    event = Event(
        site_id=station.site_id,
        station=station,
        event=told.id,
        instance=told.instance,
        seq=told.seq,
        at=told.at,
        received_at=now,
        clock=CLOCK_UNKNOWN if told.clock == "unknown" else told.clock,
        type=told.type,
        key=told.key,
        holder=told.holder,
        lock=told.lock,
        data=told.data,
    )
    return event, None


def _id_of(item: Any) -> str:
    id_ = item.get("id") if isinstance(item, dict) else None
    # Only what is an id is repeated to the sender.
    if not isinstance(id_, str) or len(id_) > ID_LIMIT_CHARACTERS or not id_.isascii():
        return ""
    return id_


def _lock_keys(station: Station, events: Iterable[Event], now: int) -> None:
    """Lock at all stations what one has locked after ten wrong PINs."""
    for event in events:
        if event.type != "key_locked_out" or event.key is None:
            continue
        key = Key.objects.filter(site=station.site, number=event.key).first()
        if key is None:
            continue
        unlocked_at = key.unlocked_at or 0
        # A report that comes late must not lock again what a coordinator has unlocked since: hence the time of the
        # tenth wrong PIN, where the station knew it, never one in the future.
        locked_at = max(now, unlocked_at + 1) if event.clock == CLOCK_UNKNOWN else min(event.at, now)
        if locked_at > max(key.locked_at or 0, unlocked_at):
            key.locked_at = locked_at
            key.save(update_fields=["locked_at"])


def _finish_collecting(station: Station, events: Iterable[Event], now: int) -> None:
    """Finish the tasks to collect pool keys that are back."""
    back = {event.key for event in events if event.type == "pool_key_returned" and event.key is not None}
    if back:
        tasks = Task.objects.filter(site=station.site_id, key__number__in=back, kind=Task.Kind.COLLECT_KEY)
        finish_tasks(tasks, str(station), now)
