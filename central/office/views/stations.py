"""Stations: how they are doing, and what can be done about it."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.acts import stations
from central.clock import DAY_S, unix_now
from central.codes import new_enrolment_code
from central.feed import change
from central.feed.page import head
from central.models import Station, StationHealth
from central.office.desk import AtDesk, deed, page
from central.office.forms import StationForm
from central.office.roles import Act
from central.office.views.answers import go, once, show

NOTE_LIMIT = 200
WARN_DAYS = 20
"""Certificates of 60 days are renewed at half: with this left, something keeps the station from it."""
WARN_BOX_DAYS = 180
"""Activation boxes meet no network: somebody has to go there."""


def doing(station: Station, now: int, newest: int) -> dict[str, object]:
    """What a row or page shows of a station."""
    health = getattr(station, "health", None)
    days_left = (station.certificate_expires - now) // DAY_S if station.certificate_expires else None
    warn_days = WARN_BOX_DAYS if station.role == Station.Role.ACTIVATION_BOX else WARN_DAYS
    return {
        "station": station,
        "health": health,
        "by_hand": getattr(station, "out_of_order", None),
        "days_left": days_left,
        "ends_soon": days_left is not None and days_left < warn_days,
        "silent_s": now - station.last_contact if station.last_contact else None,
        "mirror_age_s": _mirror_age_s(health, now),
        "outbox": health.outbox if health else None,
        "behind": max(0, newest - (health.revision or 0)) if health and health.revision is not None else None,
    }


def _mirror_age_s(health: StationHealth | None, now: int) -> int | None:
    """By the station's own word where it gives one: it may ask and not be able to keep the answer."""
    confirmed_at = (health.mirror_confirmed_at or health.mirror_at) if health else None
    return max(0, now - confirmed_at) if confirmed_at else None


@page(Act.SEE_STATIONS)
def listed(request: AtDesk) -> HttpResponse:
    """All stations in scope."""
    now, newest = unix_now(), head(request.desk.site.pk)
    found = request.desk.stations(Act.SEE_STATIONS).select_related("health", "out_of_order", "unit", "site")
    return show(request, "stations", rows=[doing(station, now, newest) for station in found])


@page(Act.SEE_STATIONS)
def one(request: AtDesk, number: int) -> HttpResponse:
    """A station."""
    station = request.desk.station(number, Act.SEE_STATIONS)
    told = doing(station, unix_now(), head(request.desk.site.pk))
    return show(request, "station", can=request.desk.acts_on(station), **told)


@page(Act.ENROL_STATION)
def new(request: AtDesk) -> HttpResponse:
    """A new station, and its code."""
    form = StationForm(request.desk, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New station"), form=form)
    with change():
        station = form.save(commit=False)
        station.site = request.desk.site
        last = Station.objects.filter(site=station.site).order_by("-number").values_list("number", flat=True).first()
        station.number = (last or 0) + 1
        station.save()
    return _code(request, station)


@deed(Act.ENROL_STATION)
def code(request: AtDesk, number: int) -> HttpResponse:
    """A one-time code that makes whoever shows it this station."""
    station = request.desk.station(number, Act.ENROL_STATION)
    if station.stolen:
        messages.error(request, _("This station is revoked."))
        return go(request, "station", number=number)
    return _code(request, station)


@deed(Act.STATION_OUT_OF_ORDER)
def out_of_order(request: AtDesk, number: int) -> HttpResponse:
    """By hand: nobody is sent there."""
    station = request.desk.station(number, Act.STATION_OUT_OF_ORDER)
    # Not a form's field, which would refuse it: a NUL gets into no PostgreSQL.
    note = "".join(each for each in request.POST.get("note", "") if each.isprintable())
    stations.set_out_of_order(station, request.desk.name, note[:NOTE_LIMIT])
    return go(request, "station", number=number)


@deed(Act.STATION_OUT_OF_ORDER)
def in_order(request: AtDesk, number: int) -> HttpResponse:
    """Back in use."""
    stations.set_in_order(request.desk.station(number, Act.STATION_OUT_OF_ORDER))
    return go(request, "station", number=number)


@deed(Act.REVOKE_STATION)
def revoke(request: AtDesk, number: int) -> HttpResponse:
    """Stolen."""
    stations.revoke(request.desk.station(number, Act.REVOKE_STATION), request.desk.name)
    messages.warning(request, _("Revoked. Next step: every PIN of the site has to be renewed; there is a task for it."))
    return go(request, "station", number=number)


def _code(request: AtDesk, station: Station) -> HttpResponse:
    title = _("Enrolment code of %(station)s, good for 15 minutes") % {"station": station}
    return once(request, title, new_enrolment_code(station))
