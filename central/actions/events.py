"""What stations report: each event is kept once, and what it changes (locked keys, tasks, how a station is) with it."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from auditlog.context import disable_auditlog
from django.db import connection
from django.db.models import UUIDField
from pydantic import BaseModel, Field, ValidationError

from central.actions.activations import judge, note_activations
from central.actions.audit_notes import noting
from central.actions.event_months import have_month
from central.actions.handovers import note_handovers
from central.actions.key_reports import note_records_seen
from central.actions.log_marks import LogsKnown
from central.actions.log_reports import Differs, LogReport, log_report
from central.actions.refused_pins import note_refused_pins
from central.actions.station_alarms import note_alarms
from central.actions.station_health import note_events
from central.actions.tasks import finish_tasks
from central.actions.went_back import note_went_back
from central.actions.wrong_pins import note_wrong_pins
from central.clock import DAY_S
from central.feed import change
from central.models import Event, Key, Site, Station, Task
from central.models.base import MAX_UINT32
from central.models.events import CLOCK_UNKNOWN, Doubt
from central.models.noting import add, read
from station.records.strict_json import LEVELS_LIMIT

DATA_LIMIT_BYTES = 4096
ID_LIMIT_CHARACTERS = 64
MAX_SAFE_INTEGER = 2**53 - 1
"""The largest that JSON readers agree on."""

Number = Annotated[int, Field(strict=True, ge=1, le=MAX_UINT32)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER)]


class EventIn(BaseModel):
    """An event. Unknown further fields are passed over, so that stations may be newer than central."""

    id: UUID
    instance: UUID
    seq: Count
    at: Count
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


@dataclass(frozen=True)
class _Parsed:
    event: Event
    report: LogReport | None
    """What it tells of a key's log."""


def receive_events(station: Station, items: list[Any], now: int) -> list[Result]:
    """Keep the events that are new and well formed, in one transaction. The results are in the order of ``items``.

    A malformed event keeps none of the others out. The number of statements is that of what a batch is about (openings,
    wrong PINs, pool keys), not of its events, and none looks through the log.
    """
    parsed = [_parse(item, station, now) for item in items]
    good = [each for each in parsed if isinstance(each, _Parsed)]
    site, oldest = station.site, now - station.site.log_days * DAY_S
    results = []
    have_month(now)
    with change():
        keys = _locked_keys(site, good)
        fresh = _fresh_ids(site, {each.event.event for each in good if not _is_too_old(each, oldest)})
        new: list[Event] = []
        for item, each in zip(items, parsed, strict=True):
            if isinstance(each, str):
                results.append(Result(_id_of(item), "rejected", each))
            elif each.event.event not in fresh:
                # Here already; or too old, was here once, and must not come back with its people.
                results.append(Result(_id_of(item), "duplicate"))
            else:
                fresh.remove(each.event.event)
                new.append(each.event)
                results.append(Result(_id_of(item), "accepted"))
        logs = LogsKnown(keys, [each.report for each in good if each.report is not None])
        note_activations(site, new, now)
        _judge_entries(site, new, logs, now)
        add(new)
        with noting(station=station.number):
            note_wrong_pins(station, keys, new, now)
            note_refused_pins(site, keys, new)
            note_went_back(site, new)
            note_alarms(station, keys, new)
            _finish_collecting(station, new, now)
        with disable_auditlog():
            note_handovers(keys, new)
            logs.note(now)
            note_records_seen(keys, new)
            note_events(station, [each.event for each in good], now)
    return results


def _locked_keys(site: Site, parsed: list[_Parsed]) -> dict[int, Key]:
    """The keys that these events are about, by number. Two stations that tell of one at once wait for each other."""
    numbers = {each.event.key for each in parsed if each.event.key is not None}
    if not numbers:
        return {}
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    found = read(Key, f"site_id = {{}} AND number IN ({{}}) ORDER BY number{lock}", site.pk, numbers)
    keys = {key.number: key for key in found}
    for key in keys.values():
        key.site = site
    return keys


def _fresh_ids(site: Site, ids: Collection[UUID]) -> set[UUID]:
    """Those that the site has no event of; from now on it has.

    Two stations may bring the same entry of a key's log at the same instant: one of them waits here until the other is
    done, and then knows.
    """
    if not ids:
        return set()
    kept = UUIDField().get_db_prep_value
    # Always in the same order, so that no two batches wait for each other.
    values = [part for each in sorted(ids) for part in (site.pk, kept(each, connection))]
    rows = ", ".join(["(%s, %s)"] * len(ids))
    with connection.cursor() as cursor:
        # What conflicts comes back from no other statement: Django's own says nothing of it.
        cursor.execute(
            f"INSERT INTO central_eventid (site_id, event) VALUES {rows} ON CONFLICT DO NOTHING RETURNING event",  # noqa: S608
            values,
        )
        return {UUID(str(each)) for (each,) in cursor.fetchall()}


def _is_too_old(parsed: _Parsed, oldest: int) -> bool:
    """Whether it is an entry from before the time that the site keeps."""
    entry = parsed.report.entry if parsed.report is not None else None
    return entry is not None and entry.time is not None and entry.time < oldest


def _judge_entries(site: Site, events: list[Event], logs: LogsKnown, now: int) -> None:
    """Set what is doubtful about new entries of keys' logs, and about those that contradict them."""
    entries = [event for event in events if event.log_seq is not None]
    if not entries:
        return
    kept: list[Event] = []
    # Looked for only where that number came before, which is hardly ever.
    if again := [entry for entry in entries if logs.may_have(entry.key or 0, entry.log_seq or 0)]:
        keys, numbers = {entry.key for entry in again}, {entry.log_seq for entry in again}
        found = Event.objects.kept(site, now).filter(key__in=keys, log_seq__in=numbers).order_by()
        kept = list(found.only("key", "log_seq"))
    told = Counter((entry.key, entry.log_seq) for entry in [*kept, *entries])
    if twice := [entry.pk for entry in kept if told[entry.key, entry.log_seq] > 1]:
        Event.objects.kept(site, now).filter(pk__in=twice).update(doubt=Doubt.TOLD_TWICE)
    for entry in entries:
        if told[entry.key, entry.log_seq] > 1:
            entry.doubt = Doubt.TOLD_TWICE
    judge(site, [entry for entry in entries if entry.type == "lock_opened" and not entry.doubt])


def _parse(item: Any, station: Station, now: int) -> _Parsed | str:
    """The event, or why it is rejected."""
    try:
        told = EventIn.model_validate(item)
        report = log_report(
            told.type, told.id, told.key, {"at": told.at, "holder": told.holder, "lock": told.lock}, told.data
        )
        data = told.data if report is None else report.taken(told.data)
        # A lone surrogate gets through JSON but into no database; NaN gets into none that others read.
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        size = len(text.encode("utf-8"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'event'}: {first['type']}"[:200]
    except Differs as error:
        return str(error)
    except (ValueError, RecursionError):
        return "data: not_json"
    if _is_deeper(data, LEVELS_LIMIT):
        return "data: too_deep"
    if size > DATA_LIMIT_BYTES:
        return "data: too_long"
    # Escaped, it gets through JSON; PostgreSQL takes it nowhere.
    if "\\u0000" in text:
        return "data: nul"
    entry = report.entry if report is not None else None
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
        holder=told.holder if entry is None else entry.holder,
        lock=told.lock if entry is None else entry.lock,
        data=data,
    )
    if entry is not None:
        event.log_seq = entry.seq
        event.doubt = Doubt.NO_TIME if entry.time is None and event.type == "lock_opened" else ""
    return _Parsed(event, report)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether arrays and objects within each other are more than so many: further in than that nothing reads safely."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def _id_of(item: Any) -> str:
    id_ = item.get("id") if isinstance(item, dict) else None
    # Only what is an id is repeated to the sender.
    if not isinstance(id_, str) or len(id_) > ID_LIMIT_CHARACTERS or not id_.isascii():
        return ""
    return id_


def _finish_collecting(station: Station, events: Iterable[Event], now: int) -> None:
    """Finish the tasks to collect pool keys that are back."""
    back = {event.key for event in events if event.type == "pool_key_returned" and event.key is not None}
    if back:
        tasks = Task.objects.filter(site=station.site_id, key__number__in=back, kind=Task.Kind.COLLECT_KEY)
        finish_tasks(tasks, str(station), now)
