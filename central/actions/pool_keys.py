"""Pool keys: who has which since when, by what stations reported and the office lent."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, F, Q, When
from django.db.models.functions import Least

from central.clock import DAY_S, HOUR_S
from central.models import Event, Holder, Key, Receipt
from central.models.events import CLOCK_UNKNOWN

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
        """Whether somebody has it."""
        return self.since is not None

    @property
    def is_overdue(self) -> bool:
        """Whether it has been out for longer than a shift can be."""
        return (self.out_s or 0) > OVERDUE_S

    @property
    def is_long_out(self) -> bool:
        """Whether an emergency key has been out so long that it seems to be used instead of a key of one's own."""
        return self.key.kind == Key.Kind.EMERGENCY and (self.out_s or 0) > EMERGENCY_LIMIT_S


def pool_keys(keys: Iterable[Key], now: int) -> list[PoolKey]:
    """Who has each of these keys since when.

    What was lent over the counter is out from then on, also before any station has seen it.
    """
    keys = list(keys)
    if not keys:
        return []
    site = keys[0].site
    newest = {key.number: last for key in keys if (last := _last(key)) is not None}
    lent = _lent(keys)
    people = {
        holder.number: holder
        for holder in Holder.objects.filter(site=site, number__in={e.holder for e in newest.values() if e.holder})
    }
    found = []
    for key in keys:
        last, receipt = newest.get(key.number), lent.get(key.pk)
        if receipt is not None and (last is None or _at(last) < receipt.made_at):
            out_s = max(0, now - receipt.made_at)
            found.append(PoolKey(key, receipt.holder, receipt.holder.number, receipt.made_at, out_s))
        elif last is None or last.type == "pool_key_returned":
            found.append(PoolKey(key))
        else:
            since = _at(last)
            found.append(PoolKey(key, people.get(last.holder or 0), last.holder, since, max(0, now - since)))
    return found


def keys_held_by(holder: Holder, now: int) -> list[Key]:
    """The pool keys that somebody has."""
    taken = Event.objects.filter(site=holder.site_id, type="pool_key_taken", holder=holder.number).order_by()
    lent = Receipt.objects.filter(holder=holder, kind=Receipt.Kind.LENT).order_by()
    had = Q(number__in=taken.values("key").distinct()) | Q(pk__in=lent.values("key"))
    pool = Key.objects.filter(had, site=holder.site_id, status=Key.Status.ACTIVE).exclude(kind=Key.Kind.PERSONAL)
    return [held.key for held in pool_keys(pool.select_related("site"), now) if held.holder_number == holder.number]


def emergency_left(found: Iterable[PoolKey]) -> int:
    """How many emergency keys nobody has."""
    return sum(p.key.kind == Key.Kind.EMERGENCY and not p.is_out for p in found)


def _last(key: Key) -> Event | None:
    """The event by which the key last changed hands. A query for each key: it reads a few rows of an index."""
    events = Event.objects.filter(site=key.site_id, key=key.number, type__in=("pool_key_taken", "pool_key_returned"))
    return events.order_by(HAPPENED.desc(), "-pk").defer("data").first()


def _lent(keys: list[Key]) -> dict[int, Receipt]:
    """The newest receipt of each emergency key among these."""
    emergency = [key.pk for key in keys if key.kind == Key.Kind.EMERGENCY]
    receipts = Receipt.objects.filter(key__in=emergency, kind=Receipt.Kind.LENT).select_related("holder")
    return {receipt.key_id: receipt for receipt in receipts.order_by("made_at", "pk") if receipt.key_id is not None}


def _at(event: Event) -> int:
    return event.received_at if event.clock == CLOCK_UNKNOWN else min(event.at, event.received_at)
