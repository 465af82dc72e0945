"""Days as a site has them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from central.clock import unix_now
from central.models import Site


def today(site: Site) -> date:
    """The date in the site's time zone."""
    return local(unix_now(), site).date()


def local(at: int, site: Site) -> datetime:
    """A time in the site's time zone."""
    return datetime.fromtimestamp(at, ZoneInfo(site.timezone))
