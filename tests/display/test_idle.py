"""Help, standby and the technician's code: what keystrokes at the empty station lead to, and how it ends by itself."""

from dataclasses import replace

import pytest

from station.display.idle import (
    CODE_S,
    HELP_S,
    SEQUENCE_S,
    TECHNICIAN_S,
    WRONG_CODE_WAIT_S,
    HelpTopic,
    IdleState,
    View,
    aged,
    code_checked,
    disturbed,
    typed,
)
from station.visit.entry import Entry

T = 100.0


def after(strokes: str, begin: IdleState | None = None, *, has_code: bool = True, gap_s: float = 0.3) -> IdleState:
    at, now_s = begin or IdleState(since_s=T), T
    for stroke in strokes:
        now_s += gap_s
        at, _ = typed(at, stroke, now_s, has_code=has_code)
    return at


def test_one_keystroke_opens_the_list_and_the_next_a_topic() -> None:
    at = after("*")
    assert (at.view, at.topic) == (View.HELP, None)
    assert [after("*" + key).topic for key in "1234567890*"] == list(HelpTopic)


def test_the_star_goes_on_in_a_topic_and_a_digit_goes_to_another() -> None:
    assert [(at.topic, at.part) for at in (after("*3" + "*" * n) for n in range(3))] == [
        (HelpTopic.KEY_RED, n) for n in range(3)
    ]
    assert (after("*3**5").topic, after("*3**5").part) == (HelpTopic.FROZEN, 0)


@pytest.mark.parametrize("stroke", "#\b")
def test_other_keystrokes_lead_back_to_the_list_and_out(stroke: str) -> None:
    at = after("*3*" + stroke)
    assert (at.view, at.topic, at.part) == (View.HELP, None, 0)
    assert after("*3*" + 2 * stroke).view is View.NONE


@pytest.mark.parametrize("stroke", "0123456789#\b")
def test_without_help_other_keystrokes_do_nothing(stroke: str) -> None:
    assert after(stroke).view is View.NONE


@pytest.mark.parametrize("stroke", "*#5")
def test_any_keystroke_wakes_a_dark_screen_and_does_no_more(stroke: str) -> None:
    dark = aged(IdleState(since_s=T), T + 600, standby_s=600)
    assert dark.view is View.STANDBY
    assert typed(dark, stroke, T + 700, has_code=True)[0].view is View.NONE


def test_it_goes_dark_only_where_it_may() -> None:
    assert aged(IdleState(since_s=T), T + 599, standby_s=600).view is View.NONE
    assert aged(IdleState(since_s=T), T + 1e6, standby_s=None).view is View.NONE
    dark = aged(IdleState(since_s=T), T + 600, standby_s=600)
    assert aged(dark, T + 601, standby_s=600) is dark
    assert aged(dark, T + 601, standby_s=None).view is View.NONE


def test_the_sequence_asks_for_the_code() -> None:
    assert after("*0*").view is View.CODE
    assert after("12*0*").view is View.CODE
    assert after("*0*", has_code=False).view is View.HELP
    assert after("*0*", gap_s=SEQUENCE_S + 1).view is View.HELP


def test_the_code_is_edited_and_handed_over() -> None:
    at = after("*0*12\b3")
    assert len(at.entry) == 2
    at, entry = typed(at, "#", T, has_code=True)
    assert at.view is View.NONE
    assert len(at.entry) == 0
    assert entry is not None
    assert entry.reveal() == b"13"


@pytest.mark.parametrize("strokes", ["*0*#", "*0*12*"])
def test_the_code_is_given_up(strokes: str) -> None:
    at, entry = typed(after(strokes[:-1]), strokes[-1], T + 5, has_code=True)
    assert (at.view, entry, len(at.entry)) == (View.NONE, None, 0)


def test_a_right_code_opens_the_page_and_any_key_but_the_star_closes_it() -> None:
    page = code_checked(IdleState(), T, right=True)
    assert page.view is View.TECHNICIAN
    assert typed(page, "5", T + 1, has_code=True)[0].view is View.NONE
    further = typed(page, "*", T + 1, has_code=True)[0]
    assert (further.view, further.part) == (View.TECHNICIAN, 1)
    assert aged(page, T + TECHNICIAN_S - 1, standby_s=1).view is View.TECHNICIAN
    assert aged(page, T + TECHNICIAN_S, standby_s=1).view is View.NONE


def test_a_wrong_code_is_said_and_costs_a_wait() -> None:
    wrong = code_checked(IdleState(), T, right=False)
    assert wrong.view is View.WRONG_CODE
    assert aged(wrong, T + WRONG_CODE_WAIT_S - 1, standby_s=None).view is View.WRONG_CODE
    assert aged(wrong, T + WRONG_CODE_WAIT_S, standby_s=None).view is View.NONE
    assert after("#", wrong).view is View.NONE
    assert after("#*0*", wrong).view is View.HELP
    later = replace(wrong, not_before_s=T - WRONG_CODE_WAIT_S)
    assert after("#*0*", later).view is View.CODE


@pytest.mark.parametrize(("strokes", "limit_s"), [("*", HELP_S), ("*0*12", CODE_S)])
def test_what_nobody_goes_on_with_goes_away(strokes: str, limit_s: float) -> None:
    at = after(strokes)
    assert aged(at, at.since_s + limit_s - 1, standby_s=None) is at
    gone = aged(at, at.since_s + limit_s, standby_s=None)
    assert (gone.view, len(gone.entry)) == (View.NONE, 0)


@pytest.mark.parametrize("view", View)
def test_a_key_ends_all_of_it(view: View) -> None:
    at = IdleState(view, HelpTopic.LOGGED, 1, Entry("123"), T, "*0")
    gone = disturbed(at, T + 1)
    assert (gone.view, gone.topic, gone.part, len(gone.entry), gone.strokes) == (View.NONE, None, 0, 0, "")


def test_no_digit_is_in_its_repr() -> None:
    assert "7" not in repr(replace(after("*0*777"), since_s=0.0))
