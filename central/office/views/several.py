"""One act on several people: they are named first, it is confirmed, and done person by person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.moves import move_person
from central.actions.people import edit_person, end_employment
from central.actions.pins import give_pin
from central.doors.table import Right
from central.models import Holder, Receipt
from central.office.employment_forms import MoveForm
from central.office.forms import EndForm, ExtendForm
from central.office.pages import NotDone, SiteRequest
from central.office.views.answers import ROWS, go, number_in, show
from central.office.views.people_offered import by_name

LIMIT = ROWS
"""As many as a page of the list has."""


@dataclass(frozen=True)
class Act:
    """What can be done to several people, by whom, and what it means for them."""

    right: Right
    text: Any
    means: Any = ""
    form: "Callable[..., forms.Form] | None" = None
    is_dangerous: bool = False


ACTS = {
    "slips": Act(Right.SEE_PEOPLE, gettext_lazy("Print their receipts again")),
    "pins": Act(
        Right.GIVE_PIN, gettext_lazy("New PINs, as slips"),
        gettext_lazy("Their old PINs are dead at each station's next refresh. This cannot be undone."),
    ),
    "extend": Act(
        Right.END_EMPLOYMENT, gettext_lazy("Move their last day"),
        gettext_lazy("They stay until the end of that day. Their keys are to be collected then."),
        ExtendForm,
    ),
    "move": Act(
        Right.EDIT_PERSON, gettext_lazy("Move to another unit"),
        gettext_lazy("They belong to that unit from now on. It cannot be undone; they can be moved back."),
        MoveForm,
    ),
    "end": Act(
        Right.END_EMPLOYMENT, gettext_lazy("Employment ends"),
        gettext_lazy("They can then open nothing, at any station that has heard of it. Keys still out become tasks. "
                     "This cannot be undone for all of them at once."),
        EndForm, is_dangerous=True,
    ),
}  # fmt: skip


def several(request: SiteRequest) -> HttpResponse:
    """Name the people and what will happen to them; do it when it is confirmed."""
    told = request.POST if request.method == "POST" else request.GET
    name, act = told.get("act", ""), ACTS.get(told.get("act", ""))
    numbers = {number for each in told.getlist("who") if (number := number_in(each)) is not None}
    if act is None or not 0 < len(numbers) <= LIMIT:
        raise NotDone(_("Tick people, and choose what to do."), "people")
    request.access.require(act.right)
    here = by_name(request.access.holders(Right.SEE_PEOPLE).filter(number__in=numbers))
    mine = set(request.access.holders(act.right).filter(number__in=numbers).values_list("pk", flat=True))
    people = [one for one in here if one.pk in mine and (name == "slips" or one.status == Holder.Status.ACTIVE)]
    others = [one for one in here if one not in people]
    if name == "slips":
        return show(request, "slips", slips=_newest_receipts(request, people), fresh=False)
    about = (request.access, people) if act.form is MoveForm else ()
    form = act.form(*about, request.POST or None) if act.form else None
    if isinstance(form, ExtendForm) and form.is_valid() and form.cleaned_data["last_day"] < request.access.site.today():
        form.add_error("last_day", _("That day is over."))
    if request.method == "POST" and people and (form is None or form.is_valid()):
        return _give_pins(request, people) if name == "pins" else _do(request, name, people, form)
    return show(request, "several", people=people, others=others, act=act, act_name=name, form=form)


def _do(request: SiteRequest, name: str, people: list[Holder], form: Any) -> HttpResponse:
    """Each in a change of their own: what could not be done for one is done for the others."""
    by, done, not_done = request.access.name, [], []
    handed_in: list[Receipt] = []
    for holder in people:
        if name == "end":
            end_employment(holder, by, form.last_day_chosen())
        elif name == "extend" and holder.employment_ends is not None:
            edit_person(holder, {"employment_ends": form.cleaned_data["last_day"]}, by)
        elif name == "move" and holder.unit != form.cleaned_data["unit"]:
            new_access = form.cleaned_data["opens"] == "new"
            handed_in += move_person(
                holder, form.cleaned_data["unit"], by, new_access=new_access, key_handed_in=form.key_handed_in
            )
        else:
            not_done.append(holder)
            continue
        done.append(holder)
    if done:
        messages.success(request, _("Done for %(people)s.") % {"people": ", ".join(map(str, done))})
    if handed_in:
        numbers = ", ".join(str(receipt.key) for receipt in handed_in)
        messages.success(request, _("Keys handed in: %(keys)s") % {"keys": numbers})
    if not_done:
        why = _("Not done, since they are there already: %(people)s.")
        if name == "extend":
            why = _("Not done, since they have no last day: %(people)s.")
        messages.warning(request, why % {"people": ", ".join(map(str, not_done))})
    return go(request, "people")


def _give_pins(request: SiteRequest, people: list[Holder]) -> HttpResponse:
    """As every PIN: rendered by the post itself, kept nowhere."""
    given = [give_pin(holder, request.access.name) for holder in people]
    response = show(request, "slips", slips=given, fresh=True)
    response["Cache-Control"] = "no-store"
    return response


def _newest_receipts(request: SiteRequest, people: list[Holder]) -> list[dict[str, Any]]:
    """Of each who has one, without the PIN, which is in no place to print it from."""
    found = request.access.receipts(Right.SEE_PEOPLE).filter(holder__in=people).exclude(kind=Receipt.Kind.PIN)
    newest = {receipt.holder_id: receipt for receipt in found.order_by("made_at", "pk")}
    return [{"holder": one, "receipt": newest[one.pk]} for one in people if one.pk in newest]
