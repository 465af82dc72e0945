"""How many processes and threads `central serve` has."""

import os
from typing import NamedTuple

from django.db import connection

from central.errors import CentralError

THREADS = 4
"""In each process, for the database's work, with a connection each: more of them are in each other's way (one
interpreter, one core). A process has one more connection, which listens for news (`central.serving.listening`)."""
THREADS_AT_LEAST = 4
"""What is slow has parts of them, down to a quarter (`central.serving.threads`)."""


class Sizes(NamedTuple):
    """Of one `central serve`."""

    workers: int
    threads: int


def sizes(workers: int | None, threads: int | None) -> Sizes:
    """What was asked for, or what fits the database and the machine. Raises CentralError (``workers``, ``threads``)."""
    is_sqlite = connection.vendor == "sqlite"
    if workers is None:
        workers = 1 if is_sqlite else (os.cpu_count() or 1)
    threads = THREADS if threads is None else threads
    if workers < 1:
        raise CentralError("workers", reason="at least 1")
    if is_sqlite and workers > 1:
        raise CentralError("workers", reason="SQLite has one process; several need PostgreSQL (DATABASE_URL)")
    if threads < THREADS_AT_LEAST:
        raise CentralError("threads", reason=f"at least {THREADS_AT_LEAST}")
    return Sizes(workers, threads)
