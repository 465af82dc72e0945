"""How the office's pages write times."""

from typing import Any

from django import template

from central.clock import DAY_S, END_OF_DATES
from central.models import Site

register = template.Library()


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


@register.filter
def length_of(seconds: object) -> str:
    """``2 d 03 h``, ``3 h 05 min``, ``12 min``; a dash for what is no number."""
    # A missing value of a missing object arrives here as an empty text.
    if not isinstance(seconds, int):
        return "–"
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours:02} h" if days else f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
