"""What a poll and a change cost has nothing to do with how large a site is.

Counted in the steps of SQLite's machine, which are the same on every computer; PostgreSQL is asked for its plans.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from central.feed import change, pages
from central.feed.cursors import Cursor, newest_revision
from central.models import Area, Key
from central.models.base import create_all
from central.models.epoch import epoch
from tests.central import postgresql
from tests.central.steps import steps_of_sqlite

SMALL, LARGE = 100, 5000
MORE_AT_MOST = 1.3
"""A tree of fifty times as many rows is a level deeper."""


def grow(site: SimpleNamespace, count: int) -> None:
    """Until there are so many objects of which half are keys."""
    numbers = range(newest_revision(site.site.pk), count, 2)
    pool = {"site": site.site, "kind": 1, "unit": site.unit, "status": "active", "record": b"x"}
    with change():
        create_all([Area(site=site.site, number=10_000 + number, name="Backen") for number in numbers])
        create_all([Key(number=10_000 + number, **pool) for number in numbers])


@pytest.mark.usefixtures("nothing_stays")
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
        nothing, one = cursor(0), cursor(1)
        return {
            "nothing new": steps_of_sqlite(lambda: pages.changes(asked, nothing, 500)),
            "one change": steps_of_sqlite(lambda: pages.changes(asked, one, 500)),
            "a change of a key": steps_of_sqlite(rename(site.key, "locked_at")),
            "a change of a station": steps_of_sqlite(rename(site.station, "latitude")),
        }

    grow(site, SMALL)
    small = costs()
    grow(site, LARGE)
    large = costs()
    assert {what: large[what] for what in small if large[what] > MORE_AT_MOST * small[what]} == {}
    nothing = cursor(0)
    with CaptureQueriesContext(connection) as said:
        pages.changes(asked, nothing, 500)
    assert len(said) == 1


@pytest.mark.slow
def test_postgresql_finds_whatever_a_station_asks_for_by_an_index(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    # Without figures of how small the tables are: then it plans for what they will be.
    with postgresql.server(autovacuum="off") as database:
        environment = os.environ | {
            "DATABASE_URL": database.url(),
            "CENTRAL_DATA": str(tmp_path),
            "PYTHONPATH": str(root),
        }

        def run(module: str, *words: str) -> str:
            command = [sys.executable, "-m", module, *words]
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True, timeout=90
            ).stdout

        run("central.cli", "manage", "migrate", "--verbosity", "0")
        run("tools.load.seed", "S", "1", "1")
        told = run("tools.load.inside", "S", "--by-index")
    assert "central_mirrorrow: one_object_a_revision" in told
    assert "statements read a table whole" in told
    assert "**whole table**" not in told, told
