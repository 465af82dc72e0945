"""Pool keys: who has which since when; lent and taken back over the counter, as at stations (`handovers`)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from central.actions.tasks import finish_tasks, make_receipt
from central.clock import DAY_S, HOUR_S, unix_now
from central.errors import CentralError
from central.feed import change
from central.models import Activation, Handover, Holder, Key, Permission, Receipt, Task, Unit

OVERDUE_S = 11 * HOUR_S
"""Longer than a shift can be: where nothing tells when the shift of whoever has it ends."""
GRACE_S = HOUR_S // 2
"""After the end of a shift, until somebody is asked where the key is."""
EMERGENCY_LIMIT_S = 3 * DAY_S
DAYS_BACK_S = 30 * DAY_S
"""A shift that ended before is looked for no more: the key is late by any measure."""


class NotThere(CentralError):
    """A key that is not on the shelf: somebody has it, or it is not in use."""


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
    """Who has each of these keys since when."""
    keys = list(keys)
    if not keys:
        return []
    out = Handover.objects.filter(key__in=[key.pk for key in keys], is_out=True)
    taken = {key: (holder, at) for key, holder, at in out.values_list("key", "holder", "at")}
    numbers = {holder for holder, _at in taken.values() if holder}
    named = Holder.objects.filter(site=keys[0].site_id, number__in=numbers).only("number", "given_name", "family_name")
    people = {holder.number: holder for holder in named}
    until = _shift_ends(keys[0].site_id, [key for key in keys if key.pk in taken], now)
    found = []
    for key in keys:
        holder, since = taken.get(key.pk, (None, None))
        found.append(PoolKey(key) if since is None else _out(key, people.get(holder or 0), holder, since, now, until))
    return found


def keys_held_by(holder: Holder, now: int) -> list[Key]:
    """The pool keys that somebody has."""
    return [each.key for each in held_by(holder, now)]


def held_by(holder: Holder, now: int) -> list[PoolKey]:
    """The pool keys that somebody has, and since when."""
    has = keys_out_with(holder.site_id, [holder.number])
    return pool_keys(has.select_related("site", "unit").order_by("number"), now)


def keys_out_with(site_pk: int, people: Iterable[int]) -> QuerySet[Key]:
    """The pool keys in use that these people (by number) have."""
    has = Key.objects.filter(site=site_pk, handover__holder__in=list(people), handover__is_out=True)
    return has.filter(status=Key.Status.ACTIVE).exclude(kind=Key.Kind.PERSONAL)


def may_borrow(key: Key, holder: Holder) -> bool:
    """Whether a station would switch this pool key on for them: else they would stand at a door with it.

    A substitute key is for hourly staff with a permission for its unit, an emergency key for permanent and long-term
    staff; closed units keep to themselves.
    """
    if holder.status != Holder.Status.ACTIVE or holder.site_id != key.site_id or key.kind == Key.Kind.PERSONAL:
        return False
    is_hourly = holder.category == Holder.Category.HOURLY
    if key.kind == Key.Kind.SUBSTITUTE:
        return is_hourly and Permission.objects.filter(holder=holder, unit=key.unit_id).exists()
    return not is_hourly and (holder.unit_id == key.unit_id or not (holder.unit.closed or key.unit.closed))


def lend_key(key: Key, holder: Holder, by: str = "") -> Receipt:
    """Lend a pool key over the counter: it is out from now on, also before any station has seen it.

    Returns the receipt to sign. Raises NotThere for a key that somebody has already, also of two who ask at once.
    """
    with change():
        fresh = Key.objects.select_for_update(of=("self",), no_key=True).get(pk=key.pk)
        last = Handover.objects.filter(key=key).first()
        if fresh.status != Key.Status.ACTIVE or (last is not None and last.is_out):
            raise NotThere("not_there", key=key.number)
        _change_hands(key, last, holder.number)
        return make_receipt(Receipt.Kind.LENT, holder, key, by)


def take_back_lent(key: Key, by: str = "") -> Receipt | None:
    """Take back a pool key over the counter: it is on the shelf again.

    Returns the return receipt; None where nobody is known who had it.
    """
    with change():
        Key.objects.select_for_update(of=("self",), no_key=True).get(pk=key.pk)
        last = Handover.objects.filter(key=key).first()
        if last is None or not last.is_out:
            return None
        had = Holder.objects.filter(site=key.site_id, number=last.holder or 0).first()
        _change_hands(key, last, None)
        finish_tasks(Task.objects.filter(key=key, kind=Task.Kind.COLLECT_KEY), by)
        return make_receipt(Receipt.Kind.RETURNED, had, key, by) if had is not None else None


def lendable_keys(unit: Unit) -> list[Key]:
    """The emergency keys on the shelf that somebody of this unit may get, the unit's own first."""
    emergency = Key.objects.filter(site=unit.site_id, kind=Key.Kind.EMERGENCY, status=Key.Status.ACTIVE)
    emergency = emergency.exclude(handover__is_out=True).select_related("unit")
    fitting = [key for key in emergency if key.unit_id == unit.pk or not (unit.closed or key.unit.closed)]
    return sorted(fitting, key=lambda key: (key.unit_id != unit.pk, key.number))


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


def _shift_ends(site_pk: int, keys: list[Key], now: int) -> dict[tuple[int, int], int]:
    """By key and holder: when the last activation ends that stations told of."""
    if not keys:
        return {}
    told = Activation.objects.filter(site=site_pk, key__in=[key.number for key in keys], ends__gt=now - DAYS_BACK_S)
    ends = told.order_by().values_list("key", "holder").annotate(last=Max("ends"))
    return {(key, holder): last for key, holder, last in ends}


def set_emergency_wanted(unit: Unit, wanted: int) -> None:
    """Say how many emergency keys a unit wants at hand; 0: it is never warned."""
    with change():
        unit.emergency_keys_wanted = wanted
        unit.save(update_fields=["emergency_keys_wanted"])


def _change_hands(key: Key, last: Handover | None, holder: int | None) -> None:
    # A station that was offline tells later of what was earlier: that changes nothing (`note_handovers`).
    at = max(unix_now(), last.at if last is not None else 0)
    now = {"is_out": holder is not None, "holder": holder, "at": at}
    Handover.objects.update_or_create(key=key, defaults=now)
