"""Units: what whoever is new in one may open, and when."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from central.actions.units import set_usual_access
from central.doors.table import Right
from central.office.access_forms import UnitForm
from central.office.pages import SiteRequest
from central.office.views.answers import go, show


def listed(request: SiteRequest) -> HttpResponse:
    """The units in scope, with what is usual in them."""
    units = request.access.units(Right.EDIT_UNIT).prefetch_related("usual_areas")
    return show(request, "units", units=units)


def one(request: SiteRequest, number: int) -> HttpResponse:
    """What is usual in one: for those who begin or move there from now on."""
    unit = get_object_or_404(request.access.units(Right.EDIT_UNIT), number=number)
    form = UnitForm(request.access, unit, request.POST or None)
    if not form.is_valid():
        return show(request, "unit", form=form, unit=unit)
    set_usual_access(unit, form.access())
    messages.success(request, _("Saved."))
    return go(request, "units")
