"""The page of a station that cannot start: what is true of the key stays on it, however small the screen is."""

from dataclasses import replace

import pytest

from station.key.switching_off import SocketSays
from ui.cannot_start_page import NOT_SET_UP, SOCKET, CannotStart, page, socket_lines
from ui.languages import LANGUAGES

STATIONS = tuple(f"Exempelby {number}, Exempelgatan {number}" for number in range(2, 8))
SUPPORT = ("Nyckelsupport: 000-000 01 (mon-fri 08:00-16:30)", "Trygghetsjouren: 000-000 02 (sat-sun 00:00-24:00)")
FAULT = CannotStart(
    "/etc/station/station.toml",
    [f"problem {n}, a whole line and half a line of words" for n in range(9)],
    True,
    STATIONS,
    SUPPORT,
    "sv",
)


@pytest.mark.parametrize(("columns", "rows"), [(40, 15), (80, 24), (132, 43)])
@pytest.mark.parametrize("language", [*LANGUAGES, None])
@pytest.mark.parametrize("socket", [*SocketSays, None])
def test_the_key_and_whom_to_ring_do_not_leave_the_screen(
    socket: SocketSays | None, language: str | None, columns: int, rows: int
) -> None:
    # Where the language is not known, nothing else of the station is.
    known = FAULT if language else replace(FAULT, stations=(), support=())
    fault = replace(known, language=language)
    text = page(fault, socket, columns, rows)
    assert len(text.splitlines()) <= rows
    assert max(map(len, text.splitlines())) < columns
    words = " ".join(text.split())
    assert words.startswith(" ".join(socket_lines(socket, language)))
    assert all(line in words for line in fault.support)


def test_it_speaks_the_stations_language_and_english_or_all() -> None:
    assert [len(socket_lines(None, language)) for language in (*LANGUAGES, None)] == [1, 2, 2, 2, 2, 5]
    assert all(set(texts) == set(LANGUAGES) for texts in SOCKET.values())


def test_other_stations_make_room_for_what_is_wrong() -> None:
    text = page(FAULT, SocketSays.OFF, 80, 24)
    assert STATIONS[0] in text
    assert "problem 7" in text
    assert all(each in page(FAULT, SocketSays.OFF, 80, 43) for each in STATIONS)


def test_a_station_that_is_not_set_up_says_how() -> None:
    text = page(CannotStart("/a/file", ["there is no such file"], is_set_up=False), None, 80, 24)
    assert NOT_SET_UP in text
    assert "station config check /a/file" in text
    assert "there is no such file" in text
