"""What `central manage check --database default` says beside what Django checks: what runs out, or is behind."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connection

from central.clock import unix_now
from central.models import ServerFact, Site
from central.operations.scheduler import how_far_behind
from central.signing.blocklists import filling
from station.records.claims import BLOCKED_KEYS_LIMIT, BLOCKED_STATIONS_LIMIT


def register() -> None:
    """Have the checks run. Once for a process."""
    checks.register(_room_on_blocklists, checks.Tags.database)
    checks.register(_scheduler_keeps_up, checks.Tags.database)


def _room_on_blocklists(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    if not databases or _is_empty():
        return []
    found: list[checks.CheckMessage] = []
    for site in Site.objects.order_by("number"):
        filled = filling(site)
        if filled.is_short:
            keys = f"{filled.keys} of {BLOCKED_KEYS_LIMIT} keys"
            stations = f"{filled.stations} of {BLOCKED_STATIONS_LIMIT} stations"
            what = f"site {site.number}: {keys} and {stations} are blocked"
            found.append(checks.Warning(what, hint="Take back keys that have been found.", id="central.W001"))
    return found


def _scheduler_keeps_up(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    if not databases or _is_empty():
        return []
    wrong = how_far_behind(unix_now())
    return [checks.Warning(f"scheduler: {wrong}", hint="See the servers' logs.", id="central.W002")] if wrong else []


def _is_empty() -> bool:
    """Before the first migration, which begins with these checks."""
    return ServerFact._meta.db_table not in connection.introspection.table_names()  # noqa: SLF001  (Django's own)
