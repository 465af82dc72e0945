"""What something costs in the steps of SQLite's machine, which are the same on every computer."""

from collections.abc import Callable

from django.db import connection


def steps_of_sqlite(do: Callable[[], object]) -> int:
    """How many it takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.ensure_connection()
    assert connection.connection is not None
    connection.connection.set_progress_handler(step, 1)
    try:
        do()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return count
