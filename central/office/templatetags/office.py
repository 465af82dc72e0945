"""How the office's pages write times."""

from datetime import datetime
from typing import Any

from auditlog.models import LogEntry
from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.clock import DAY_S, END_OF_DATES
from central.doors.table import Right
from central.models import Site
from central.office import once, seen, undo
from central.office.access import SiteAccess
from central.office.hours import in_words

register = template.Library()

TOLD = ("status", "holder", "unit", "locked_at", "unlocked_at", "employment_ends")


@register.filter
def when(at: int | None, site: Site) -> str:
    """A time, by the site's clocks; a dash for never. What no calendar has (a broken clock told it) stays a number."""
    if not at:
        return "–"
    return site.local_time(at).strftime("%Y-%m-%d %H:%M") if at < END_OF_DATES - DAY_S else str(at)


@register.simple_tag(takes_context=True)
def page_address(context: dict[str, Any], number: int, name: str) -> str:
    """The address of another page of the same list: what was searched for stays."""
    query = context["request"].GET.copy()
    query[name] = str(number)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def post_fields(context: dict[str, Any], *things: Any) -> str:
    """What each form that acts carries: against other sites' pages, against acting twice, and what it is about.

    ``things``: keys, people, stations whose changes since this page refuse it (`central.office.seen`).
    """
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}"><input type="hidden" name="{}" value="{}">'
        '<input type="hidden" name="{}" value="{}">',
        *(context["csrf_token"], once.FIELD, once.new_number(), seen.FIELD, seen.mark(things)),
    )


PEOPLE_PAGES = (
    *("person", "employee", "hourly"),
    *("edit_person", "move_person", "employ_again", "access", "for_a_time"),
)
PAGES = (
    (Right.SEE_TASKS, "today", gettext_lazy("Today"), ("receipt",)),
    (Right.SEE_PEOPLE, "people", gettext_lazy("People"), PEOPLE_PAGES),
    (Right.EDIT_UNIT, "units", gettext_lazy("Units"), ("unit",)),
    (Right.SEE_KEYS, "keys", gettext_lazy("Keys"), ("key", "trail")),
    (Right.SEE_POOLS, "pools", gettext_lazy("Pool keys"), ()),
    (Right.WHO_MAY_OPEN, "lock", gettext_lazy("Locks"), ()),
    (Right.READ_LOG, "log", gettext_lazy("Opening log"), ()),
    (Right.SEE_STATIONS, "stations", gettext_lazy("Stations"), ("station", "new_station")),
    (Right.RENEW_PINS, "pins", gettext_lazy("PINs"), ()),
    (Right.MANAGE_USERS, "users", gettext_lazy("Users"), ()),
    (Right.IMPORT, "import", gettext_lazy("Import"), ()),
)
"""Of the menu: who sees it, its address, its name, and the pages that belong to it."""


@register.filter
def pages_of(access: SiteAccess) -> list[tuple[str, Any]]:
    """The menu of somebody: addresses and names."""
    return [(f"office:{name}", text) for right, name, text, _below in PAGES if access.may(right)]


@register.filter
def page_now(request: HttpRequest) -> str:
    """The address in the menu that this page belongs to; nothing for a page of no menu."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    return next((f"office:{name}" for _right, name, _text, below in PAGES if here == name or here in below), "")


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
def told(entry: LogEntry) -> list[tuple[str, str, str]]:
    """Field, old, new: of the fields that pages have words for. The whole of it is on the operator's pages."""
    return [(field, *values[:2]) for field, values in entry.changes_dict.items() if field in TOLD]


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
