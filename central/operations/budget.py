"""How many connections to PostgreSQL all machines together may have: said at start, and refused if they do not fit.

SQLite has no such limit.
"""

import os

from django.db import connection, connections
from django.db.utils import DatabaseError

from central.errors import CentralError

MACHINES_VARIABLE = "CENTRAL_MACHINES"
OF_A_WORKER = 1
"""Beside its threads': the one that listens for news."""
OF_A_SCHEDULER = 2
"""Of each machine: one that holds, or asks for, the right to do the work, and one that it is done on."""
RESERVE = 5
"""For commands, a backup, whoever looks."""


def machines() -> int:
    """How many machines serve the database, by the environment. Raises CentralError (``machines``)."""
    text = os.environ.get(MACHINES_VARIABLE) or "1"
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100:
        raise CentralError("machines", reason=f"{MACHINES_VARIABLE} is a number from 1 to 100")
    return int(text)


def check_connections(workers: int, threads: int) -> str:
    """A line that says how many connections there may be, and how many there are to have. Empty on SQLite.

    Raises CentralError: ``connections`` when they do not fit, ``machines``, ``database``.
    """
    if connection.vendor != "postgresql":
        return ""
    count = machines()
    try:
        kept_back = _setting("superuser_reserved_connections") + _setting("reserved_connections")
        has = _setting("max_connections") - kept_back
    except DatabaseError as error:
        raise CentralError("database", reason=type(error).__name__) from error
    finally:
        # The server forks: a connection must not be shared with a child.
        connections.close_all()
    needed = count * (workers * (threads + OF_A_WORKER) + OF_A_SCHEDULER) + RESERVE
    sum_ = (
        f"{count} machine(s) x ({workers} worker(s) x ({threads} threads + {OF_A_WORKER}) + {OF_A_SCHEDULER}) "
        f"+ {RESERVE} in reserve = {needed} of {has}"
    )
    if needed > has:
        reason = f"{sum_}: raise max_connections to {needed + kept_back}, or take fewer workers or threads"
        raise CentralError("connections", reason=reason)
    return f"database connections: {sum_}"


def _setting(name: str) -> int:
    # PostgreSQL keeps the first for its superusers, and from version 16 on the second for those who may have them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(current_setting(%s, true), '0')", [name])
        return int(cursor.fetchone()[0])
