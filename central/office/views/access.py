"""What somebody may open: changed, given for a time, taken back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from central.actions.access import change_access, give_for_a_time, kept, take_back_access
from central.actions.access import end_for_a_time as end_given
from central.doors.table import Right
from central.models import Holder, Permission, TemporaryAccess
from central.office.access_forms import AccessForm, ForATimeForm
from central.office.pages import NotDone, SiteRequest
from central.office.templatetags.office import day
from central.office.undo import say_undoable
from central.office.views.answers import go, number_in, show


def change(request: SiteRequest, number: int) -> HttpResponse:
    """Areas, single locks and hours of a permission: of somebody hourly, that for ``?unit=``."""
    holder = request.access.holder(number, Right.CHANGE_ACCESS)
    permission = _permission(request, holder)
    form = AccessForm(request.access, permission, request.POST or None)
    if not form.is_valid():
        return show(request, "access", form=form, holder=holder, permission=permission)
    if form.merged.changed:
        change_access(permission, form.access())
    messages.success(request, _("Saved."))
    return go(request, "person", number=number)


def for_a_time(request: SiteRequest, number: int) -> HttpResponse:
    """Give areas until the end of a day."""
    holder = request.access.holder(number, Right.CHANGE_ACCESS)
    permission = _permission(request, holder)
    form = ForATimeForm(request.access, holder, request.POST or None)
    if not form.is_valid():
        return show(request, "person_for_a_time", form=form, holder=holder, permission=permission)
    give_for_a_time(permission, form.given_areas(), form.cleaned_data["until"])
    said = _("%(person)s may open these areas, too; on %(day)s it ends by itself.") % {
        "person": holder, "day": day(form.cleaned_data["until"]),
    }  # fmt: skip
    messages.success(request, said)
    return go(request, "person", number=number)


def end_for_a_time(request: SiteRequest, number: int) -> HttpResponse:
    """End at once what was given for a time."""
    holder = request.access.holder(number, Right.CHANGE_ACCESS)
    mine = TemporaryAccess.objects.filter(permission__in=_permissions(request, holder))
    chosen = number_in(request.POST.get("given", "")) or 0
    given = mine.filter(pk=chosen).select_related("permission__holder__site", "permission__unit").first()
    if given is None:
        raise NotDone(_("That has ended already."), "person", number=number)
    permission, before = given.permission, {"permissions": kept([given.permission])}
    end_given(given)
    said = _("%(person)s: what was given for a time has ended.") % {"person": holder}
    say_undoable(request, said, "access", holder, before, permission)
    return go(request, "person", number=number)


def take_back(request: SiteRequest, number: int) -> HttpResponse:
    """Take back all areas and locks that are this user's to give; for ten minutes they can be given back."""
    holder = request.access.holder(number, Right.CHANGE_ACCESS)
    permissions = list(_permissions(request, holder))
    before = {"permissions": kept(permissions)}
    take_back_access(permissions)
    left = Permission.objects.filter(holder=holder).exclude(pk__in=[each.pk for each in permissions])
    said = (
        _("%(person)s may open nothing now with your units' keys. Other units' keys are theirs to take back.")
        if left.exists()
        else _("%(person)s may open nothing now.")
    ) % {"person": holder}
    say_undoable(request, said, "access", holder, before, *permissions)
    return go(request, "person", number=number)


def _permissions(request: SiteRequest, holder: Holder) -> "list[Permission]":
    units = set(request.access.units(Right.CHANGE_ACCESS))
    found = Permission.objects.filter(holder=holder).select_related("unit", "holder__site", "holder__unit")
    return [each for each in found.order_by("unit__number", "pk") if each.unit is None or each.unit in units]


def _permission(request: SiteRequest, holder: Holder) -> Permission:
    """The one that the address names by its unit, else the first."""
    found = _permissions(request, holder)
    unit = number_in(request.GET.get("unit", ""))
    chosen = [each for each in found if unit is None or (each.unit is not None and each.unit.number == unit)]
    if not chosen:
        raise Http404
    return chosen[0]
