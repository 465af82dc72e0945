"""Pool keys: who has which, lent and taken back over the counter; and who has not renewed a key at the update box."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.pool_keys import (
    NotThere,
    PoolKey,
    emergency_left,
    lend_key,
    may_borrow,
    pool_keys,
    set_emergency_wanted,
    take_back_lent,
)
from central.actions.undo import state_of
from central.clock import unix_now
from central.doors.table import Right
from central.models import Holder, Key, Station, Unit
from central.office import seen
from central.office.access import SiteAccess
from central.office.lists import Column, choice
from central.office.pages import NotDone, SiteRequest
from central.office.undo import say_key_undoable
from central.office.views.answers import go, number_in, paged, show, slip
from central.office.views.people_offered import borrowers, offered, person_in

POOL_COLUMNS = (
    Column("number", gettext_lazy("Key"), lambda row: row.key.number),
    Column("kind", gettext_lazy("Kind"), lambda row: row.key.kind),
    Column("unit", gettext_lazy("Unit"), lambda row: row.key.unit.name),
    Column("held_by", gettext_lazy("Held by"), lambda row: str(row.holder or row.holder_number or "")),
    Column("since", gettext_lazy("Since"), lambda row: row.since),
    Column("until", gettext_lazy("Shift ends"), lambda row: row.until),
)
POOL_STATUSES: dict[str, Callable[[PoolKey], bool]] = {
    "out": lambda row: row.is_out,
    "not_back": lambda row: row.is_overdue,
    "there": lambda row: not row.is_out,
}
UNIT_FIELDS = ("unit__name", "unit__number", "unit__emergency_keys_wanted")
WANTED_LIMIT = 99


def pool(request: SiteRequest) -> HttpResponse:
    """Every pool key: who has it since when."""
    access = request.access
    units = access.units(Right.SEE_POOLS)
    chosen = choice(request, "pools", POOL_COLUMNS, units=units, statuses=POOL_STATUSES, usual_sort="number")
    keys = keys_of_pools(access)
    found = pool_keys(keys, unix_now())
    fits = POOL_STATUSES.get(chosen.status)
    rows = [row for row in found if chosen.unit in (None, row.key.unit.number) and (fits is None or fits(row))]
    lendable = _those(access.keys(Right.LEND_KEY), [p.key for p in found if not p.is_out])
    returnable = _those(access.keys(Right.TAKE_BACK_LENT), [p.key for p in found if p.is_out])
    page, left = paged(request, chosen.sorted(rows)), emergency_left(found)
    seen.look([*(row.key for row in page), *(each.unit for each in left)])
    return show(
        request,
        "pools",
        page=page,
        chosen=chosen,
        more_heads=(_("What can be done"),),
        left=left,
        settable=set(access.units(Right.SET_EMERGENCY_WANTED).values_list("pk", flat=True)),
        lendable={key.pk for key in lendable},
        returnable={key.pk for key in returnable},
        people=offered(borrowers(access.holders(Right.SEE_PEOPLE), lendable)),
        has_boxes=_units_with_box(access).exists(),
    )


def _those(seen_: QuerySet[Key], keys: list[Key]) -> list[Key]:
    """Those of the keys that are among the seen ones."""
    pks = set(seen_.filter(pk__in=[key.pk for key in keys]).order_by().values_list("pk", flat=True))
    return [key for key in keys if key.pk in pks]


def keys_of_pools(access: SiteAccess) -> list[Key]:
    """The pool keys in use that somebody sees."""
    kinds = (Key.Kind.SUBSTITUTE, Key.Kind.EMERGENCY)
    keys = access.keys(Right.SEE_POOLS).filter(kind__in=kinds, status=Key.Status.ACTIVE)
    # Of all of them, for how many are left; so no more than is shown.
    return list(keys.select_related(None).select_related("unit").only("site_id", "number", "kind", *UNIT_FIELDS))


def emergency_wanted(request: SiteRequest) -> HttpResponse:
    """How many emergency keys a unit wants at hand: fewer are a warning."""
    number, wanted = (number_in(request.POST.get(name, "")) for name in ("unit", "wanted"))
    unit = get_object_or_404(request.access.units(Right.SET_EMERGENCY_WANTED), number=number)
    if wanted is None or wanted > WANTED_LIMIT:
        raise NotDone(_("Not done: give a number of keys, 0 to 99."), "pools")
    set_emergency_wanted(unit, wanted)
    messages.success(request, _("Saved."))
    return go(request, "pools")


def lend(request: SiteRequest, number: int) -> HttpResponse:
    """Lend a pool key over the counter, against a receipt."""
    key = request.access.key(number, Right.LEND_KEY)
    holder = person_in(request.POST.get("person", ""), request.access.holders(Right.SEE_PEOPLE))
    if holder is None:
        raise NotDone(_("Not lent: choose a person."), "key", number=number)
    if not may_borrow(key, holder):
        text = _("Not lent: no station would switch on key %(key)s for %(person)s.")
        raise NotDone(text % {"key": key, "person": holder}, "key", number=number)
    before = state_of(key)
    try:
        receipt = lend_key(key, holder, request.access.name)
    except NotThere:
        text = _("Not lent: somebody has key %(key)s already, or it is out of use.")
        raise NotDone(text % {"key": key}, "key", number=number) from None
    said = _("Key %(key)s is lent to %(person)s.") % {"key": key, "person": holder}
    say_key_undoable(request, said, key, before, receipt)
    return slip(request, receipt)


def lent_back(request: SiteRequest, number: int) -> HttpResponse:
    """Take back a pool key over the counter, against a receipt."""
    key = request.access.key(number, Right.TAKE_BACK_LENT)
    (held,) = pool_keys([key], unix_now())
    if not held.is_out:
        raise NotDone(_("Nobody has key %(key)s: it is back already.") % {"key": key}, "key", number=number)
    before = state_of(key)
    receipt = take_back_lent(key, request.access.name)
    say_key_undoable(request, _("Key %(key)s is back.") % {"key": key}, key, before, receipt)
    return slip(request, receipt) if receipt else go(request, "pools")


def renewals(request: SiteRequest) -> HttpResponse:
    """Who of the units with an update box has renewed their key today: those who have not are first."""
    site, now = request.access.site, unix_now()
    midnight = int(site.local_time(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    keys = request.access.keys(Right.SEE_KEYS).filter(
        kind=Key.Kind.PERSONAL,
        status=Key.Status.ACTIVE,
        holder__status=Holder.Status.ACTIVE,
        unit__in=_units_with_box(request.access),
    )
    missing = keys.filter(Q(activated_at=None) | Q(activated_at__lt=midnight)).count()
    ordered = keys.order_by(F("activated_at").asc(nulls_first=True), "number")
    return show(request, "renewals", page=paged(request, ordered), missing=missing, midnight=midnight)


def _units_with_box(access: SiteAccess) -> QuerySet[Unit]:
    boxes = Station.objects.filter(site=access.site, role=Station.Role.UPDATE_BOX, stolen=False)
    return Unit.objects.filter(pk__in=boxes.values("unit"))
