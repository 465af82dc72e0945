"""Wrong PINs belong to the key, not to the station: counted station by station, thirteen of them were 117 tries.

Central adds up what stations tell, in the order in which it comes in, and locks the key everywhere at ten. Unlocking
begins the sum anew; on a personal key so does a right PIN, on a pool key each one fades after a day.
"""

from collections.abc import Iterable, Mapping

from central.actions.tasks import open_many_locked_task
from central.clock import DAY_S, HOUR_S
from central.models import Event, Key, Station
from central.models.events import CLOCK_UNKNOWN
from central.models.noting import note

LIMIT = 10
FADES_S = DAY_S
LOCKED_AN_HOUR = 10
"""Keys that events of one station may lock in an hour: a stolen token locks no hundreds of them. More is an alarm."""

TYPES = frozenset({"pin_rejected", "key_locked_out", "key_activated"})


def note_wrong_pins(station: Station, keys: Mapping[int, Key], events: Iterable[Event], now: int) -> None:
    """Take in these events, in their order, about ``keys``, by number. Inside a change, and the keys' lock."""
    changed = {}
    for event in events:
        key = keys.get(event.key or 0)
        if key is None or event.type not in TYPES:
            continue
        if event.type == "pin_rejected":
            _count(key, event, now)
            if len(key.wrong_pins) >= LIMIT:
                _lock(station, key, now, now)
        elif event.type == "key_activated":
            _note_right_pin(key, event, now)
        else:
            _note_locked_out(station, key, event, now)
        changed[key.pk] = key
    # Past the change feed: stations hear of a lock, not of each wrong PIN.
    for key in changed.values():
        note(Key, key.pk, wrong_pins=key.wrong_pins, activated_at=key.activated_at)


def _count(key: Key, event: Event, now: int) -> None:
    since = key.unlocked_at or 0
    if key.kind == Key.Kind.PERSONAL:
        since = max(since, key.activated_at or 0)
    else:
        since = max(since, now - FADES_S)
        key.wrong_pins = [at for at in key.wrong_pins if at >= now - FADES_S]
    if event.clock == CLOCK_UNKNOWN:
        at = now
    elif event.at < since:
        return
    else:
        at = min(event.at, now)
    key.wrong_pins = [*key.wrong_pins, at][-LIMIT:]


def _note_right_pin(key: Key, event: Event, now: int) -> None:
    at = min(event.at, now) if event.clock != CLOCK_UNKNOWN else now
    key.activated_at = max(key.activated_at or 0, at)
    if key.kind == Key.Kind.PERSONAL:
        key.wrong_pins = [wrong_at for wrong_at in key.wrong_pins if wrong_at > at]


def _note_locked_out(station: Station, key: Key, event: Event, now: int) -> None:
    if event.clock == CLOCK_UNKNOWN:
        _lock(station, key, now, now)
    elif event.at >= (key.unlocked_at or 0):
        # What comes late must not lock again what a coordinator has unlocked since.
        _lock(station, key, min(event.at, now), now)


def _lock(station: Station, key: Key, at: int, now: int) -> None:
    if key.is_locked:
        return
    # Its calls that come at once wait for each other here: each would count without the others' keys.
    Station.objects.select_for_update(of=("self",), no_key=True).get(pk=station.pk)
    of_late = Key.objects.filter(site=key.site_id, locked_by=station, locked_noted_at__gt=now - HOUR_S)
    if of_late.exclude(pk=key.pk).count() >= LOCKED_AN_HOUR:
        open_many_locked_task(station)
        return
    key.locked_at = max(at, (key.unlocked_at or 0) + 1)
    key.locked_by, key.locked_noted_at = station, now
    key.save(update_fields=["locked_at", "locked_by", "locked_noted_at"])
