"""Stations: how they are doing, and what can be done about it."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.codes import new_enrolment_code
from central.actions.stations import add_station, revoke_station, set_in_order, set_out_of_order, set_place
from central.clock import DAY_S, unix_now
from central.doors.table import Right
from central.feed.cursors import newest_revision
from central.models import Station, StationHealth
from central.office.forms import PlaceForm, StationForm
from central.office.lists import Column, choice
from central.office.map_links import place_in_words
from central.office.pages import NotDone, SiteRequest
from central.office.views.answers import go, once, paged, show
from central.office.wall_label import nearest

NOTE_LIMIT = 200
WARN_DAYS = 20
"""Certificates of 60 days are renewed at half: with this left, something keeps the station from it."""
WARN_BOX_DAYS = 180
"""Activation boxes meet no network: somebody has to go there."""


def _health_of(station: Station, now: int, newest: int) -> dict[str, object]:
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


COLUMNS = (
    Column("number", gettext_lazy("Number"), lambda row: row["station"].number),
    Column("station", gettext_lazy("Station"), lambda row: row["station"].name),
    Column("status", gettext_lazy("Status"), lambda row: row["station"].status),
    Column("contact", gettext_lazy("Last contact"), lambda row: row["station"].last_contact),
    Column("known", gettext_lazy("What it knows is from"), lambda row: row["mirror_age_s"]),
    Column("certificate", gettext_lazy("Certificate, days left"), lambda row: row["days_left"]),
)


def listed(request: SiteRequest) -> HttpResponse:
    """The stations in scope, by unit and status."""
    now, newest = unix_now(), newest_revision(request.access.site.pk)
    units = request.access.units(Right.SEE_STATIONS)
    chosen = choice(request, "stations", COLUMNS, units=units, statuses=Station.Status.values, usual_sort="number")
    found = request.access.stations(Right.SEE_STATIONS).select_related("health", "out_of_order", "unit", "site")
    if chosen.unit is not None:
        found = found.filter(unit__number=chosen.unit)
    if chosen.status:
        found = found.filter(status=chosen.status)
    rows = chosen.sorted(_health_of(station, now, newest) for station in found)
    return show(request, "stations", page=paged(request, rows), chosen=chosen)


def one(request: SiteRequest, number: int) -> HttpResponse:
    """A station."""
    station = request.access.station(number, Right.SEE_STATIONS)
    return _page(request, station, PlaceForm(initial={"place": place_in_words(station.latitude, station.longitude)}))


def _page(request: SiteRequest, station: Station, form: PlaceForm) -> HttpResponse:
    told = _health_of(station, unix_now(), newest_revision(request.access.site.pk))
    return show(request, "station", can=request.access.rights_over(station), form=form, **told)


def label(request: SiteRequest, number: int) -> HttpResponse:
    """What hangs on the wall beside it, to print: what to do when its screen is dark."""
    station = request.access.station(number, Right.SEE_STATIONS)
    return show(request, "station_label", station=station, nearest=nearest(station))


def place(request: SiteRequest, number: int) -> HttpResponse:
    """Where it is on the map."""
    station = request.access.station(number, Right.PLACE_STATION)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _page(request, station, form)
    set_place(station, form.cleaned_data["place"])
    messages.success(request, _("Saved."))
    return go(request, "station", number=number)


def new(request: SiteRequest) -> HttpResponse:
    """A new station, and its code."""
    form = StationForm(request.access, request.POST or None)
    if not form.is_valid():
        return show(request, "form", title=_("New station"), form=form)
    station = form.save(commit=False)
    return _code(request, station, add_station(station, request.access.site))


def code(request: SiteRequest, number: int) -> HttpResponse:
    """A one-time code that makes whoever shows it this station."""
    station = request.access.station(number, Right.ENROL_STATION)
    if station.stolen:
        raise NotDone(_("This station is revoked."), "station", number=number)
    return _code(request, station, new_enrolment_code(station))


def out_of_order(request: SiteRequest, number: int) -> HttpResponse:
    """Take a station out of use by hand: nobody is sent there."""
    station = request.access.station(number, Right.STATION_OUT_OF_ORDER)
    # Not a form's field, which would refuse it: a NUL gets into no PostgreSQL.
    note = "".join(each for each in request.POST.get("note", "") if each.isprintable())
    set_out_of_order(station, request.access.name, note[:NOTE_LIMIT])
    return go(request, "station", number=number)


def in_order(request: SiteRequest, number: int) -> HttpResponse:
    """Put it back in use."""
    set_in_order(request.access.station(number, Right.STATION_OUT_OF_ORDER))
    return go(request, "station", number=number)


def revoke(request: SiteRequest, number: int) -> HttpResponse:
    """Shut out a station that was stolen; what cannot be undone is confirmed first."""
    if not request.POST.get("sure"):
        raise NotDone(_("Not done: confirm that you mean it."), "station", number=number)
    revoke_station(request.access.station(number, Right.REVOKE_STATION), request.access.name)
    messages.warning(request, _("Revoked. Next step: every PIN of the site has to be renewed; there is a task for it."))
    return go(request, "station", number=number)


def _code(request: SiteRequest, station: Station, code: str) -> HttpResponse:
    title = _("Enrolment code of %(station)s, good for 15 minutes") % {"station": station}
    return once(request, title, code)
