"""Django's PostgreSQL backend, but for how it notices that a connection has ended, and for statements planned once."""

from typing import Any

from django.db import connection

PREPARED = "prepared"


def asking() -> Any:
    """A cursor for a statement that is always the same: a connection's server plans it once, not each time."""
    backend: Any = connection
    return backend._cursor(PREPARED) if connection.vendor == "postgresql" else connection.cursor()  # noqa: SLF001
