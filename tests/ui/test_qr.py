"""Whom to call as a QR code: what it holds, and where there is room for it."""

from dataclasses import replace

import pytest

from station.display.screen import Line, OutsideHelp, Screen
from tests.ui.situations import STATUS, SUPPORT
from ui.support import telephone
from ui.telephone_code import MODULES, modules, quiet_modules
from ui.words import words


@pytest.mark.parametrize(
    ("phone", "message"),
    [
        ("+46 100-00 00 01", "TEL:+46100000001"),
        ("010-000 00 01", "TEL:0100000001"),
        ("000-000 02", "TEL:00000002"),
        (" - ", ""),
    ],
)
def test_what_a_telephone_dials(phone: str, message: str) -> None:
    screen = Screen(Line.READER_BROKEN, STATUS, outside_help=OutsideHelp(support=replace(SUPPORT, phone=phone)))
    assert telephone(screen) == message
    assert words(screen, "en").telephone == message
    assert words(replace(screen, line=Line.PROMPT), "en").telephone == "", "only where the station is at fault"


def test_the_longest_number_fits_version_one() -> None:
    rows = modules("TEL:+" + "9" * 20)
    assert len(rows) == MODULES
    assert {len(row) for row in rows} == {MODULES}


def test_it_has_its_three_corners() -> None:
    rows = modules("TEL:+46100000001")
    corner = [[True] * 7, [True, *[False] * 5, True]]
    for top, left in ((0, 0), (0, 14), (14, 0)):
        assert list(rows[top][left : left + 7]) == corner[0]
        assert list(rows[top + 1][left : left + 7]) == corner[1]


@pytest.mark.parametrize(
    ("size", "quiet"),
    [((40, 15), None), ((80, 24), None), ((95, 30), None), ((100, 22), None), ((96, 23), 1), ((132, 43), 4)],
)
def test_where_it_fits(size: tuple[int, int], quiet: int | None) -> None:
    assert quiet_modules("TEL:+46100000001", *size) == quiet
    assert quiet_modules("", *size) is None
    assert quiet_modules("TEL:+" + "9" * 21, *size) is None
