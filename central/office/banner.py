"""What every page says on top while stations are kept waiting."""

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest

from central.actions.restored import restored_at


def waiting_stations(_request: HttpRequest) -> dict[str, Any]:
    """Django's protocol of context processors: ``stations_wait``, asked of the database by pages that show it."""
    return {"stations_wait": _stations_wait}


def _stations_wait() -> bool:
    try:
        return restored_at() is not None
    except DatabaseError:
        # The page that says that something is wrong is a page, too.
        return False
