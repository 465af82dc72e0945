"""Whether a server that took the place of another one may lack something of what that one has acknowledged."""

from dataclasses import replace

import pytest

from central.actions.restored import Place

PRIMARY = Place("7301", 1, "16390", waits_for_standby=True)
STANDBY = replace(PRIMARY, timeline=2, waits_for_standby=False)


@pytest.mark.parametrize(
    ("before", "here", "has_all"),
    [
        (PRIMARY, STANDBY, True),
        (replace(PRIMARY, waits_for_standby=False), replace(STANDBY, waits_for_standby=True), False),
        (PRIMARY, replace(STANDBY, was_aimed=True), False),
        (PRIMARY, replace(STANDBY, system="7302"), False),
        (PRIMARY, replace(STANDBY, table="20001"), False),
        (STANDBY, PRIMARY, False),
    ],
    ids=["synchronous", "asynchronous", "point_in_time", "another_server", "dump_read_in", "back_to_the_first"],
)
def test_only_a_synchronous_standby_has_all(before: Place, here: Place, has_all: bool) -> None:
    assert here.follows(before) is has_all
