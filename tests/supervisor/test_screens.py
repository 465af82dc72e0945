"""The supervisor's own screens, and the two files that they need: neighbours.json and station.toml."""

import json
import re
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.models import DisplayTable, StorageTable
from station.ports import MirrorObject
from station.runtime.neighbours_file import NeighboursFile
from station.supervisor import screens
from station.supervisor.screens import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    NEIGHBOURS_FILE,
    Support,
    WhereToGo,
    read_where_to_go,
)
from station.supervisor.settings import database_folder, read_language
from station.supervisor.terminal import Size
from ui.languages import catalogue

WHERE_TO_GO = WhereToGo(
    ("Björkdungen, Björkstigen 2", "Hamngatan, Hamngatan 3"),
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
            assert (words.key_switched_off[: size.columns] in again) == switches_off
        out = drawn(screens.out_of_order(words, size, WHERE_TO_GO), size)
        assert words.out_of_order in out
        assert "Björkstigen 2" in out
        assert "000-000 01" in out


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
    assert read_where_to_go(tmp_path) == WhereToGo(("[2JEvil1m",), (Support("a", "", "", ""),))


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
                MirrorObject("site", 0, {"support": [LINE, LINE | {"days": 21, "text": {"en": "Night"}}]}),
            ],
        }

    async def objects(self, type_: str) -> list[MirrorObject]:
        return self._objects[type_]


async def test_the_kiosk_writes_what_the_supervisor_reads(tmp_path: Path) -> None:
    down: set[int] = set()
    writer = NeighboursFile(Mirror(), tmp_path, station=1, unit=1, down=lambda: down, language="sv")  # type: ignore[arg-type]
    await writer.refresh()
    found = read_where_to_go(tmp_path)
    assert found.stations == ("Near, Round the corner 4", "Far, There 2")
    assert found.support == (
        Support("Stöd", "000", "mon-fri", "08:00-16:30"),
        Support("Night", "000", "mon, wed, fri", "08:00-16:30"),
    )
    before = (tmp_path / NEIGHBOURS_FILE).stat().st_ino
    await writer.refresh()
    assert (tmp_path / NEIGHBOURS_FILE).stat().st_ino == before
    down.add(4)
    await writer.refresh()
    assert read_where_to_go(tmp_path).stations == ("Far, There 2",), "nobody is sent to one that is silent"


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
