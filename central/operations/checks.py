"""What `central manage check --database default` says beside what Django checks: what is about to run out."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DatabaseError

from central.models import Site
from central.signing.blocklists import filling


def register() -> None:
    """Have the checks run. Once for a process."""
    checks.register(_room_on_blocklists, checks.Tags.database)


def _room_on_blocklists(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    if not databases:
        return []
    try:
        fillings = [(site.number, filling(site)) for site in Site.objects.order_by("number")]
    except DatabaseError:
        return []  # before the first migration
    found: list[checks.CheckMessage] = []
    for number, filled in fillings:
        if filled.is_short:
            what = f"site {number}: {filled.keys} of 3000 keys and {filled.stations} of 100 stations are blocked"
            found.append(checks.Warning(what, hint="Take back keys that have been found.", id="central.W001"))
    return found
