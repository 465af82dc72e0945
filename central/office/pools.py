"""Who holds which pool key since when: what stations reported, in the words of the pool pages."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, F, When
from django.db.models.functions import Least

from central.clock import DAY_S, HOUR_S
from central.models import Event, Holder, Key
from central.models.event import CLOCK_UNKNOWN

OVERDUE_S = 11 * HOUR_S
EMERGENCY_LIMIT_S = 3 * DAY_S
EMERGENCY_KEYS_WANTED = 3
HAPPENED = Case(When(clock=CLOCK_UNKNOWN, then=F("received_at")), default=Least("at", "received_at"))
"""Two stations may report in another order than things happened: one was offline. Their clocks are central's own,
signed; one that says it does not know the time is taken at the hour of its report."""


@dataclass(frozen=True)
class PoolKey:
    """A pool key, and who has it."""

    key: Key
    holder: Holder | None = None
    holder_number: int | None = None
    since: int | None = None
    out_s: int | None = None

    @property
    def is_out(self) -> bool:
        """Somebody has it."""
        return self.since is not None

    @property
    def is_overdue(self) -> bool:
        """Longer than a shift can be."""
        return (self.out_s or 0) > OVERDUE_S

    @property
    def is_long_out(self) -> bool:
        """An emergency key that is used instead of a key of one's own."""
        return self.key.kind == Key.Kind.EMERGENCY and (self.out_s or 0) > EMERGENCY_LIMIT_S


def pool_keys(keys: Iterable[Key], now: int) -> list[PoolKey]:
    """Each of the keys, with its last taking if that was not followed by a return."""
    keys = list(keys)
    if not keys:
        return []
    site = keys[0].site
    newest = {key.number: last for key in keys if (last := _last(key)) is not None}
    people = {
        holder.number: holder
        for holder in Holder.objects.filter(site=site, number__in={e.holder for e in newest.values() if e.holder})
    }
    found = []
    for key in keys:
        last = newest.get(key.number)
        if last is None or last.type == "pool_key_returned":
            found.append(PoolKey(key))
        else:
            since = _at(last)
            found.append(PoolKey(key, people.get(last.holder or 0), last.holder, since, max(0, now - since)))
    return found


def emergency_left(found: Iterable[PoolKey]) -> int:
    """How many emergency keys nobody has."""
    return sum(p.key.kind == Key.Kind.EMERGENCY and not p.is_out for p in found)


def _last(key: Key) -> Event | None:
    """When it last changed hands. A question for each key: the newest of thousands are a few rows of an index."""
    events = Event.objects.filter(site=key.site_id, key=key.number, type__in=("pool_key_taken", "pool_key_returned"))
    return events.order_by(HAPPENED.desc(), "-pk").defer("data").first()


def _at(event: Event) -> int:
    return event.received_at if event.clock == CLOCK_UNKNOWN else min(event.at, event.received_at)
