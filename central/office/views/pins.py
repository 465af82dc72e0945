"""Every PIN anew, unit by unit, with a slip for each person."""

from django.http import HttpResponse

from central.acts import renewing
from central.acts.people import receipt_of_pin
from central.office.desk import AtDesk, deed, page
from central.office.numbers import number_in
from central.office.roles import Act
from central.office.views.answers import go, show


@page(Act.RENEW_PINS)
def overview(request: AtDesk) -> HttpResponse:
    """How far each unit is."""
    desk = request.desk
    rows = renewing.progress(desk.site, desk.units(Act.RENEW_PINS))
    left = sum(row.left for row in rows)
    task = renewing.open_task(desk.site)
    return show(request, "pins", rows=rows, left=left, task=task, at_once=renewing.AT_ONCE)


@deed(Act.RENEW_PINS)
def begin(request: AtDesk) -> HttpResponse:
    """All PINs are old from now on."""
    renewing.begin(request.desk.site, request.desk.name)
    return go(request, "pins")


@deed(Act.RENEW_PINS)
def renew(request: AtDesk) -> HttpResponse:
    """The next slips: of one unit, or of all."""
    desk = request.desk
    units = desk.units(Act.RENEW_PINS)
    chosen = request.POST.get("unit", "")
    if chosen:
        number = number_in(chosen)
        units = units.none() if number is None else units.filter(number=number)
    given = renewing.renew(desk.site, units, desk.name)
    if not given:
        return go(request, "pins")
    slips = [(begun, receipt_of_pin(begun.holder, desk.name)) for begun in given]
    # As every PIN: rendered by the post itself, kept nowhere.
    response = show(request, "slips", slips=slips, fresh=True)
    response["Cache-Control"] = "no-store"
    return response
