"""The months that events stand in: on PostgreSQL a partition for each month of receipt, `central_event_2026_11`.

Made ahead by the scheduler, and at the latest when the first event of a month comes; there is no default partition, in
which a stray row would be in a month's way. A month goes by being taken off (which waits for readers, and lets
everybody else pass) and thrown away: nothing is rewritten. On SQLite there is one plain table, and none of this.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import OperationalError, connection, transaction

TABLE = "central_event"
AHEAD = 2
"""Further months that are there beforehand."""
PARTITION = re.compile(rf"{TABLE}_([0-9]{{4}})_([0-9]{{2}})")
LOCK = 0x6576656E
"""Of those who make months at once. Any number that nobody else uses."""
DETACH_LIMIT_MS = 30_000

log = logging.getLogger("central.retention")


class Month(NamedTuple):
    """A calendar month, in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, at: int) -> "Month":
        """The one in which that time lies."""
        then = datetime.fromtimestamp(at, UTC)
        return cls(then.year, then.month)

    @property
    def next(self) -> "Month":
        """The one after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def begins(self) -> int:
        """Its first second."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp())

    @property
    def table(self) -> str:
        """Its partition's name."""
        return f"{TABLE}_{self.year:04}_{self.month:02}"


_made: Month | None = None


def have_month(at: int) -> None:
    """See that events received then have a place, before they come. Asks the database once a month."""
    global _made  # noqa: PLW0603  (known once for a process; whatever it is, it is only a reason not to ask)
    month = Month.of(at)
    if month != _made:
        make_month(month)
        _made = month


def make_months_ahead(now: int) -> None:
    """Make this month and those that come, where they are not there yet. For the scheduler."""
    if connection.vendor != "postgresql":
        return
    there, month = [each for each, _ in _attached()], Month.of(now)
    for _ in range(AHEAD + 1):
        if month not in there:
            make_month(month)
        month = month.next


def make_month(month: Month) -> None:
    """Make a month's partition, unless it is there. Lets everybody else go on reading and writing."""
    if connection.vendor != "postgresql" or _is_there(month):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if _is_there(month):
            return
        # Not PARTITION OF: that would shut out everybody for as long as it waits.
        # If not exists: by a clock that was wrong it may have been taken off too early, and then it is put back.
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {month.table} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {month.table} FOR VALUES FROM (%s) TO (%s)",
            [month.begins, month.next.begins],
        )


def take_months_off(before: int, empty: Callable[[str], int]) -> int:
    """Take off each month that was over at that time, have ``empty`` note what is to stay of its table, throw it away.

    Outside of a transaction. What was begun and not finished is done first. Returns the sum of what ``empty`` returned.
    """
    if connection.vendor != "postgresql":
        return 0
    for month, pending in _attached():
        if month.next.begins <= before and not _detach(month, pending=pending):
            break
    return sum(empty(month.table) for month in _detached())


def drop_month(table: str) -> None:
    """Throw a month away that has been taken off."""
    assert PARTITION.fullmatch(table)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")


def _detach(month: Month, *, pending: bool) -> bool:
    """Whether it is done. A reader that takes too long is waited for again in the next round, which goes on there."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {DETACH_LIMIT_MS}")
        try:
            how = "FINALIZE" if pending else "CONCURRENTLY"
            cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {month.table} {how}")
        except OperationalError:
            log.warning("retention.month_in_use month=%04d-%02d", *month)
            return False
        finally:
            cursor.execute("RESET statement_timeout")
    return True


def _is_there(month: Month) -> bool:
    return any(month == each for each, _ in _attached())


def _attached() -> list[tuple[Month, bool]]:
    """The months that are there, in order, and whether their taking off was begun."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname, inhdetachpending FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass ORDER BY 1",
            [TABLE],
        )
        return [(_month_in(name), pending) for name, pending in cursor.fetchall()]


def _detached() -> list[Month]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND relname ~ %s"
            " AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = %s::regclass) ORDER BY 1",
            [f"^{PARTITION.pattern}$", TABLE],
        )
        return [_month_in(name) for (name,) in cursor.fetchall()]


def _month_in(name: str) -> Month:
    found = PARTITION.fullmatch(name)
    assert found is not None, name
    return Month(int(found[1]), int(found[2]))
