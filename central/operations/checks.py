"""What the operator has to look after: what runs out, is behind, or shut.

`central manage check --database default` says it beside what Django checks, and so does the admin's first page.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connection

from central.actions.restored import restored_at
from central.clock import unix_now
from central.models import ServerFact, Site
from central.operations.scheduler import how_far_behind
from central.signing.blocklists import filling
from station.records.claims import BLOCKED_KEYS_LIMIT, BLOCKED_STATIONS_LIMIT


def register() -> None:
    """Have the checks run. Once for a process."""
    checks.register(_of_the_database, checks.Tags.database)


def _of_the_database(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    return warnings() if databases and not _is_empty() else []


def warnings() -> list[checks.CheckMessage]:
    """What the operator has to look after."""
    return [*_room_on_blocklists(), *_scheduler_keeps_up(), *_open_to_stations()]


def _room_on_blocklists() -> Iterator[checks.CheckMessage]:
    for site in Site.objects.order_by("number"):
        filled = filling(site)
        if filled.is_short:
            keys = f"{filled.keys} of {BLOCKED_KEYS_LIMIT} keys"
            stations = f"{filled.stations} of {BLOCKED_STATIONS_LIMIT} stations"
            what = f"site {site.number}: {keys} and {stations} are blocked"
            yield checks.Warning(what, hint="Take back keys that have been found.", id="central.W001")


def _scheduler_keeps_up() -> Iterator[checks.CheckMessage]:
    if wrong := how_far_behind(unix_now()):
        yield checks.Warning(f"scheduler: {wrong}", hint="See the servers' logs.", id="central.W002")


def _open_to_stations() -> Iterator[checks.CheckMessage]:
    if restored_at() is not None:
        what = "closed to stations since the database was restored"
        yield checks.Warning(what, hint="Next: central manage open_after_restore.", id="central.W003")


def _is_empty() -> bool:
    """Before the first migration, which begins with these checks."""
    return ServerFact._meta.db_table not in connection.introspection.table_names()  # noqa: SLF001  (Django's own)
