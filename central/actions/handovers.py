"""How pool keys change hands: who has which is kept when a station tells of it, and never searched for."""

from collections.abc import Iterable, Mapping

from central.models import Event, Handover, Key
from central.models.events import CLOCK_UNKNOWN
from central.models.noting import add, read

TAKEN, RETURNED = "pool_key_taken", "pool_key_returned"


def note_handovers(keys: Mapping[int, Key], events: Iterable[Event]) -> None:
    """Take in what these events tell of ``keys``, by number. Within the keys' lock.

    Two stations may report in another order than things happened: one was offline. Their clocks are central's own,
    signed; one that says it does not know the time is taken at the hour of its report.
    """
    told = [event for event in events if event.type in (TAKEN, RETURNED) and event.key in keys]
    if not told:
        return
    pool = {keys[event.key or 0].pk for event in told}
    last = {each.key_id: each for each in read(Handover, "key_id IN ({})", pool)}
    for event in told:
        key, at = keys[event.key or 0], happened_at(event)
        before = last.get(key.pk)
        if key.kind != Key.Kind.PERSONAL and (before is None or before.at <= at):
            is_out = event.type == TAKEN
            last[key.pk] = Handover(key=key, is_out=is_out, holder=event.holder if is_out else None, at=at)
    add(list(last.values()), over="key")


def happened_at(event: Event) -> int:
    """When it was so, as far as central knows."""
    return event.received_at if event.clock == CLOCK_UNKNOWN else min(event.at, event.received_at)
