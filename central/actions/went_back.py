"""What a server that was restored from a backup opens again: a coordinator confirms it, or shuts it anew.

Stations that knew a key as blocked, locked or returned, a holder as ended, a unit as closed, a number as listed keep it
so until the object itself is told anew; and report it.
"""

from collections import defaultdict
from typing import Any

from central.actions.keys import block_key, set_key_status
from central.actions.people import end_employment
from central.actions.stations import revoke_station
from central.actions.tasks import finish_tasks, open_went_back_task
from central.clock import unix_now
from central.feed import change, touch
from central.models import Event, Holder, Key, Site, Station, Task, Unit
from central.models.base import MAX_UINT32

MODELS: dict[str, tuple[type[Any], frozenset[str]]] = {
    "key": (Key, frozenset({"blocked", "locked", "returned", "listed"})),
    "holder": (Holder, frozenset({"ended"})),
    "unit": (Unit, frozenset({"closed"})),
    "station": (Station, frozenset({"listed"})),
}
"""By the type in an event's data: what it is, and what it can have been."""

Thing = Key | Holder | Unit | Station


def note_went_back(site: Site, events: list[Event]) -> None:
    """Open a task for each thing that one of these events tells of, unless it is shut here, too."""
    told: dict[type[Any], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        what, number, was = (event.data.get(name) for name in ("type", "id", "was"))
        if event.type != "mirror_went_back" or not isinstance(what, str) or not isinstance(was, str):
            continue
        model, words = MODELS.get(what, (None, frozenset()))
        if model is not None and was in words and type(number) is int and 1 <= number <= MAX_UINT32:
            told[model][number].add(was)
    for model, numbers in told.items():
        for thing in model.objects.filter(site=site, number__in=list(numbers)).select_related("site"):
            for was in sorted(numbers[thing.number]):
                if not _is_shut(thing, was):
                    open_went_back_task(thing, was)


def thing_of(task: Task) -> Thing:
    """What the task is about."""
    thing = task.key or task.holder or task.station or task.unit
    assert thing is not None
    return thing


def confirm(task: Task, by: str) -> None:
    """It is right that it is open: tell stations anew, so that they no longer keep it shut."""
    with change():
        touch(thing_of(task))
        _finish(task, by)


def shut_anew(task: Task, by: str) -> None:
    """Do again what the backup did not know of. Raises BlocklistFull."""
    thing = thing_of(task)
    with change():
        match thing:
            case Key():
                _shut_key(thing, task.detail, by)
            case Holder():
                end_employment(thing, by)
            case Station():
                revoke_station(thing, by)
            case Unit():
                thing.closed = True
                thing.save(update_fields=["closed"])
        # Also where nothing was left to do: stations hear of it anew.
        touch(thing)
        _finish(task, by)


def _shut_key(key: Key, was: str, by: str) -> None:
    if was == "locked":
        key.locked_at = max(unix_now(), (key.unlocked_at or 0) + 1)
        key.save(update_fields=["locked_at"])
    elif was == "returned":
        set_key_status(key, Key.Status.RETURNED, by)
    else:
        block_key(key, by)


def _finish(task: Task, by: str) -> None:
    """All tasks about the same thing: it may have been shut in two ways."""
    same = Task.objects.filter(site=task.site, kind=Task.Kind.WENT_BACK, unit=task.unit)
    finish_tasks(same.filter(key=task.key, holder=task.holder, station=task.station), by)


def _is_shut(thing: Thing, was: str) -> bool:
    match thing:
        case Key():
            shut = thing.status in (Key.Status.BLOCKED, Key.Status.RETURNED)
            return shut if was != "locked" else shut or thing.is_locked
        case Holder():
            return bool(thing.status == Holder.Status.ENDED)
        case Station():
            return bool(thing.stolen)
        case Unit():
            return bool(thing.closed)
