"""What stations tell that they cannot mend, and somebody must act on: a task each, for the unit of the key or station.

What mends itself (the network, a clock, a key that is put in again) is none.
"""

from collections.abc import Iterable, Mapping

from central.actions.tasks import open_station_told_task
from central.models import Event, Key, Station

ABOUT_STATION = frozenset({"record_refused", "event_set_aside", "config_rejected"})
"""Central's answers are not believed; central refuses its events; a pushed configuration is wrong."""
NOT_GENUINE = "not_genuine"
"""Why a key is refused that has not proved to be the one whose number it says."""


def note_alarms(station: Station, keys: Mapping[int, Key], events: Iterable[Event]) -> None:
    """Open a task for each thing that these events tell of."""
    told: set[tuple[str, int | None]] = set()
    for event in events:
        if event.type == "record_refused" and "generation" in event.data:
            # Bytes in a key's log that are no entry: nothing that central sent.
            continue
        if event.type in ABOUT_STATION:
            told.add((event.type, None))
        elif event.type == "key_refused" and event.data.get("reason") == NOT_GENUINE and event.key in keys:
            told.add((NOT_GENUINE, event.key))
    for what, number in sorted(told, key=str):
        open_station_told_task(station, what, None if number is None else keys[number])
