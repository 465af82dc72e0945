"""People: the list, one of them, those who begin and end, and new PINs for everybody."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
from central.models import Holder, Key, Unit
from central.office.forms import EmployeeForm, EndForm, HourlyForm, category_name
from central.office.letters import fits
from central.office.lists import EVERY, NUMBER, Column, choice, page_of
from central.office.pages import NotDone, SiteRequest
from central.office.undo import say_undoable
from central.office.views.answers import go, number_in, show, slip
from central.office.views.several import ACTS

COLUMNS = (
    NUMBER,
    Column("person", gettext_lazy("Person"), lambda row: (row.given_name, row.family_name)),
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
    rows = [
        row
        for row in found.order_by("number").values_list(*FIELDS, named=True)
        if str(row.number) == chosen.q or fits(chosen.q, f"{row.given_name} {row.family_name}")
    ]
    acts = [(name, act.text) for name, act in ACTS.items() if access.may(act.right)]
    return show(request, "people", page=page_of(request, chosen, rows, found), chosen=chosen, acts=acts)


def one(request: SiteRequest, number: int) -> HttpResponse:
    """A person: keys, what they may open, receipts, and what can be done."""
    holder = request.access.holder(number, Right.SEE_PEOPLE)
    return show(
        request,
        "person",
        holder=holder,
        can=request.access.rights_over(holder),
        keys=Key.objects.filter(holder=holder).order_by("-status", "number"),
        borrowed=held_by(holder, unix_now()),
        permissions=holder.permissions.select_related("unit").prefetch_related("areas", "locks"),
        receipts=request.access.receipts(Right.SEE_PEOPLE).filter(holder=holder).order_by("-made_at"),
        end_form=EndForm(),
        pool_units=request.access.units(Right.ADD_HOURLY),
        allowed=set(holder.permissions.values_list("unit_id", flat=True)),
        hourly=holder.category == Holder.Category.HOURLY,
        category=category_name(holder.category),
    )


def employee(request: SiteRequest) -> HttpResponse:
    """A new employee: the slip has the PIN, the key's number and the code that makes a blank key this one."""
    form = EmployeeForm(request.access, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New employee"), form=form)
    areas, every_area = form.opens()
    new = add_employee(
        form.details(form.cleaned_data["category"]),
        areas,
        every_area=every_area,
        by=request.access.name,
        key_number=form.cleaned_data["key_number"],
    )
    return slip(request, new.receipt, pin=new.pin, code=new.code)


def hourly(request: SiteRequest) -> HttpResponse:
    """Add somebody paid by the hour, with a PIN and the pools of the chosen units."""
    form = HourlyForm(request.access, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New hourly employee"), form=form)
    given = add_hourly(form.details(Holder.Category.HOURLY), form.cleaned_data["units"], request.access.name)
    return slip(request, given.receipt, pin=given.pin)


def pools(request: SiteRequest, number: int) -> HttpResponse:
    """Set which units' substitute keys somebody may use. Units that are not this user's stay as they are."""
    holder = request.access.holder(number, Right.ADD_HOURLY)
    if holder.category != Holder.Category.HOURLY:
        return go(request, "person", number=number)
    mine = request.access.units(Right.ADD_HOURLY)
    told = request.POST.getlist("units")
    chosen = [unit.pk for unit in mine if str(unit.pk) in told]
    kept = Unit.objects.filter(permission__holder=holder).exclude(pk__in=mine)
    set_pool_units(holder, Unit.objects.filter(Q(pk__in=chosen) | Q(pk__in=kept)))
    messages.success(request, _("Saved."))
    return go(request, "person", number=number)


def pin(request: SiteRequest, number: int) -> HttpResponse:
    """Replace a forgotten PIN."""
    given = give_pin(request.access.holder(number, Right.GIVE_PIN), request.access.name)
    return slip(request, given.receipt, pin=given.pin)


def new_key(request: SiteRequest, number: int) -> HttpResponse:
    """Give a key to somebody who has none, or whose own is lost or broken: finishes the task."""
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
