"""What people read: complete, in their language, with the facts they need, and nothing that a console cannot show."""

import dataclasses
import itertools
from dataclasses import replace
from enum import Enum

import pytest
from textual.renderables.digits import DIGITS3X3, DIGITS3X3_BOLD

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.screen import Line, Screen
from tests.ui.situations import LONG_RECEIPT, NOON_S, OFFLINE, RECEIPT, SITUATIONS, STATUS
from ui import codes, sentences
from ui.glyphs import LAT15, printable
from ui.languages import LANGUAGES, catalogue
from ui.words import Words, words


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (sentences.LINES, Line),
        (sentences.LAMPS, Line),
        (sentences.TONES, Line),
        (sentences.REFUSALS, Refusal),
        (sentences.HINDRANCES, Hindrance),
        (sentences.SHORTENED, Shortened),
        (codes.LINES, Line),
        (codes.REFUSALS, Refusal),
        (codes.HINDRANCES, Hindrance),
        (codes.SHORTENED, Shortened),
    ],
)
def test_every_value_has_its_words_and_its_code(table: dict[Enum, object], members: type[Enum]) -> None:
    assert set(table) == set(members)


@pytest.mark.parametrize("table", [codes.LINES, codes.REFUSALS, codes.HINDRANCES, codes.SHORTENED])
def test_no_two_share_a_code(table: dict[Enum, int]) -> None:
    assert len(set(table.values())) == len(table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_refusals_read_differently(language: str) -> None:
    shown = [str(words(Screen(Line.REFUSED, STATUS, refusal=refusal), language)) for refusal in Refusal]
    assert len(set(shown)) == len(shown)


def texts(shown: Words) -> list[str]:
    return [shown.lamp, shown.big, shown.figure, shown.small, shown.code, *shown.status]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_every_screen_is_complete_and_drawable(name: str, language: str) -> None:
    shown = words(SITUATIONS[name], language)
    assert shown.big
    assert shown.code
    assert all(shown.status)
    for text in texts(shown):
        assert set(text) <= LAT15
        assert "{" not in text
        assert "  " not in text.strip()


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_is_left_in_english(name: str, language: str) -> None:
    screen = SITUATIONS[name]
    assert words(screen, language).big != words(screen, "en").big


def test_a_digit_has_the_glyphs_of_a_console() -> None:
    used = [row for number in range(11) for font in (DIGITS3X3, DIGITS3X3_BOLD) for row in font[number * 3 :][:3]]
    colon = [row for font in (DIGITS3X3, DIGITS3X3_BOLD) for row in font[15 * 3 :][:3]]
    assert set("".join(used + colon)) <= LAT15
    assert not set("▀▄▌▐▁▂▃▅▆▇▉▊▋▍▎▏✓○") & LAT15


def test_every_state_is_told_by_a_word_and_a_shape() -> None:
    lamps = {line: words(Screen(line, STATUS, receipt=RECEIPT), "en").lamp for line in Line}
    assert {line for line, lamp in lamps.items() if lamp == "● ON"} == {Line.READY, Line.OUT_READY}
    assert {line for line, lamp in lamps.items() if lamp == "▲ ON?"} == {Line.STILL_ON, Line.OUT_UNSURE}
    assert {line for line, lamp in lamps.items() if lamp == ""} == {Line.EMPTY}
    assert lamps[Line.PROMPT] == "■ OFF"


def test_prompt_says_both_things() -> None:
    shown = words(Screen(Line.PROMPT, STATUS, key=7, holder_name="Tilda Påhittsdotter"), "en")
    assert shown.big == "Key is OFF. Going home: take it out. Starting: PIN and #."
    assert shown.small == "Key 7, Tilda Påhittsdotter."
    assert words(Screen(Line.PROMPT, STATUS), "sv").big.startswith("Nyckeln är AV.")
    assert words(Screen(Line.PROMPT, STATUS), "da").big.startswith("Nøglen er SLUKKET.")


def test_the_holders_language_comes_before_the_stations() -> None:
    screen = Screen(Line.OUT_OFF, STATUS, language="da")
    assert words(screen, "sv").big == "Nøglen er SLUKKET."
    assert words(replace(screen, language="fi"), "sv").big == "Nyckeln är AV."
    assert words(replace(screen, language="sv_SE"), "en").big == "Nyckeln är AV."
    assert words(replace(screen, language=None), "xx").big == "Key is OFF."


def test_ready_says_until_when_where_and_how_old() -> None:
    shown = words(Screen(Line.READY, OFFLINE, receipt=replace(LONG_RECEIPT, mirror_age_s=7500)), "en")
    assert shown.big == "Key is ON until tomorrow 05:00. Take it out."
    assert shown.figure == "05:00"
    assert shown.small == (
        "Shorter than usual: your permit is only for that time of day. "
        "Opens 12 areas (Nordvästra Granbacken, …) and 250 boxes. Data from 2 h ago."
    )
    online = words(Screen(Line.READY, STATUS, receipt=RECEIPT), "en")
    assert online.small == "Opens 2 areas (Granbacken, Kvarnby) and 3 boxes."
    assert words(Screen(Line.READY, STATUS, receipt=RECEIPT), "sv").small == (
        "Öppnar 2 områden (Granbacken, Kvarnby) och 3 nyckelskåp."
    )


@pytest.mark.parametrize(
    ("after_s", "said"),
    [
        (3600, "14:00"),
        (12 * 3600, "tomorrow 01:00"),
        (2 * 86400, "Wednesday 13:00"),
        (6 * 86400, "Sunday 13:00"),
        (7 * 86400, "2026-04-06 13:00"),
        (-86400, "2026-03-29 13:00"),
    ],
)
def test_the_day_is_named_when_it_is_not_today(after_s: int, said: str) -> None:
    shown = words(Screen(Line.OUT_READY, STATUS, receipt=replace(RECEIPT, expires=NOON_S + after_s)), "en")
    assert shown.big == f"Key is ON until {said}."


def test_times_are_the_sites_also_over_daylight_saving() -> None:
    night_s = 1_774_731_600  # 2026-03-28 22:00 in Stockholm; the clock goes forward at 02:00.
    screen = Screen(
        Line.OUT_READY, replace(STATUS, unix_s=night_s), receipt=replace(RECEIPT, expires=night_s + 11 * 3600)
    )
    assert words(screen, "en").big == "Key is ON until tomorrow 10:00."
    unknown = replace(screen, status=replace(screen.status, time_zone="Nowhere/Atall"))
    assert words(unknown, "en").big == "Key is ON until tomorrow 08:00 UTC."


def test_without_a_trusted_clock_the_whole_date_is_told() -> None:
    status = replace(OFFLINE, clock_trusted=False)
    shown = words(Screen(Line.STILL_ON, status, still_on_until=NOON_S + 3600), "en")
    assert shown.big == "Key is still ON until 2026-03-30 14:00. Take it out and put it in again."
    assert shown.status == ("Station 12", "OFFLINE", "data 3 days", "no time")


def test_wait_counts_down() -> None:
    shown = words(Screen(Line.WAIT, STATUS, wait_s=299, digits=3), "en")
    assert (shown.figure, shown.mask) == ("4:59", 0)
    assert shown.big == "Too many wrong PINs. Wait 4:59."


def test_a_station_that_can_only_switch_off_says_so_and_why() -> None:
    status = replace(STATUS, hindrance=Hindrance.MIRROR_TOO_OLD)
    shown = words(Screen(Line.EMPTY, status), "en")
    assert shown.big == "This station can only switch keys OFF."
    assert shown.small.endswith("Its data is too old.")
    assert shown.code == "10 H3"


def test_wrong_category_at_the_prompt_gives_its_reason() -> None:
    shown = words(Screen(Line.WRONG_PIN, STATUS, refusal=Refusal.NOT_HOURLY), "en")
    assert shown.big == "This key is for hourly staff. It is OFF."
    assert shown.code == "13 R11"


def test_a_screen_in_one_line() -> None:
    assert str(words(Screen(Line.OUT_OFF, STATUS), "en")) == "Key is OFF. | It opens nothing now."
    assert str(words(Screen(Line.EMPTY, STATUS), "en")) == "Press the button on the key and put it in."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Åsa Öström", "Åsa Öström"),
        ("Łucja Wiśniewska", "Lucja Wisniewska"),
        ("A\x1b[2Jb\nc", "A[2Jb c"),
        ("愛子", "??"),
        ("{until} [b]x", "{until} [b]x"),
        ("x" * 60, "x" * 39 + "…"),
    ],
)
def test_names_are_brought_down_to_what_a_console_shows(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert f", {shown}." in words(Screen(Line.PROMPT, STATUS, key=1, holder_name=name), "en").small


def test_a_missing_catalogue_is_english_and_a_warning(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ui.languages.LOCALE_DIR", tmp_path)
    assert words(Screen(Line.OUT_OFF, STATUS), "sv").big == "Key is OFF."
    assert catalogue("sv").gettext("Key is OFF.") == "Key is OFF."
    assert caplog.messages == ["ui.catalogue_missing language=sv"]


def test_situations_cover_every_field() -> None:
    """Whoever adds a field to the snapshot adds a situation that shows it."""
    for field in dataclasses.fields(Screen):
        values = {getattr(screen, field.name) for screen in SITUATIONS.values()}
        assert len(values) > 1 or field.name == "language", field.name
    lines = itertools.product(Line, LANGUAGES)
    assert all(words(Screen(line, STATUS), language) for line, language in lines)
