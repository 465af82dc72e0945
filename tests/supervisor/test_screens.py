"""The supervisor's own screens, and the two files that they need: neighbours.json and station.toml."""

import json
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.models import DisplayTable, StorageTable
from station.ports import MirrorObject
from station.runtime import neighbours_file
from station.runtime.neighbours_file import NeighboursFile
from station.supervisor import screens
from station.supervisor.screens import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    NEIGHBOURS_FILE,
    Station,
    Support,
    WhereToGo,
    read_where_to_go,
)
from station.supervisor.settings import database_folder, read_language
from station.supervisor.telephone_code import TEXT_COLUMNS, dialled, is_answered, telephone_code
from station.supervisor.terminal import Size
from ui.languages import catalogue
from ui.telephone_code import modules

WHERE_TO_GO = WhereToGo(
    (Station("Björkdungen, Björkstigen 2", silent=True), Station("Hamngatan, Hamngatan 3")),
    (Support("Key support", "000-000 01", "mon-fri", "08:00-16:30"),),
)


def drawn(screen: bytes, size: Size) -> str:
    page = pyte.Screen(size.columns, size.rows)
    pyte.ByteStream(page).feed(screen)
    return "\n".join(page.display)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_fits_a_console(language: str) -> None:
    words = LANGUAGES[language]
    for size in (Size(80, 24), Size(40, 15)):
        assert words.starting in drawn(screens.starting(words, size), size)
        for switches_off in (True, False):
            again = drawn(screens.restarting(words, size, switches_off=switches_off), size)
            assert words.restarting in again
            assert (words.key_switched_off in " ".join(again.split())) == switches_off
        out = " ".join(drawn(screens.out_of_order(words, size, WHERE_TO_GO), size).split())
        assert f"{words.out_of_order}. {words.cannot_switch_keys}" in out, "no long line is cut"
        assert f"Björkdungen, Björkstigen 2 ({words.silent}) Hamngatan, Hamngatan 3" in out
        assert f"000-000 01 ({words.days['mon']}-{words.days['fri']} 08:00-16:30)" in out
        assert words.tries_again in out


MANY = WhereToGo(
    tuple(Station(f"Exempelby {number}, Exempelgatan {number}", silent=number == 3) for number in range(2, 8)),
    (
        Support("Key support", "000-000 01", "mon-fri", "08:00-16:30"),
        Support("On call in Exempelby", "1", "mon, wed", "16:30-08:00"),
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_farther_stations_make_room_for_whom_to_call_and_the_nearest(language: str) -> None:
    words = LANGUAGES[language]
    for size in (Size(40, 13), Size(80, 24), Size(132, 43)):
        out = " ".join(drawn(screens.out_of_order(words, size, MANY), size).split())
        assert f"On call in Exempelby: 1 ({words.days['mon']}, {words.days['wed']} 16:30-08:00)" in out
        assert (
            f"{words.use_another_station} Exempelby 2, Exempelgatan 2 Exempelby 3, Exempelgatan 3 ({words.silent})"
            in out
        )
        assert words.tries_again in out
        assert ("Exempelgatan 7" in out) == (size.rows > 13)


MONDAY = datetime(2026, 3, 30, 7, 0, tzinfo=ZoneInfo("Europe/Stockholm"))


@pytest.mark.parametrize(
    ("days", "hours", "hour", "answered"),
    [
        ("mon-fri", "07:00-16:00", 7, True),
        ("mon-fri", "07:30-16:00", 7, False),
        ("tue, sun", "16:00-08:00", 7, True),
        ("mon-fri", "16:00-08:00", 7, False),
        ("mon", "16:00-08:00", 17, True),
        ("mon-sun", "00:00-24:00", 23, True),
        ("sun-mon", "07:00-16:00", 7, False),
        ("", "07:00-16:00", 7, False),
        ("mon", "", 7, False),
    ],
)
def test_who_is_there_at_this_hour(days: str, hours: str, hour: int, answered: bool) -> None:
    assert is_answered(Support("x", "1", days, hours), MONDAY.replace(hour=hour)) is answered


ALWAYS = Support("On call", "+46 100-00 00 01", "mon-sun", "00:00-24:00")


def test_a_large_screen_has_the_same_code_as_the_kiosk() -> None:
    size = Size(132, 43)
    page = pyte.Screen(size.columns, size.rows)
    pyte.ByteStream(page).feed(
        screens.out_of_order(LANGUAGES["sv"], size, WhereToGo((), (ALWAYS,), "Europe/Stockholm"))
    )
    left, top = 132 - 46, 10
    shown = [
        tuple(page.buffer[top + row][left - 1 + 2 * column].bg == "black" for column in range(1, 22))
        for row in range(1, 22)
    ]
    assert tuple(shown) == modules("TEL:+46100000001")
    assert dialled(ALWAYS.phone) == "TEL:+46100000001"
    assert max(len(line[: left - 1].rstrip()) for line in page.display) < TEXT_COLUMNS


@pytest.mark.parametrize(
    ("support", "zone", "size"),
    [
        (ALWAYS, "Europe/Stockholm", Size(80, 24)),
        (ALWAYS, "Europe/Stockholm", Size(132, 22)),
        (ALWAYS, "", Size(132, 43)),
        (ALWAYS, "Nowhere/Atall", Size(132, 43)),
        (ALWAYS._replace(phone="9" * 22), "Europe/Stockholm", Size(132, 43)),
        (ALWAYS._replace(phone="-"), "Europe/Stockholm", Size(132, 43)),
        (ALWAYS._replace(hours=""), "Europe/Stockholm", Size(132, 43)),
    ],
)
def test_no_code_where_it_has_no_room_or_calls_nobody(support: Support, zone: str, size: Size) -> None:
    assert telephone_code((support,), zone, size) == b""


@pytest.mark.parametrize("language", LANGUAGES)
def test_off_is_the_word_that_the_kiosk_has_for_it(language: str) -> None:
    kiosks = catalogue(language).gettext("Ready in a moment. A key that is put in is switched OFF.")
    (off,) = re.findall(r"\b\w*[A-ZÅÄÖÆØ]{2}\b", kiosks)
    assert off in LANGUAGES[language].key_switched_off


@given(st.integers(1, 200), st.integers(1, 60))
def test_no_size_is_too_small(columns: int, rows: int) -> None:
    size = Size(columns, rows)
    screen = screens.out_of_order(LANGUAGES["da"], size, WHERE_TO_GO).decode()
    places = [(int(row), int(column)) for row, column in re.findall(r"\x1b\[(\d+);(\d+)H", screen)]
    assert all(1 <= row <= rows and 1 <= column <= columns // 2 + 1 for row, column in places)


def test_no_name_can_draw(tmp_path: Path) -> None:
    document = {"stations": [{"name": "\x1b[2JEvil\r\n\x9b1m"}], "support": [{"text": "a\x07", "phone": 5}]}
    (tmp_path / NEIGHBOURS_FILE).write_text(json.dumps(document))
    found = WhereToGo((Station("[2JEvil1m"),), (Support("a", "", "", ""),))
    assert read_where_to_go(tmp_path) == found


def test_a_silent_station_is_read_as_such(tmp_path: Path) -> None:
    stations = [{"name": "A", "silent": True}, {"name": "B", "silent": "yes"}, {"name": "C"}]
    (tmp_path / NEIGHBOURS_FILE).write_text(json.dumps({"stations": stations}))
    assert [station.silent for station in read_where_to_go(tmp_path).stations] == [True, False, False]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"stations": 5, "support": [1, {}]}', "[" * 20000, '"\\ud800"'])
def test_a_damaged_file_of_neighbours_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / NEIGHBOURS_FILE).write_text(content)
    found = read_where_to_go(tmp_path)
    assert found.stations == ()
    screens.out_of_order(LANGUAGES["sv"], Size(80, 24), found)


LINE = {"text": {"sv": "Stöd", "en": "Help"}, "phone": "000", "days": 31, "from": 480, "to": 990}


class Mirror:
    """The two questions that the writer asks."""

    def __init__(self) -> None:
        stations = [
            {"name": "Own", "address": "Here 1", "unit": 1, "role": 0},
            {"name": "Far", "address": "There 2", "unit": 2, "role": 0},
            {"name": "Box", "address": "In the cellar 3", "unit": 1, "role": 1},
            {"name": "Near", "address": "Round the corner 4", "unit": 1, "role": 0},
        ]
        self._objects = {
            "station": [MirrorObject("station", number, body) for number, body in enumerate(stations, 1)],
            "site": [
                MirrorObject(
                    "site",
                    0,
                    {"timezone": "Europe/Stockholm", "support": [LINE, LINE | {"days": 21, "text": {"en": "Night"}}]},
                ),
            ],
        }

    async def objects(self, type_: str) -> list[MirrorObject]:
        return self._objects[type_]


async def test_the_kiosk_writes_what_the_supervisor_reads(tmp_path: Path) -> None:
    down: set[int] = set()
    writer = NeighboursFile(Mirror(), tmp_path, station=1, unit=1, down=lambda: down, language="sv")  # type: ignore[arg-type]
    await writer.refresh()
    found = read_where_to_go(tmp_path)
    assert found.stations == (Station("Near, Round the corner 4"), Station("Far, There 2"))
    assert found.time_zone == "Europe/Stockholm"
    assert found.support == (
        Support("Stöd", "000", "mon-fri", "08:00-16:30"),
        Support("Night", "000", "mon, wed, fri", "08:00-16:30"),
    )
    before = (tmp_path / NEIGHBOURS_FILE).stat().st_ino
    await writer.refresh()
    assert (tmp_path / NEIGHBOURS_FILE).stat().st_ino == before
    down.add(4)
    await writer.refresh()
    marked = {station.place: station.silent for station in read_where_to_go(tmp_path).stations}
    assert marked == {"Near, Round the corner 4": True, "Far, There 2": False}, "nobody is sent to one without a word"


async def test_where_the_nearest_are_silent_one_that_is_not_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours_file, "STATIONS_LIMIT", 1)
    writer = NeighboursFile(Mirror(), tmp_path, station=1, unit=1, down=lambda: {4}, language="sv")  # type: ignore[arg-type]
    await writer.refresh()
    assert read_where_to_go(tmp_path).stations == (Station("Far, There 2"),)


@pytest.mark.parametrize(
    ("text", "language", "folder"),
    [
        ("", "sv", "."),
        ('[display]\nlanguage = "da"\n', "da", "."),
        ("[display]\n language='en' # for now\n[storage]\ndatabase = 'data/s.db'\n", "en", "data"),
        ('language = "xx"', "sv", "."),
        ("[storage\n", "sv", "."),
        ("[storage]\ndatabase = 5\n", "sv", "."),
    ],
)
def test_two_settings_are_read_quickly(tmp_path: Path, text: str, language: str, folder: str) -> None:
    path = tmp_path / "station.toml"
    path.write_text(text)
    assert read_language(path) == language
    assert database_folder(path) == tmp_path / folder


def test_a_missing_file_has_the_defaults_of_the_real_one(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    assert read_language(path) == DEFAULT_LANGUAGE == DisplayTable().language
    assert database_folder(path) == tmp_path
    assert StorageTable().database.parent == Path()
