"""News of a site, for polls that wait: told in the transaction that makes them, heard by every process.

On PostgreSQL by NOTIFY, which arrives with the commit, in each process that listens (`central.serving.listening`). On
SQLite by a call, in the process that commits.
"""

from collections.abc import Callable

from django.db import connection, transaction

CHANNEL = "central_feed"
"""A message is ``<the site's own number in the database> <its newest revision>``."""

Hear = Callable[[int, int], None]
_hearing: list[Hear] = []


def hear(told: Hear) -> None:
    """Have ``told`` called with site and revision after each commit of this process, on SQLite; from any thread."""
    _hearing.append(told)


def announce(site: int, revision: int) -> None:
    """Inside the transaction that gives the site its newest revision."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{site} {revision}"])
        return

    def tell() -> None:
        for told in _hearing:
            told(site, revision)

    transaction.on_commit(tell)
