"""An employment: what the office knows of somebody, another unit, and coming back."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.actions.moves import employ_again, move_person, own_keys, state_before_move
from central.actions.people import edit_person
from central.actions.pins import give_pin
from central.doors.table import Right
from central.models import Holder
from central.office.employment_forms import AgainForm, EditForm, MoveForm
from central.office.pages import NotDone, SiteRequest
from central.office.undo import say_undoable
from central.office.views.answers import go, show, slip


def edit(request: SiteRequest, number: int) -> HttpResponse:
    """Name, employment, language, note."""
    holder = _working(request, number)
    form = EditForm(holder, request.POST or None)
    if not form.is_valid():
        return show(request, "person_edit", form=form, holder=holder, hourly=holder.category == Holder.Category.HOURLY)
    if changed := form.changed():
        edit_person(holder, changed, request.access.name)
    messages.success(request, _("Saved."))
    return go(request, "person", number=number)


def move(request: SiteRequest, number: int) -> HttpResponse:
    """To another unit, with what goes along."""
    holder = _working(request, number)
    form = MoveForm(request.access, [holder], request.POST or None)
    if not form.is_valid():
        return show(request, "person_move", form=form, holder=holder, keys=own_keys(holder))
    unit, before = form.cleaned_data["unit"], state_before_move(holder)
    also = [*own_keys(holder), *holder.permissions.all()]
    receipts = move_person(
        holder, unit, request.access.name,
        new_access=form.cleaned_data["opens"] == "new", key_handed_in=form.key_handed_in,
    )  # fmt: skip
    said = _("%(person)s now belongs to %(unit)s. Keys handed in: %(keys)s") % {
        "person": holder, "unit": unit, "keys": ", ".join(str(receipt.key) for receipt in receipts) or "–",
    }  # fmt: skip
    before["made"] = [receipt.pk for receipt in receipts]
    say_undoable(request, said, "move", holder, before, *{*also, *holder.permissions.all()})
    # Of another unit: a page that this user may not have any more.
    there = request.access.holders(Right.SEE_PEOPLE).filter(pk=holder.pk).exists()
    return go(request, "person", number=number) if there else go(request, "people")


def again(request: SiteRequest, number: int) -> HttpResponse:
    """Somebody who has left works here again: a new PIN, and what is usual in the unit."""
    holder = request.access.holder(number, Right.EDIT_PERSON)
    if holder.status != Holder.Status.ENDED or holder.forgotten_at is not None:
        said = _("Only somebody who has left, and has not been forgotten, is employed again.")
        raise NotDone(said, "person", number=number)
    form = AgainForm(request.access, holder, request.POST or None)
    if not form.is_valid():
        return show(request, "person_again", form=form, holder=holder)
    employ_again(holder, form.employment(), request.access.name)
    given = give_pin(holder, request.access.name)
    return slip(request, given.receipt, pin=given.pin)


def _working(request: SiteRequest, number: int) -> Holder:
    holder = request.access.holder(number, Right.EDIT_PERSON)
    if holder.status != Holder.Status.ACTIVE:
        raise NotDone(_("%(person)s has left: employ them again first.") % {"person": holder}, "person", number=number)
    return holder
