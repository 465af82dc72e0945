"""What people read: complete, in their language, with the facts they need, and nothing that a console cannot show."""

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

import pytest

from station.display.idle import HELP_KEYS, HelpTopic, View
from station.display.screen import IdlePage, Line, OutsideHelp, Screen
from station.records.claims import KeyKind, Role
from station.rules.facts import LookUpReason, LookUps, OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold
from station.runtime.outcomes import Outcome
from tests.ui.situations import (
    LONG_RECEIPT,
    NOON_S,
    OFFLINE,
    OUTSIDE_HELP,
    PRIVACY,
    RECEIPT,
    SITUATIONS,
    STATUS,
    SUPPORT,
)
from ui import help_texts, idle_pages, sentences, support
from ui.big_letters import MARK_ROWS, pattern
from ui.glyphs import LAT15, printable, short_name
from ui.languages import LANGUAGES, catalogue
from ui.sentences import Tone
from ui.words import Words, off_and_on, words


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (sentences.LINES, Line),
        (sentences.KEY_STATES, Line),
        (sentences.TONES, Line),
        (sentences.REFUSALS, Refusal),
        (sentences.HINDRANCES, OffOnlyReason),
        (sentences.SHORTENED, Shortened),
        (sentences.NOT_HANDED_OUT, HandOutTold),
        (support.HAND_OUTS, HandOutTold),
        (support.LINES, Line),
        (support.REFUSALS, Refusal),
        (support.HINDRANCES, OffOnlyReason),
        (support.SHORTENED, Shortened),
    ],
)
def test_every_value_has_its_words_and_its_code(table: dict[Enum, object], members: type[Enum]) -> None:
    assert set(table) == set(members)


@pytest.mark.parametrize("table", [support.LINES, support.REFUSALS, support.HINDRANCES, support.SHORTENED])
def test_no_two_share_a_code(table: dict[Enum, int]) -> None:
    assert len(set(table.values())) == len(table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_refusals_read_differently(language: str) -> None:
    shown = [str(words(Screen(Line.REFUSED, STATUS, refusal=refusal), language)) for refusal in Refusal]
    assert len(set(shown)) == len(shown)


def texts(shown: Words) -> list[str]:
    return [
        shown.key_state,
        shown.who,
        shown.instruction,
        *shown.routine,
        shown.figure,
        shown.reason,
        shown.support_code,
        *shown.status,
        *shown.notes,
        *((shown.sheet.title, *shown.sheet.lines, shown.sheet.call, shown.sheet.back) if shown.sheet else ()),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_every_screen_is_complete_and_drawable(name: str, language: str) -> None:
    shown = words(SITUATIONS[name], language)
    said = shown.instruction or shown.sheet
    assert bool(said) is bool(shown.support_code) is not (name == "standby")
    assert all(shown.status)
    for text in texts(shown):
        assert set(text) <= LAT15
        assert "{" not in text
        assert "  " not in text.strip()


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_is_left_in_english(name: str, language: str) -> None:
    screen = SITUATIONS[name]
    here, english = words(screen, language), words(screen, "en")
    assert name == "standby" or str(here) != str(english)
    assert here.sheet is not None or here.instruction != english.instruction or name == "standby"


def test_every_state_is_told_by_one_word() -> None:
    states = {line: words(Screen(line, STATUS, receipt=RECEIPT), "en").key_state for line in Line}
    assert {line for line, state in states.items() if state == "ON"} == {Line.READY, Line.OUT_READY}
    assert {line for line, state in states.items() if state == "ON?"} == {Line.STILL_ON, Line.OUT_UNSURE}
    assert {line for line, state in states.items() if state == ""} == {Line.EMPTY, Line.READER_BROKEN}
    assert states[Line.PROMPT] == "OFF"


@pytest.mark.parametrize(
    ("language", "off", "on"),
    [("sv", "AV", "PÅ"), ("en", "OFF", "ON"), ("da", "SLUKKET", "AKTIV"), ("nb", "AV", "PÅ"), ("fi", "POIS", "PÄÄLLÄ")],
)
def test_the_two_words_of_each_language(language: str, off: str, on: str) -> None:
    assert off_and_on("xx", language) == (off, on) == off_and_on(language, "xx")
    assert words(Screen(Line.PROMPT, STATUS), language).key_state == off
    assert words(Screen(Line.READY, STATUS, receipt=RECEIPT), language).key_state == on


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_can_be_drawn_in_cells(language: str) -> None:
    figures = {words(screen, language).figure for screen in SITUATIONS.values()}
    for text in {words(screen, language).key_state for screen in SITUATIONS.values()} | figures:
        for letter in text.replace("?", ""):
            assert pattern(letter) != pattern("?"), letter
            assert "X" in "".join(pattern(letter)[MARK_ROWS:])
    assert [pattern("Å")[0], pattern("Ä")[0], pattern("A")[0]] == [".XX.", "X..X", "...."]
    assert pattern("Ø") != pattern("O")


def test_prompt_says_both_things() -> None:
    shown = words(Screen(Line.PROMPT, STATUS, key=7, holder_name="Tilda Påhittsdotter"), "en")
    assert shown.instruction == "Going home: take the key out. Starting: PIN and #."
    assert (shown.key_state, shown.who, shown.reason) == ("OFF", "Key 7 · Tilda P.", "")
    assert str(shown) == f"OFF. {shown.instruction} | Key 7 · Tilda P."
    assert words(Screen(Line.PROMPT, STATUS), "sv").key_state == "AV"


@pytest.mark.parametrize(
    ("line", "digits", "boxes"),
    [
        (Line.READING, 0, 0),
        (Line.READING, 2, 6),
        (Line.PROMPT, 0, 6),
        (Line.PROMPT, 6, 6),
        (Line.PROMPT, 10, 10),
        (Line.WRONG_PIN, 0, 6),
        (Line.CHECKING, 6, 6),
        (Line.READY, 6, 0),
    ],
)
def test_as_many_boxes_as_a_pin_has_digits_or_more(line: Line, digits: int, boxes: int) -> None:
    shown = words(Screen(line, STATUS, digits=digits), "en")
    assert (shown.boxes, shown.digits_typed) == (boxes, digits if boxes else 0)
    update_box = replace(STATUS, role=Role.UPDATE_BOX)
    assert words(Screen(line, update_box, digits=digits), "en").boxes == 0


def test_a_key_that_is_on_says_what_the_routine_says() -> None:
    shown = words(Screen(Line.READY, STATUS, receipt=RECEIPT), "en")
    assert shown.routine == sentences.ROUTINE
    assert words(Screen(Line.OUT_READY, STATUS, receipt=RECEIPT), "en").routine == sentences.ROUTINE
    box = replace(STATUS, role=Role.UPDATE_BOX)
    assert words(Screen(Line.READY, box, receipt=RECEIPT), "en").routine == sentences.ROUTINE[:1], "it has no test lock"
    assert words(SITUATIONS["ready-soon-off"], "en").routine == ()


@pytest.mark.parametrize("refusal", Refusal)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_says_the_same_when_the_key_is_out_but_to_take_it_out(refusal: Refusal, language: str) -> None:
    there = words(Screen(Line.REFUSED, STATUS, refusal=refusal, key=1, outside_help=OUTSIDE_HELP), language)
    gone = words(Screen(Line.OUT_OFF, STATUS, refusal=refusal, key=1, outside_help=OUTSIDE_HELP), language)
    take_it_out = catalogue(language).gettext(sentences.TAKE_IT_OUT)
    assert there.instruction in {gone.instruction, f"{gone.instruction} {take_it_out}"}
    assert refusal is Refusal.KEY_FAULT or take_it_out not in gone.instruction
    assert (gone.reason, gone.notes, gone.tone) == (there.reason, there.notes, Tone.FAULT)
    assert any("+46 100 00 00 02" in note for note in gone.notes)


def test_a_key_that_does_not_say_which_it_is_is_told_so_until_it_has_been_read() -> None:
    shown = words(SITUATIONS["out_off-unreadable"], "en")
    assert shown.reason == words(Screen(Line.UNREADABLE, STATUS), "en").reason
    assert (shown.instruction, shown.tone) == ("Key is OFF.", Tone.FAULT)


def test_a_new_battery_is_told_where_the_pin_is_asked_for_again() -> None:
    assert words(SITUATIONS["prompt-lost-power"], "en").reason == sentences.LOST_POWER
    assert "another" not in words(SITUATIONS["prompt"], "en").reason


def test_the_holders_language_comes_before_the_stations() -> None:
    screen = Screen(Line.OUT_OFF, STATUS, language="da")
    assert words(screen, "sv").instruction == "E-nøglen er SLUKKET."
    assert words(replace(screen, language="xx"), "sv").instruction == "Nyckeln är AV."
    assert words(replace(screen, language="no"), "sv").instruction == "Nøkkelen er AV."
    assert words(replace(screen, language="sv_SE"), "en").instruction == "Nyckeln är AV."
    assert words(replace(screen, language=None), "xx").instruction == "Key is OFF."


def test_ready_says_until_when_where_and_how_old() -> None:
    shown = words(Screen(Line.READY, OFFLINE, receipt=replace(LONG_RECEIPT, mirror_age_s=7500)), "en")
    assert shown.instruction == "Key is ON until tomorrow 05:00. Take it out."
    assert shown.figure == "05:00"
    assert shown.reason == (
        "Shorter than usual: your permit is only for that time of day. "
        "Opens 12 areas (Nordvästra Granbacken, …) and 250 boxes."
    )
    assert shown.notes == ("Data from 2 h ago.",)
    online = words(Screen(Line.READY, STATUS, receipt=RECEIPT), "en")
    assert online.reason == "Opens 2 areas (Granbacken, Kvarnby) and 3 boxes."
    assert words(Screen(Line.READY, STATUS, receipt=RECEIPT), "sv").reason == (
        "Öppnar 2 områden (Granbacken, Kvarnby) och 3 nyckelgömmor."
    )


@pytest.mark.parametrize(
    ("after_s", "said"),
    [
        (3600, "14:00"),
        (12 * 3600, "tomorrow 01:00"),
        (2 * 86400, "Wednesday 13:00"),
        (6 * 86400, "Sunday 13:00"),
        (7 * 86400, "2026-04-06 13:00"),
        (-86400, "yesterday 13:00"),
        (-2 * 86400, "2026-03-28 12:00"),
    ],
)
def test_the_day_is_named_when_it_is_not_today(after_s: int, said: str) -> None:
    shown = words(Screen(Line.OUT_READY, STATUS, receipt=replace(RECEIPT, expires=NOON_S + after_s)), "en")
    assert shown.instruction == f"Key is ON until {said}."


def test_times_are_the_sites_also_over_daylight_saving() -> None:
    night_s = 1_774_731_600  # 2026-03-28 22:00 in Stockholm; the clock goes forward at 02:00.
    screen = Screen(
        Line.OUT_READY, replace(STATUS, unix_s=night_s), receipt=replace(RECEIPT, expires=night_s + 11 * 3600)
    )
    assert words(screen, "en").instruction == "Key is ON until tomorrow 10:00."
    unknown = replace(screen, status=replace(screen.status, time_zone="Nowhere/Atall"))
    assert words(unknown, "en").instruction == "Key is ON until tomorrow 08:00 UTC."


def test_without_a_trusted_clock_the_whole_date_is_told() -> None:
    status = replace(OFFLINE, clock_trusted=False)
    shown = words(Screen(Line.STILL_ON, status, still_on_until=NOON_S + 3600), "en")
    assert shown.instruction == "Key is still ON until 2026-03-30 14:00. Take it out and put it in again."
    assert (shown.status, shown.clock) == (("Station 12", "OFFLINE", "data 3 days"), "no time")


def test_a_key_that_is_left_in_is_told_before_it_is_switched_off() -> None:
    shown = words(SITUATIONS["ready-soon-off"], "en")
    assert shown.instruction == "Take the key out now. It switches OFF in 0:15."
    assert (shown.figure, shown.key_state) == ("05:00", "ON"), "until when is no countdown"
    assert words(SITUATIONS["ready-soon-off"], "sv").instruction == "Ta ut nyckeln nu. Den stängs AV om 0:15."
    for role in Role:
        screen = SITUATIONS["ready-soon-off"]
        assert words(replace(screen, status=replace(screen.status, role=role)), "en").instruction == shown.instruction


def test_a_key_that_has_not_said_which_it_is_is_called_neither_on_nor_off() -> None:
    shown = words(SITUATIONS["out_unsure-unseen"], "en")
    assert shown.instruction == "Put the key back."
    assert shown.key_state == "?"
    assert not {"ON", "OFF"} & set(shown.reason.replace(".", " ").split())


def test_how_many_tries_are_left_is_said_first() -> None:
    for line, said in (("wrong_pin", "1 try is left"), ("wait", "3 tries are left"), ("prompt", "2 tries are left")):
        assert words(SITUATIONS[f"{line}-tries-left"], "en").notes[0] == f"{said} before the key locks."


def test_lost_digits_are_told_with_what_to_do() -> None:
    for line in ("prompt", "wrong_pin"):
        shown = words(SITUATIONS[f"{line}-digits-lost"], "en")
        assert shown.notes[0] == "Not all digits got through: press * and type the whole PIN."


def test_pulled_while_it_was_switched_on_it_is_told_how_to_get_it_on() -> None:
    shown = words(SITUATIONS["out_unsure-halfway"], "en")
    assert shown.instruction == "Taken out too early. Put the key back."
    assert shown.reason.startswith("It may be ON. Leave it in until the screen says that it is ON.")
    assert shown.key_state == "ON?"


def test_someone_who_types_is_told_how_to_start_over() -> None:
    assert words(Screen(Line.PROMPT, STATUS, digits=1), "en").notes == ("Mistyped: press * and start over.",)
    assert words(Screen(Line.WRONG_PIN, STATUS, digits=1), "sv").notes == ("Slog du fel? Tryck på * och börja om.",)
    assert words(Screen(Line.PROMPT, STATUS), "en").notes == ()


def test_help_has_this_hours_number_on_every_page() -> None:
    for topic in (None, *HelpTopic):
        page = Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.HELP, topic), outside_help=OUTSIDE_HELP)
        sheet = words(page, "sv").sheet
        assert sheet is not None
        assert (sheet.call, sheet.back, sheet.corner) == (
            "Ring Chef i beredskap: +46 100 00 00 02",
            "Tillbaka: #",
            "Station 12",
        )


def test_a_topic_is_the_sites_own_where_it_has_one_in_the_language() -> None:
    own = IdlePage(View.HELP, HelpTopic.LOST, site_texts=(("sv", "Ring Larm & Teknik.\n\nTa en nödnyckel."),))
    assert lines_of(own, "sv") == ("Ring Larm & Teknik.", "Ta en nödnyckel.")
    assert lines_of(own, "en")[0].startswith("Lost: report it at once")


def test_what_only_the_station_knows_is_added() -> None:
    own = IdlePage(View.HELP, HelpTopic.STATION_DEAD, site_texts=(("en", "Hold 0 and 2."),))
    assert lines_of(own, "en") == (
        "Hold 0 and 2.",
        "Station 3: Kvarnbacken entré, Kvarnvägen 1",
        "Station 5: Björkdungen, Björkstigen 2 (silent)",
        "Station 8: Hamngatan, Hamngatan 3",
    )


def test_data_of_this_minute_is_fresh_also_without_a_network() -> None:
    told = [replace(RECEIPT, online=False, mirror_age_s=age_s) for age_s in (59, 60)]
    assert [words(Screen(Line.READY, OFFLINE, receipt=receipt), "en").notes for receipt in told] == [
        (),
        ("Data from 1 min ago.",),
    ]


def test_a_refused_key_is_told_what_is_wrong_what_to_do_and_whom_to_ask() -> None:
    blocked = Screen(Line.REFUSED, STATUS, key=1042, refusal=Refusal.BLOCKED, outside_help=OUTSIDE_HELP)
    shown = words(blocked, "sv")
    assert shown.instruction == "Nyckeln är spärrad. Den öppnar ingenting. Ta ut den."
    do_this = "Gör så här: Ta en nödnyckel ur poolen och kvittera med din PIN-kod. Lämna den här till din samordnare."
    assert shown.notes == (do_this, "Fråga: Chef i beredskap, +46 100 00 00 02")
    assert words(replace(blocked, line=Line.OUT_OFF), "sv").notes == shown.notes, "also once it is out"
    for kind in (KeyKind.SUBSTITUTE, KeyKind.EMERGENCY):
        assert words(replace(blocked, kind=kind), "en").notes[0].startswith("Do this: Take another key from the pool.")


def test_wait_counts_down() -> None:
    shown = words(Screen(Line.WAIT, STATUS, wait_s=299, digits=3), "en")
    assert (shown.figure, shown.digits_typed) == ("4:59", 0)
    assert shown.instruction == "Too many wrong PINs. Wait 4:59."


def test_a_station_that_can_only_switch_off_says_so_and_why() -> None:
    status = replace(STATUS, off_only=OffOnlyReason.MIRROR_TOO_OLD)
    shown = words(Screen(Line.EMPTY, status), "en")
    assert shown.instruction == "This station can only switch keys OFF."
    assert shown.notes == ("Its data is too old.", "Help: *")
    assert shown.support_code == "10 H3"


def test_a_wrong_pin_on_a_pool_key_says_whom_the_key_is_for() -> None:
    pool = Screen(Line.WRONG_PIN, STATUS, refusal=Refusal.WRONG_PIN, kind=KeyKind.SUBSTITUTE, unit_name="Lagan")
    shown = words(pool, "en")
    whom = "This key is for hourly staff of Lagan; permanent staff take an emergency key."
    assert (shown.instruction, shown.reason) == ("Not accepted. Check the PIN.", whom)
    assert shown.support_code == "13 R10"
    assert words(replace(pool, unit_name=None), "en").reason == whom.replace(" of Lagan", "")
    assert "Lagan" in words(replace(pool, kind=KeyKind.EMERGENCY), "en").reason
    assert words(replace(pool, kind=KeyKind.PERSONAL), "en").instruction == "Wrong PIN. Try again: PIN and #."


def test_a_screen_in_one_line() -> None:
    assert str(words(Screen(Line.OUT_OFF, STATUS), "en")) == "Key is OFF. | It opens nothing now."
    assert str(words(Screen(Line.EMPTY, STATUS), "en")) == (
        "Press the button on the key and put it in. | Put it in alone, not on a heavy key ring. Help: *"
    )


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
    who = words(Screen(Line.PROMPT, STATUS, key=1, holder_name=name), "en").who
    assert who == f"Key 1 · {short_name(name)}"
    assert set(who) <= LAT15


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Tilda Påhittsdotter", "Tilda P."),
        ("Anna Maria von Påhitt", "Anna P."),
        ("Tilda", "Tilda"),
        ("Maximilian-Alexander Hittepåsson", "Maximilian-Al… H."),
        ("", ""),
    ],
)
def test_a_name_on_the_wall_is_as_short_as_its_owner_needs(name: str, shown: str) -> None:
    assert short_name(name) == shown


def test_a_missing_catalogue_is_english_and_a_warning(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ui.languages.LOCALE_DIR", tmp_path)
    assert words(Screen(Line.OUT_OFF, STATUS), "sv").instruction == "Key is OFF."
    assert catalogue("sv").gettext("Key is OFF.") == "Key is OFF."
    assert caplog.messages == ["ui.catalogue_missing language=sv"]


def test_what_a_holder_should_hear_before_leaving() -> None:
    told = words(SITUATIONS["ready-names"], "en")
    assert told.notes == (
        "The key's battery is low (15 %): tell your coordinator.",
        "Your permit ends tomorrow 13:00: ask your coordinator.",
        "The key had lost power; its clock is set again.",
        "Changed since last time: new: Granbacken, Kvarnby; no longer: Sjöängen; 2 more boxes; 1 box fewer.",
    )
    assert words(SITUATIONS["out_off-notes"], "en").notes[-1] == (
        "Changed since last time: new: 2 areas; no longer: 1 area; 2 more boxes; 1 box fewer."
    )
    assert words(SITUATIONS["ready-every"], "sv").notes == ("Ändrat sedan sist: nytt: alla områden.",)
    assert words(SITUATIONS["ready-one"], "en").notes == ("Changed since last time: no longer: all areas; 1 more box.",)


def test_a_pool_key_says_in_whose_name_and_where_it_belongs() -> None:
    prompt = words(SITUATIONS["emergency-prompt"], "en")
    assert (prompt.who, prompt.notes) == ("Emergency key 2007", (sentences.LOAN_AT_PROMPT,))
    loan = words(replace(SITUATIONS["emergency-ready"], holder_name="Tim Påhitt"), "en")
    assert loan.notes == (
        "On loan until the end of the shift, on the receipt of Tim Påhitt. Return it to Hemtjänst Norr.",
    )
    ready = words(replace(SITUATIONS["substitute-ready"], holder_name="Tim Påhitt"), "en")
    assert ready.notes == ("In the name of Tim Påhitt. Return it to Hemtjänst Norr.",)
    assert words(SITUATIONS["substitute-out"], "sv").notes == ("Lämnas tillbaka till Hemtjänst Norr.",)


@pytest.mark.parametrize("line", [Line.READING, Line.PROMPT, Line.OUT_OFF, Line.OUT_UNSURE])
def test_a_flickering_contact_is_to_be_held_and_the_state_stays_in_sight(line: Line) -> None:
    shown = words(SITUATIONS[f"{line}-flickering"], "en")
    assert shown.instruction == "Press gently on the underside of the key and hold."
    assert shown.key_state == words(SITUATIONS[line], "en").key_state


def test_out_of_order_names_whom_to_call_and_where_to_go() -> None:
    assert words(SITUATIONS["broken"], "sv").notes == (
        "Ring Chef i beredskap: +46 100 00 00 02",
        "Station 3: Kvarnbacken entré, Kvarnvägen 1",
        "Station 5: Björkdungen, Björkstigen 2 (svarar inte)",
        "Station 8: Hamngatan, Hamngatan 3",
        "Hjälp: *",
    )
    # A key that is no good here is no good at the next station.
    refused = Screen(Line.REFUSED, STATUS, refusal=Refusal.UNKNOWN, outside_help=OUTSIDE_HELP)
    do_this = "Do this: Hand it to your coordinator."
    assert words(refused, "en").notes == (do_this, "Ask: On-call manager, +46 100 00 00 02")
    nameless = OutsideHelp(support=replace(SUPPORT, texts=()))
    assert words(replace(refused, outside_help=nameless), "en").notes == (do_this, "Ask: +46 100 00 00 02")


def test_a_blocked_key_is_told_since_when_in_the_socket_and_out_of_it() -> None:
    for line in (Line.REFUSED, Line.OUT_OFF):
        shown = Screen(line, STATUS, key=1042, refusal=Refusal.BLOCKED, blocked_at=NOON_S - 20 * 3600)
        assert words(shown, "sv").reason == "Spärrad sedan i går 17:00."
        assert words(replace(shown, blocked_at=None), "sv").reason == ""


def test_help_names_the_numbers_of_those_it_sends_people_to() -> None:
    others = (replace(SUPPORT, phone="000-000 01", texts=(("sv", "Tekniker"),)), replace(SUPPORT, phone="03", texts=()))
    where = OutsideHelp(support=SUPPORT, others=others)
    shown = {
        topic: words(Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.HELP, topic), outside_help=where), "sv").sheet
        for topic in HelpTopic
    }
    said = {topic for topic, sheet in shown.items() if sheet and "Fler nummer: Tekniker 000-000 01, 03" in sheet.lines}
    assert said == set(HelpTopic) - help_texts.NAME_NOBODY
    assert all(sheet and sheet.call == "Ring Chef i beredskap: +46 100 00 00 02" for sheet in shown.values())
    own = IdlePage(View.HELP, HelpTopic.KEY_RED, site_texts=(("sv", "Egen text."),))
    sheet = words(Screen(Line.EMPTY, STATUS, idle_page=own, outside_help=where), "sv").sheet
    assert sheet is not None
    assert sheet.lines == ("Egen text.", "Fler nummer: Tekniker 000-000 01, 03")


def test_the_page_that_the_frozen_box_leads_to_is_under_that_key() -> None:
    assert any("press 4 " in text for text in help_texts.TEXTS[HelpTopic.FROZEN])
    assert HELP_KEYS["4"] is HelpTopic.GREEN_STUCK


def test_offline_since_when() -> None:
    assert words(SITUATIONS["broken"], "en").status[1] == "OFFLINE since 11:00"
    unsure = replace(SITUATIONS["broken"].status, clock_trusted=False)
    assert words(replace(SITUATIONS["broken"], status=unsure), "en").status[1] == "OFFLINE"


THIS_YEAR = 2026
"""Of `STATUS`."""


def lines_of(page: IdlePage, language: str) -> tuple[str, ...]:
    sheet = words(Screen(Line.EMPTY, STATUS, idle_page=page, outside_help=OUTSIDE_HELP), language).sheet
    assert sheet is not None
    return sheet.lines


def test_the_privacy_notice_is_the_sites_own_and_the_look_ups_are_counted() -> None:
    assert lines_of(IdlePage(View.HELP, HelpTopic.LOGGED, privacy=PRIVACY), "da")[-1] == PRIVACY[1][1]
    danish = IdlePage(View.HELP, HelpTopic.LOGGED, privacy=(("da", "Kun dansk."),))
    assert lines_of(danish, "sv")[-1] == "Kun dansk."
    bare = IdlePage(View.HELP, HelpTopic.LOGGED, look_ups=LookUps({THIS_YEAR: {LookUpReason.OTHER: 3}}))
    this_year = f"So far in {THIS_YEAR} the log has been read 3 times."
    assert lines_of(bare, "en")[-2:] == (help_texts.KEPT, this_year)
    own = replace(bare, site_texts=(("en", "Ours."),))
    assert lines_of(own, "en") == ("Ours.", this_year)
    kept = "It is kept for 90 days, then deleted."
    assert lines_of(replace(own, log_days=90), "en") == ("Ours.", kept, this_year)
    assert lines_of(replace(bare, log_days=90, privacy=PRIVACY), "en")[-3:] == (kept, PRIVACY[2][1], this_year)


def test_the_look_ups_of_last_year_are_told_by_reason() -> None:
    def told(years: Mapping[int, Mapping[LookUpReason, int]], language: str = "en") -> tuple[str, ...]:
        return lines_of(IdlePage(View.HELP, HelpTopic.LOGGED, look_ups=LookUps(years)), language)[3:]

    last_year = {LookUpReason.CLIENT_ASKED: 12, LookUpReason.INCIDENT: 1, LookUpReason.OTHER: 0}
    both = told({THIS_YEAR: {LookUpReason.OTHER: 3}, THIS_YEAR - 1: last_year})
    said = f"In {THIS_YEAR - 1} it was read 13 times: incident 1, question from a client 12."
    assert both == (f"So far in {THIS_YEAR} the log has been read 3 times.", said)
    assert told({THIS_YEAR - 1: last_year, THIS_YEAR - 2: last_year}) == (said,), "nobody has read it yet this year"
    assert told({THIS_YEAR: {}, THIS_YEAR - 1: {}})[1] == f"In {THIS_YEAR - 1} nobody read it."
    assert told({THIS_YEAR - 2: last_year}) == ()


def technicians_lines(name: str, language: str = "en", **status: object) -> tuple[str, ...]:
    screen = SITUATIONS[name]
    sheet = words(replace(screen, status=replace(screen.status, **status)), language).sheet  # type: ignore[arg-type]
    assert sheet is not None
    return sheet.lines


def test_the_technicians_page_has_words_and_no_names() -> None:
    shown = technicians_lines("technician")
    assert shown[0] == "Reader: /dev/key-reader, works"
    assert shown[-10:-8] == ("12:50 refused: Wrong PIN (R10)", "12:40 refused: Wrong PIN (R10)")
    assert technicians_lines("technician", "sv")[-1] == "11:20 nekad: Fel PIN-kod (R10)"
    assert technicians_lines("technician-broken")[:5] == (
        "Only OFF (H6): Its storage does not work.",
        "Reader: /dev/key-reader, NO CONTACT",
        "Central: https://central.exempelby.example",
        "NO CONTACT",
        "Clock: not trusted: nothing tells the time",
    )


def test_every_outcome_has_its_words() -> None:
    assert set(idle_pages.OUTCOMES) == {None, *Outcome}


def test_a_refusal_by_central_is_not_called_a_missing_network() -> None:
    """The technician reads which, and which server was asked."""
    for language, strip in (("en", "central: FAULT"), ("sv", "centralen: FEL"), ("da", "central: FEJL")):
        assert words(SITUATIONS["technician-refused"], language).status[1] == strip
    assert technicians_lines("technician-refused")[1:3] == (
        "Central: https://central.exempelby.example",
        "Central refuses: it does not know this station's token: enrol it anew",
    )
    assert technicians_lines("technician-refused", central_fault="bad_weather")[2] == "Central refuses: bad_weather"
    assert technicians_lines("technician-refused", central_fault=None)[2] == "NO CONTACT"


def test_a_clock_that_is_not_trusted_says_why_and_what_mends_it() -> None:
    shown = technicians_lines("technician-set_back", online=True)
    assert shown[2:4] == ("Clock: not trusted: set back", idle_pages.MEND_CLOCK)
    assert technicians_lines("technician-set_back", role=Role.ACTIVATION_BOX)[2] == idle_pages.MEND_BOX_CLOCK


def test_situations_cover_every_field() -> None:
    """Whoever adds a field to the snapshot adds a situation that shows it."""
    for field in dataclasses.fields(Screen):
        values = {getattr(screen, field.name) for screen in SITUATIONS.values()}
        assert len(values) > 1 or field.name == "language", field.name
    lines = itertools.product(Line, LANGUAGES)
    assert all(words(Screen(line, STATUS), language) for line, language in lines)
