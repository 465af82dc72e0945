"""People: the list, one of them, those who begin and end, and new PINs for everybody."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.access import periods_of_day
from central.actions.keys import give_new_key
from central.actions.people import add_employee, add_hourly, end_employment, set_pool_units
from central.actions.pins import (
    AT_ONCE,
    cancel_pin_renewal,
    give_pin,
    may_cancel_pin_renewal,
    pause_pin_renewal,
    pin_renewal_task,
    renew_pins,
    renewal_progress,
    start_pin_renewal,
)
from central.actions.pool_keys import held_by
from central.clock import unix_now
from central.doors.table import Right
from central.letters import means
from central.models import Area, Holder, Key, Unit
from central.models.people import full_name
from central.office import merging
from central.office.forms import EmployeeForm, EndForm, HourlyForm, PersonForm, category_name
from central.office.lists import EVERY, NUMBER, Column, choice, page_of
from central.office.pages import NotDone, SiteRequest, still_as_seen
from central.office.undo import say_undoable
from central.office.views.answers import day_in, go, number_in, show, slip
from central.office.views.several import ACTS

COLUMNS = (
    NUMBER,
    Column("person", gettext_lazy("Person"), lambda row: full_name(row.given_name, row.family_name)),
    Column("unit", gettext_lazy("Unit"), lambda row: row.unit__name),
    Column("last_day", gettext_lazy("Last day at work"), lambda row: row.employment_ends),
    Column("status", gettext_lazy("Status"), lambda row: row.status),
)
FIELDS = ("pk", "number", "given_name", "family_name", "unit__name", "employment_ends", "status")


def listed(request: SiteRequest) -> HttpResponse:
    """The people in scope, by a part of the name or the number; those who have left only if they are asked for."""
    access, statuses = request.access, (*Holder.Status.values, EVERY)
    units = access.units(Right.SEE_PEOPLE)
    chosen = choice(
        request, "people", COLUMNS, units=units, statuses=statuses, usual=Holder.Status.ACTIVE, usual_sort="person"
    )
    found = access.holders(Right.SEE_PEOPLE)
    if chosen.status != EVERY:
        found = found.filter(status=chosen.status)
    if chosen.unit is not None:
        found = found.filter(unit__number=chosen.unit)
    rows: list[Any] = list(found.order_by("number").values_list(*FIELDS, named=True))
    if chosen.q:
        rows = [row for row in rows if means(chosen.q, row.number, full_name(row.given_name, row.family_name))]
    acts = [(name, act.text) for name, act in ACTS.items() if access.may(act.right)]
    return show(request, "people", page=page_of(request, chosen, rows, found), chosen=chosen, acts=acts)


def one(request: SiteRequest, number: int) -> HttpResponse:
    """A person: keys, what they may open, receipts, and what can be done."""
    holder = request.access.holder(number, Right.SEE_PEOPLE)
    allowed = frozenset(holder.permissions.exclude(unit=None).values_list("unit_id", flat=True))
    keys = list(Key.objects.filter(holder=holder).order_by("-status", "number"))
    return show(
        request,
        "person",
        holder=holder,
        can=request.access.rights_over(holder),
        keys=keys,
        has_key=any(key.status == Key.Status.ACTIVE for key in keys),
        borrowed=held_by(holder, unix_now()),
        permissions=holder.permissions.select_related("unit").prefetch_related("areas", "locks", "temporary__areas"),
        today=request.access.site.today(),
        **_on_a_day(request, holder),
        receipts=request.access.receipts(Right.SEE_PEOPLE).filter(holder=holder).order_by("-made_at"),
        end_form=EndForm(),
        pool_units=request.access.units(Right.ADD_HOURLY),
        allowed=allowed,
        allowed_text=merging.as_text({"units": allowed}),
        hourly=holder.category == Holder.Category.HOURLY,
        category=category_name(holder.category),
    )


def _on_a_day(request: SiteRequest, holder: Holder) -> dict[str, Any]:
    """What they could open on the day that ``?on=`` names, in the words of today's areas."""
    first = holder.access_periods.order_by("since").values_list("since", flat=True).first()
    facts: dict[str, Any] = {"known_since": first}
    day = day_in(request.GET.get("on", ""))
    if day is None:
        return facts
    names = dict(Area.objects.filter(site=holder.site).values_list("number", "name"))
    periods = [
        (period, [names.get(number, str(number)) for number in period.opens["areas"] if number])
        for period in periods_of_day(holder, day)
    ]
    return facts | {"on": day, "periods": periods}


def employee(request: SiteRequest) -> HttpResponse:
    """A new employee: the slip has the PIN, the key's number and the code that makes a blank key this one."""
    form = EmployeeForm(request.access, request.POST or None)
    if not form.is_valid():
        return _asked_again(request, form, _("New employee"))
    details, number = form.details(form.cleaned_data["category"]), form.cleaned_data["key_number"]
    new = add_employee(details, form.opens(), by=request.access.name, key_number=number)
    return slip(request, new.receipt, pin=new.pin, code=new.code)


def hourly(request: SiteRequest) -> HttpResponse:
    """Add somebody paid by the hour, with a PIN and the pools of the chosen units."""
    form = HourlyForm(request.access, request.POST or None)
    if not form.is_valid():
        return _asked_again(request, form, _("New hourly employee"))
    units = form.cleaned_data["units"]
    given = add_hourly(form.details(Holder.Category.HOURLY), units, request.access.name, form.windows())
    return slip(request, given.receipt, pin=given.pin)


def _asked_again(request: SiteRequest, form: PersonForm, title: str) -> HttpResponse:
    """The form, with those of the same name: a link to whom this user may see."""
    seen = set(request.access.holders(Right.SEE_PEOPLE).filter(pk__in=[each.pk for each in form.doubles]))
    return show(request, "person_new", title=title, form=form, doubles=[(each, each in seen) for each in form.doubles])


def pools(request: SiteRequest, number: int) -> HttpResponse:
    """Set which units' substitute keys somebody may use. Units that are not this user's stay as they are."""
    holder = request.access.holder(number, Right.ADD_HOURLY)
    if holder.category != Holder.Category.HOURLY:
        return go(request, "person", number=number)
    mine = request.access.units(Right.ADD_HOURLY)
    told = request.POST.getlist("units")
    chosen = frozenset(unit.pk for unit in mine if str(unit.pk) in told)
    now = frozenset(holder.permissions.values_list("unit_id", flat=True))
    shown = merging.from_text(request.POST.get(merging.FIELD, ""), {"units": now}).get("units", now)
    others = (now | shown) - {unit.pk for unit in mine}
    units = merging.merged({"units": shown}, {"units": chosen | others}, {"units": now}).values["units"]
    set_pool_units(holder, Unit.objects.filter(pk__in=units))
    messages.success(request, _("Saved."))
    return go(request, "person", number=number)


def pin(request: SiteRequest, number: int) -> HttpResponse:
    """Replace a forgotten PIN."""
    with still_as_seen(request):
        given = give_pin(request.access.holder(number, Right.GIVE_PIN), request.access.name)
    return slip(request, given.receipt, pin=given.pin)


def new_key(request: SiteRequest, number: int) -> HttpResponse:
    """Give a key to somebody who has none, or whose own is lost or broken: finishes the task."""
    with still_as_seen(request):
        holder = request.access.holder(number, Right.HAND_OUT_KEY)
        if holder.category == Holder.Category.HOURLY or holder.status != Holder.Status.ACTIVE:
            raise NotDone(_("Personal keys are for permanent and long-term staff."), "person", number=number)
        if Key.objects.filter(holder=holder, status=Key.Status.ACTIVE).exists():
            raise NotDone(_("There is an active key. Block it or take it back first."), "person", number=number)
        _key, receipt, code = give_new_key(holder, request.access.name)
    return slip(request, receipt, code=code)


def end(request: SiteRequest, number: int) -> HttpResponse:
    """End an employment: the permission with the date; the keys are to be collected."""
    holder = request.access.holder(number, Right.END_EMPLOYMENT)
    form = EndForm(request.POST)
    if not form.is_valid():
        raise NotDone(_("Not ended: say which day is the last one."), "person", number=number)
    last = holder.employment_ends
    before = {"employment_ends": last.isoformat() if last else None}
    tasks = end_employment(holder, request.access.name, form.last_day_chosen())
    numbers = ", ".join(str(task.key) for task in tasks)
    said = _("%(person)s: employment ended. Keys to collect: %(keys)s") % {"person": holder, "keys": numbers or "–"}
    say_undoable(request, said, "end", holder, before)
    return go(request, "person", number=number)


def pins_overview(request: SiteRequest) -> HttpResponse:
    """How far each unit is with the renewal of all PINs."""
    site = request.access.site
    rows = renewal_progress(site, request.access.units(Right.RENEW_PINS))
    left = sum(row.left for row in rows)
    task, can_cancel = pin_renewal_task(site), may_cancel_pin_renewal(site)
    return show(request, "pins", rows=rows, left=left, task=task, at_once=AT_ONCE, can_cancel=can_cancel)


def pins_start(request: SiteRequest) -> HttpResponse:
    """Count all PINs as old from now on."""
    start_pin_renewal(request.access.site, request.access.name)
    return go(request, "pins")


def pins_pause(request: SiteRequest) -> HttpResponse:
    """Let the renewal wait, or go on again."""
    pause_pin_renewal(request.access.site, paused=request.POST.get("paused") == "1")
    return go(request, "pins")


def pins_cancel(request: SiteRequest) -> HttpResponse:
    """End the renewal where it is."""
    site = request.access.site
    if not may_cancel_pin_renewal(site):
        raise NotDone(_("A station was stolen: this renewal can be paused, not cancelled."), "pins")
    cancel_pin_renewal(site, request.access.name)
    messages.success(request, _("Cancelled: the PINs from before stay good."))
    return go(request, "pins")


def pins_renew(request: SiteRequest) -> HttpResponse:
    """Give the next people new PINs: of one unit, or of all."""
    units = request.access.units(Right.RENEW_PINS)
    chosen = request.POST.get("unit", "")
    if chosen:
        number = number_in(chosen)
        units = units.none() if number is None else units.filter(number=number)
    given = renew_pins(request.access.site, units, request.access.name)
    if not given:
        return go(request, "pins")
    # As every PIN: rendered by the post itself, kept nowhere.
    response = show(request, "slips", slips=given, fresh=True)
    response["Cache-Control"] = "no-store"
    return response
