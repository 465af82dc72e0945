"""How the office's pages write times."""

from datetime import date, datetime
from typing import Any

from auditlog.models import LogEntry
from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import dates
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from central.clock import DAY_S, END_OF_DATES
from central.doors.table import Right
from central.models import Site
from central.office import once, seen, undo
from central.office.access import SiteAccess
from central.office.hours import in_words
from central.office.session_end import seconds_left
from central.office.telephone import telephone, telephones

register = template.Library()

TOLD = (
    *("status", "holder", "unit", "locked_at", "unlocked_at", "employment_ends", "broken", "battery_replaced"),
    *("done_at", "signed_at", "paused_at", "is_active", "password", "pin_version_ending", "emergency_keys_wanted"),
)
THINGS = {
    "task": gettext_lazy("Task"),
    "receipt": gettext_lazy("Receipt"),
    "membership": gettext_lazy("Role"),
    "permission": gettext_lazy("May open"),
    "outoforder": gettext_lazy("Out of order"),
}
"""What the audit log names in its own words, by the name of its model."""


@register.filter
def when(at: int | None, site: Site) -> str:
    """A time, by the site's clocks; a dash for never. What no calendar has (a broken clock told it) stays a number."""
    if not at:
        return "–"
    if at >= END_OF_DATES - DAY_S:
        return str(at)
    local = site.local_time(at)
    return f"{day(local)} {local:%H:%M}"


@register.filter
def day(on: date | None) -> str:
    """A day as people of that language write it: 2026-11-29, 29.11.2026, 29 Nov 2026; a dash for none."""
    # The short English one of Django is American.
    is_english = (get_language() or "en").startswith("en")
    return date_format(on, "j M Y" if is_english else "SHORT_DATE_FORMAT") if on else "–"


@register.filter
def exactly(at: int | None, site: Site) -> str:
    """As `when`, with seconds; about a night in which clocks change with the zone, which tells its hours apart."""
    if not at or at >= END_OF_DATES - DAY_S:
        return when(at, site)
    around = {site.local_time(max(0, at + far)).utcoffset() for far in (-DAY_S // 2, 0, DAY_S // 2)}
    local = site.local_time(at)
    zone = f" ({zone_of(local)})" if len(around) > 1 else ""
    return f"{day(local)} {local:%H:%M:%S}{zone}"


def zone_of(local: datetime) -> str:
    """How far those clocks are from UTC: ``UTC+01:00``."""
    return f"UTC{local.isoformat()[-6:]}"


@register.filter
def hours_of(window: Any) -> str:
    """A weekly window of a permit: its days, from and to. 24:00 is the end of the day."""
    days = [dates.WEEKDAYS_ABBR[day] for day in range(7) if window.weekdays >> day & 1]
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.start_minute, window.end_minute))
    return f"{' '.join(map(str, days))} {start}–{end}"


@register.simple_tag(takes_context=True)
def page_address(context: dict[str, Any], number: int, name: str) -> str:
    """The address of another page of the same list: what was searched for stays."""
    query = context["request"].GET.copy()
    query[name] = str(number)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def post_fields(context: dict[str, Any], *things: Any) -> str:
    """What each form that acts carries: against other sites' pages, against acting twice, and what it is about.

    ``things``: keys, people, stations (or lists of them) whose changes since this page refuse it
    (`central.office.seen`).
    """
    every = [each for thing in things for each in (thing if isinstance(thing, list) else [thing])]
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}"><input type="hidden" name="{}" value="{}">'
        '<input type="hidden" name="{}" value="{}">',
        *(context["csrf_token"], once.FIELD, once.new_number(), seen.FIELD, seen.mark(every)),
    )


register.filter(seconds_left)
register.filter(telephone)
register.filter(telephones)


PAGES = (
    (Right.SEE_TASKS, "today", gettext_lazy("Today")),
    (Right.SEE_PEOPLE, "people", gettext_lazy("People")),
    (Right.EDIT_UNIT, "units", gettext_lazy("Units")),
    (Right.SEE_KEYS, "keys", gettext_lazy("Keys")),
    (Right.SEE_POOLS, "pools", gettext_lazy("Pool keys")),
    (Right.WHO_MAY_OPEN, "lock", gettext_lazy("Locks")),
    (Right.ASK_WHY, "why", gettext_lazy("Why is it red?")),
    (Right.READ_LOG, "log", gettext_lazy("Opening log")),
    (Right.SEE_STATIONS, "stations", gettext_lazy("Stations")),
    (Right.RENEW_PINS, "pins", gettext_lazy("PINs")),
    (Right.EDIT_TEXTS, "texts", gettext_lazy("Texts on the screens")),
    (Right.MANAGE_USERS, "users", gettext_lazy("Users")),
    (Right.IMPORT, "import", gettext_lazy("Import")),
)
"""Of the menu: who sees it, its address, its name."""
BELOW = {"receipts": "people", "renewals": "keys", "locks": "lock"}
"""Pages whose address does not begin as that of the menu which has them, and needs the same right."""


@register.filter
def pages_of(access: SiteAccess) -> list[tuple[str, Any]]:
    """The menu of somebody: addresses and names."""
    return [(f"office:{name}", text) for right, name, text in PAGES if access.may(right)]


@register.filter
def page_now(request: HttpRequest) -> str:
    """The address in the menu that this page belongs to, also one that a form has led to."""
    first = request.path.removeprefix(reverse("office:start")).split("/")[1]
    return f"office:{BELOW.get(first, first)}"


@register.filter
def moment(at: datetime, site: Site) -> str:
    """A time of the audit log, by the site's clocks."""
    return when(int(at.timestamp()), site)


@register.filter
def who(entry: LogEntry) -> str:
    """Who changed it: a user, a station, a command; the server itself where nobody did."""
    if entry.actor is not None:
        return str(entry.actor.get_full_name() or entry.actor)
    told = entry.additional_data or {}
    return _("Station %(number)s") % {"number": told["station"]} if "station" in told else told.get("system_user", "–")


@register.filter
def changed_thing(entry: LogEntry) -> str:
    """What was changed, in words of the page."""
    return str(THINGS.get(entry.content_type.model, entry.object_repr))


@register.filter
def receipt_made(entry: LogEntry) -> dict[str, str] | None:
    """What kind of receipt was made, if it tells of that."""
    is_new = entry.content_type.model == "receipt" and entry.action == LogEntry.Action.CREATE
    return {"kind": entry.changes_dict["kind"][1]} if is_new else None


@register.filter
def told(entry: LogEntry) -> list[tuple[str, str, str]]:
    """Field, old, new: of the fields that pages have words for. The whole of it is on the operator's pages."""
    return [(field, *values[:2]) for field, values in entry.changes_dict.items() if field in TOLD]


@register.filter
def told_day(text: str) -> str:
    """A day as the audit log has it, as `day`; a dash for none."""
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return "–"


@register.filter
def hours(windows: list[list[int]]) -> str:
    """Weekly windows in words."""
    return in_words(windows)


@register.filter
def undo_of(tags: str) -> str:
    """The number of the act that a message offers to take back; nothing for others."""
    return next((tag.removeprefix(undo.TAG) for tag in tags.split() if tag.startswith(undo.TAG)), "")


@register.filter
def length_of(seconds: object) -> str:
    """``2 d 03 h``, ``3 h 05 min``, ``12 min``; a dash for what is no number."""
    # A missing value of a missing object arrives here as an empty text.
    if not isinstance(seconds, int):
        return "–"
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours:02} h" if days else f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
