"""People: the list, one of them, and those who begin and end."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.acts import keys, people
from central.codes import new_provision_code
from central.feed import change
from central.models import Holder, Key, Unit
from central.office.desk import AtDesk, deed, page
from central.office.forms import EmployeeForm, EndForm, HourlyForm, category_name
from central.office.paging import paged
from central.office.roles import Act
from central.office.views.answers import go, show, slip


@page(Act.SEE_PEOPLE)
def listed(request: AtDesk) -> HttpResponse:
    """The people in scope, by a part of the name or the number."""
    words = request.GET.get("q", "").split()
    found = request.desk.holders(Act.SEE_PEOPLE).order_by("status", "given_name", "family_name", "number")
    ended = bool(request.GET.get("ended"))
    if not ended:
        found = found.filter(status=Holder.Status.ACTIVE)
    if words:
        # Not in SQL: SQLite does not know that å is Å.
        names = found.values_list("pk", "number", "given_name", "family_name")
        fitting = [pk for pk, *name in names if all(_fits(word, *name) for word in words)]
        found = found.filter(pk__in=fitting)
    return show(request, "people", page=paged(request, found), q=" ".join(words), ended=ended)


def _fits(word: str, number: int, given_name: str, family_name: str) -> bool:
    return word == str(number) or word.casefold() in f"{given_name} {family_name}".casefold()


@page(Act.SEE_PEOPLE)
def one(request: AtDesk, number: int) -> HttpResponse:
    """A person: keys, what they may open, receipts, and what can be done."""
    holder = request.desk.holder(number, Act.SEE_PEOPLE)
    return show(
        request,
        "person",
        holder=holder,
        can=request.desk.acts_on(holder),
        keys=Key.objects.filter(holder=holder).order_by("-status", "number"),
        permissions=holder.permissions.select_related("unit").prefetch_related("areas", "locks"),
        receipts=request.desk.receipts().filter(holder=holder).order_by("-made_at"),
        end_form=EndForm(),
        pool_units=request.desk.units(Act.ADD_HOURLY),
        allowed=set(holder.permissions.values_list("unit_id", flat=True)),
        hourly=holder.category == Holder.Category.HOURLY,
        category=category_name(holder.category),
    )


@page(Act.ADD_EMPLOYEE)
def employee(request: AtDesk) -> HttpResponse:
    """A new employee: the slip has the PIN, the key's number and the code that makes a blank key this one."""
    form = EmployeeForm(request.desk, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New employee"), form=form)
    areas, every_area = form.opens()
    # One change: no half of it is left if the rest fails.
    with change():
        begun = people.begin(form.person(form.cleaned_data["category"]), areas, every_area=every_area)
        key, receipt = keys.new_personal_key(begun.holder, request.desk.name, form.cleaned_data["key_number"])
    return slip(request, receipt, pin=begun.pin, code=new_provision_code(key))


@page(Act.ADD_HOURLY)
def hourly(request: AtDesk) -> HttpResponse:
    """Somebody paid by the hour: a PIN, and the pools of the chosen units."""
    form = HourlyForm(request.desk, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New hourly employee"), form=form)
    with change():
        begun = people.begin_hourly(form.person(Holder.Category.HOURLY), form.cleaned_data["units"])
    return slip(request, people.receipt_of_pin(begun.holder, request.desk.name), pin=begun.pin)


@deed(Act.ADD_HOURLY)
def pools(request: AtDesk, number: int) -> HttpResponse:
    """Which units' substitute keys somebody may use. Units that are not this desk's stay as they are."""
    holder = request.desk.holder(number, Act.ADD_HOURLY)
    if holder.category != Holder.Category.HOURLY:
        return go(request, "person", number=number)
    mine = request.desk.units(Act.ADD_HOURLY)
    told = request.POST.getlist("units")
    chosen = [unit.pk for unit in mine if str(unit.pk) in told]
    kept = Unit.objects.filter(permission__holder=holder).exclude(pk__in=mine)
    people.use_pools(holder, Unit.objects.filter(Q(pk__in=chosen) | Q(pk__in=kept)))
    messages.success(request, _("Saved."))
    return go(request, "person", number=number)


@deed(Act.GIVE_PIN)
def pin(request: AtDesk, number: int) -> HttpResponse:
    """A forgotten PIN is replaced."""
    holder = request.desk.holder(number, Act.GIVE_PIN)
    given = people.give_pin(holder)
    return slip(request, people.receipt_of_pin(holder, request.desk.name), pin=given)


@deed(Act.HAND_OUT_KEY)
def new_key(request: AtDesk, number: int) -> HttpResponse:
    """A key for somebody who has none, or whose own is lost or broken: finishes the task."""
    holder = request.desk.holder(number, Act.HAND_OUT_KEY)
    if holder.category == Holder.Category.HOURLY or holder.status != Holder.Status.ACTIVE:
        messages.error(request, _("Personal keys are for permanent and long-term staff."))
        return go(request, "person", number=number)
    if Key.objects.filter(holder=holder, status=Key.Status.ACTIVE).exists():
        messages.error(request, _("There is an active key. Block it or take it back first."))
        return go(request, "person", number=number)
    with transaction.atomic():
        key, receipt = keys.new_personal_key(holder, request.desk.name)
        code = new_provision_code(key)
    return slip(request, receipt, code=code)


@deed(Act.END_EMPLOYMENT)
def end(request: AtDesk, number: int) -> HttpResponse:
    """Employment ends: the permission with the date, and the keys are to be collected."""
    holder = request.desk.holder(number, Act.END_EMPLOYMENT)
    form = EndForm(request.POST)
    if form.is_valid():
        tasks = people.end(holder, request.desk.name, form.cleaned_data["last_day"])
        numbers = ", ".join(str(task.key) for task in tasks)
        messages.success(request, _("Ended. Keys to collect: %(keys)s") % {"keys": numbers or "–"})
    else:
        messages.error(request, _("That is not a date."))
    return go(request, "person", number=number)
