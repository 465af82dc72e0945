"""The fault as a QR code: what it holds, and where there is room for it."""

from dataclasses import replace

import pytest

from station.display.screen import Line, Screen
from station.rules.facts import OffOnlyReason, Refusal
from tests.ui.situations import STATUS
from ui.fault_code import MODULES, modules, quiet_modules
from ui.support import fault_message


def test_the_longest_message_fits_version_one() -> None:
    status = replace(STATUS, station=65535, off_only=OffOnlyReason.DISK)
    message = fault_message(Screen(Line.READER_BROKEN, status, refusal=Refusal.KEY_FAULT))
    assert message == "STATION 65535 90 R21 H6"
    rows = modules(message)
    assert len(rows) == MODULES
    assert {len(row) for row in rows} == {MODULES}


def test_it_has_its_three_corners() -> None:
    rows = modules("STATION 12 90")
    corner = [[True] * 7, [True, *[False] * 5, True]]
    for top, left in ((0, 0), (0, 14), (14, 0)):
        assert list(rows[top][left : left + 7]) == corner[0]
        assert list(rows[top + 1][left : left + 7]) == corner[1]


@pytest.mark.parametrize(
    ("size", "quiet"),
    [((40, 15), None), ((80, 22), None), ((75, 24), None), ((80, 23), 1), ((80, 25), 2), ((132, 43), 4), ((80, 43), 2)],
)
def test_where_it_fits(size: tuple[int, int], quiet: int | None) -> None:
    assert quiet_modules(*size) == quiet
