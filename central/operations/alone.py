"""What one process at a time does, of all that share a database: PostgreSQL's advisory locks.

Each is on a connection of its own, and ends with it: so with the process or its machine, whatever becomes of them. A
process that is frozen loses it too, after `UNHEARD_S`. On SQLite there is one process: it is always alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any, cast

from django.db import connection

from central.errors import CentralError

CLASS = 0x63656E74
"""The first half of all our locks' names; the second is the work."""
UNHEARD_S = 600
SESSION = {
    "idle_session_timeout": f"'{UNHEARD_S}s'", "tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
}  # fmt: skip
"""When PostgreSQL ends the connection of a process that says nothing, or of a machine that is gone."""
WAIT_LIMIT_S = 600.0
LOOK_EVERY_S = 0.2


class Work(IntEnum):
    """What is done alone."""

    START = 1
    """Migrations, and the first secrets."""
    SCHEDULER = 2


class Alone:
    """The right to be the one that does a work."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._held: Any = None

    def take(self) -> bool:
        """Take it, without waiting. Returns whether it is ours. Raises DatabaseError."""
        if connection.vendor != "postgresql":
            return True
        assert self._held is None
        with connection.wrap_database_errors:
            # Never one of a pool: it would go back there with the lock.
            mine = _driver().connect(**connection.get_connection_params(), autocommit=True)
            try:
                for name, value in SESSION.items():
                    mine.execute(f"SET {name} = {value}")
                (got,) = mine.execute("SELECT pg_try_advisory_lock(%s, %s)", [CLASS, int(self._work)]).fetchone()
            except BaseException:
                mine.close()
                raise
        if got:
            self._held = mine
        else:
            mine.close()
        return bool(got)

    def is_held(self) -> bool:
        """Whether it is still ours: asked before each piece of the work."""
        if connection.vendor != "postgresql":
            return True
        try:
            return self._held is not None and self._held.execute("SELECT 1").fetchone() == (1,)
        except _driver().Error:
            return False

    def release(self) -> None:
        """Let another one have it."""
        if self._held is not None:
            with suppress(_driver().Error):
                self._held.close()
            self._held = None


@contextmanager
def alone(work: Work) -> Iterator[None]:
    """Do a work when no other process does it, waiting for whoever does. Raises CentralError (``busy``) after a while.

    It asks again and again: waiting inside PostgreSQL would keep the other one's ``CREATE INDEX CONCURRENTLY`` waiting.
    """
    turn = Alone(work)
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not turn.take():
        if time.monotonic() >= deadline:
            raise CentralError("busy", work=work.name.lower(), reason="another machine has been at it for ten minutes")
        time.sleep(LOOK_EVERY_S)
    try:
        yield
    finally:
        turn.release()


def _driver() -> Any:
    """Psycopg, as Django found it."""
    return cast("Any", connection).Database
