"""Pool keys: who has which since when, by what stations reported and the office lent."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max, Q

from central.clock import DAY_S, HOUR_S
from central.models import Handover, Holder, Key, Receipt

OVERDUE_S = 11 * HOUR_S
EMERGENCY_LIMIT_S = 3 * DAY_S
EMERGENCY_KEYS_WANTED = 3


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
    handovers = {each.key_id: each for each in Handover.objects.filter(key__in=[key.pk for key in keys])}
    lent = _lent(keys)
    numbers = {each.holder for each in handovers.values() if each.holder}
    named = Holder.objects.filter(site=keys[0].site_id, number__in=numbers).only("number", "given_name", "family_name")
    people = {holder.number: holder for holder in named}
    found = []
    for key in keys:
        last, receipt = handovers.get(key.pk), lent.get(key.pk)
        if receipt is not None and (last is None or last.at < receipt.made_at):
            out_s = max(0, now - receipt.made_at)
            found.append(PoolKey(key, receipt.holder, receipt.holder.number, receipt.made_at, out_s))
        elif last is None or not last.is_out:
            found.append(PoolKey(key))
        else:
            found.append(PoolKey(key, people.get(last.holder or 0), last.holder, last.at, max(0, now - last.at)))
    return found


def keys_held_by(holder: Holder, now: int) -> list[Key]:
    """The pool keys that somebody has."""
    lent = Receipt.objects.filter(holder=holder, kind=Receipt.Kind.LENT).order_by()
    had = Q(handover__holder=holder.number, handover__is_out=True) | Q(pk__in=lent.values("key"))
    pool = Key.objects.filter(had, site=holder.site_id, status=Key.Status.ACTIVE).exclude(kind=Key.Kind.PERSONAL)
    return [held.key for held in pool_keys(pool.select_related("site"), now) if held.holder_number == holder.number]


def emergency_left(found: Iterable[PoolKey]) -> int:
    """How many emergency keys nobody has."""
    return sum(p.key.kind == Key.Kind.EMERGENCY and not p.is_out for p in found)


def _lent(keys: list[Key]) -> dict[int, Receipt]:
    """The newest receipt of each emergency key among these."""
    emergency = [key.pk for key in keys if key.kind == Key.Kind.EMERGENCY]
    lent = Receipt.objects.filter(key__in=emergency, kind=Receipt.Kind.LENT)
    newest = lent.values("key").annotate(newest=Max("pk")).values("newest")
    receipts = Receipt.objects.filter(pk__in=newest).select_related("holder")
    return {receipt.key_id: receipt for receipt in receipts if receipt.key_id is not None}
