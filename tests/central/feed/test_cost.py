"""What a poll and a change cost has nothing to do with how large a site is.

Counted in the steps of SQLite's machine, which are the same on every computer.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from central.feed import change, pages
from central.feed.cursors import Cursor, epoch, newest_revision
from central.models import Area, Key

SMALL, LARGE = 100, 3000
MORE_AT_MOST = 1.3
"""A tree of thirty times as many rows is a level deeper."""


def steps(act: Callable[[], Any]) -> int:
    """How many steps SQLite's machine takes for it."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(step, 1)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return count


def grow(site: SimpleNamespace, count: int) -> None:
    """Until there are so many objects of which half are keys."""
    with change():
        for number in range(newest_revision(site.site.pk), count, 2):
            Area(site=site.site, number=10_000 + number, name="Backen").save()
            Key(site=site.site, number=10_000 + number, kind=1, unit=site.unit, status="active", record=b"x").save()


def test_the_cost_of_a_poll_and_of_a_change_is_that_of_what_has_changed(site: SimpleNamespace) -> None:
    asked = pages.Asked(site.station, bytes(16), 100)

    def cursor(back: int) -> Cursor:
        return Cursor(epoch(), newest_revision(site.site.pk) - back)

    def rename(thing: Any, name: str) -> Callable[[], None]:
        def act() -> None:
            with change():
                setattr(thing, name, (getattr(thing, name) or 0) + 1)
                thing.save()

        return act

    def costs() -> dict[str, int]:
        nothing, some = cursor(0), cursor(5)
        return {
            "nothing new": steps(lambda: pages.changes(asked, nothing, 500)),
            "five changes": steps(lambda: pages.changes(asked, some, 500)),
            "who is down": steps(lambda: pages.down(site.station)),
            "a change of a key": steps(rename(site.key, "locked_at")),
            "a change of a station": steps(rename(site.station, "latitude")),
        }

    grow(site, SMALL)
    small = costs()
    grow(site, LARGE)
    large = costs()
    assert {what: large[what] for what in small if large[what] > MORE_AT_MOST * small[what]} == {}
    with CaptureQueriesContext(
        connection,
    ) as said:
        pages.changes(asked, cursor(0), 500)
    assert len([query for query in said if "central_mirrorrow" in query["sql"]]) == 1
