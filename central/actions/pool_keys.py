"""Pool keys: who has which since when, by what stations reported and the office lent."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max, Q

from central.clock import DAY_S, HOUR_S
from central.feed import change
from central.models import Activation, Handover, Holder, Key, Receipt, Unit

OVERDUE_S = 11 * HOUR_S
"""Longer than a shift can be: where nothing tells when the shift of whoever has it ends."""
GRACE_S = HOUR_S // 2
"""After the end of a shift, until somebody is asked where the key is."""
EMERGENCY_LIMIT_S = 3 * DAY_S
DAYS_BACK_S = 30 * DAY_S
"""A shift that ended before is looked for no more: the key is late by any measure."""


@dataclass(frozen=True)
class PoolKey:
    """A pool key, and who has it."""

    key: Key
    holder: Holder | None = None
    holder_number: int | None = None
    since: int | None = None
    out_s: int | None = None
    until: int | None = None
    """When the shift ends for which a station activated it last; None where none has since it was taken."""
    is_overdue: bool = False
    """Whether the shift is over, and it has not come back."""

    @property
    def is_out(self) -> bool:
        """Whether somebody has it."""
        return self.since is not None

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
    until = _shift_ends(keys[0].site_id, [key for key in keys if key.pk in lent or _is_out(handovers.get(key.pk))], now)
    found = []
    for key in keys:
        last, receipt = handovers.get(key.pk), lent.get(key.pk)
        if receipt is not None and (last is None or last.at < receipt.made_at):
            found.append(_out(key, receipt.holder, receipt.holder.number, receipt.made_at, now, until))
        elif last is None or not last.is_out:
            found.append(PoolKey(key))
        else:
            found.append(_out(key, people.get(last.holder or 0), last.holder, last.at, now, until))
    return found


def keys_held_by(holder: Holder, now: int) -> list[Key]:
    """The pool keys that somebody has."""
    lent = Receipt.objects.filter(holder=holder, kind=Receipt.Kind.LENT).order_by()
    had = Q(handover__holder=holder.number, handover__is_out=True) | Q(pk__in=lent.values("key"))
    pool = Key.objects.filter(had, site=holder.site_id, status=Key.Status.ACTIVE).exclude(kind=Key.Kind.PERSONAL)
    return [held.key for held in pool_keys(pool.select_related("site"), now) if held.holder_number == holder.number]


@dataclass(frozen=True)
class EmergencyLeft:
    """How many of a unit's emergency keys nobody has."""

    unit: Unit
    left: int
    is_few: bool


def emergency_left(found: Iterable[PoolKey]) -> list[EmergencyLeft]:
    """How many emergency keys each unit has at hand that has any; few are fewer than the unit wants."""
    left: dict[int, int] = defaultdict(int)
    units: dict[int, Unit] = {}
    for pool_key in found:
        if pool_key.key.kind == Key.Kind.EMERGENCY:
            unit = pool_key.key.unit
            units[unit.pk] = unit
            left[unit.pk] += not pool_key.is_out
    ordered = sorted(units.values(), key=lambda unit: unit.number)
    return [EmergencyLeft(unit, left[unit.pk], left[unit.pk] < unit.emergency_keys_wanted) for unit in ordered]


def _out(
    key: Key, holder: Holder | None, number: int | None, since: int, now: int, until: dict[tuple[int, int], int]
) -> PoolKey:
    """A key that somebody has."""
    end = until.get((key.number, number or 0), 0)
    out_s, ends = max(0, now - since), end if end > since else None
    is_overdue = out_s > OVERDUE_S if ends is None else now > ends + GRACE_S
    return PoolKey(key, holder, number, since, out_s, ends, is_overdue)


def _is_out(last: Handover | None) -> bool:
    return last is not None and last.is_out


def _shift_ends(site_pk: int, keys: list[Key], now: int) -> dict[tuple[int, int], int]:
    """By key and holder: when the last activation ends that stations told of."""
    if not keys:
        return {}
    told = Activation.objects.filter(site=site_pk, key__in=[key.number for key in keys], ends__gt=now - DAYS_BACK_S)
    ends = told.order_by().values_list("key", "holder").annotate(last=Max("ends"))
    return {(key, holder): last for key, holder, last in ends}


def _lent(keys: list[Key]) -> dict[int, Receipt]:
    """The newest receipt of each emergency key among these."""
    emergency = [key.pk for key in keys if key.kind == Key.Kind.EMERGENCY]
    lent = Receipt.objects.filter(key__in=emergency, kind=Receipt.Kind.LENT)
    newest = lent.values("key").annotate(newest=Max("pk")).values("newest")
    receipts = Receipt.objects.filter(pk__in=newest).select_related("holder")
    return {receipt.key_id: receipt for receipt in receipts if receipt.key_id is not None}


def set_emergency_wanted(unit: Unit, wanted: int) -> None:
    """Say how many emergency keys a unit wants at hand; 0: it is never warned."""
    with change():
        unit.emergency_keys_wanted = wanted
        unit.save(update_fields=["emergency_keys_wanted"])
