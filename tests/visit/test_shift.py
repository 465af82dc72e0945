"""The ordinary visits: a shift begins, a shift ends, and what is typed meanwhile."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.rules.facts import Refusal
from station.visit.effects import ActivateKey, CheckPin, ClearActivation, EndVisit, PrepareKey, SyncDuty
from station.visit.inputs import ActivationFailed
from station.visit.state import Phase
from tests.visit.visiting import (
    ANNA,
    EMERGENCY,
    NOON,
    OWN,
    SUBSTITUTE,
    TIM,
    TIM_FOUND,
    WRONG_TAG,
    Machine,
    key,
    kinds,
    machine_at,
    the,
)


def test_a_shift_starts() -> None:
    at = Machine()
    assert at.line() is Line.EMPTY
    assert kinds(at.insert()) == ["ClearActivation"]
    assert at.line() is Line.READING
    assert kinds(at.cleared()) == ["ReadKey"]
    assert the(PrepareKey, at.read()).sync is SyncDuty.WRITE
    assert (at.screen.line, at.screen.holder_name, at.screen.key) == (Line.PROMPT, "Anna Exempel", 100)
    at.type("*123456")
    assert at.screen.digits == 6
    check = the(CheckPin, at.type("#"))
    assert (check.entry.reveal(), check.visit) == (b"123456", at.state.visit)
    assert (at.screen.line, at.screen.digits) == (Line.CHECKING, 0)
    activate = the(ActivateKey, at.judged())
    assert (activate.seen, activate.grant.holder) == (OWN.seen, ANNA)
    assert (at.line(), at.screen.receipt) == (Line.ACTIVATING, None)
    assert kinds(at.activated()) == []
    assert at.line() is Line.READY
    receipt = at.screen.receipt
    assert receipt
    assert (receipt.expires, receipt.area_names, receipt.locks) == (NOON + 660 * 60, ("Norrby", "Söderby"), 1)
    at.pull()
    assert at.line() is Line.OUT_READY
    assert at.wait(4) == (EndVisit(OWN.seen, returned=False),)
    assert at.line() is Line.OUT_READY
    at.wait(26)
    assert at.line() is Line.EMPTY
    assert at.state.seen is None


def test_a_shift_ends() -> None:
    at = Machine()
    at.put_in()
    at.pull()
    assert at.line() is Line.OUT_OFF
    assert at.wait(4) == (EndVisit(OWN.seen, returned=False),)
    assert not [e for e in at.everything if isinstance(e, CheckPin | ActivateKey)]


@pytest.mark.parametrize("pool", [SUBSTITUTE, EMERGENCY])
def test_a_pool_key_is_returned_at_its_own_units_station(pool: object) -> None:
    at = Machine()
    at.put_in(pool)  # type: ignore[arg-type]
    at.pull()
    assert the(EndVisit, at.wait(4)).returned


def test_a_pool_key_is_not_returned_elsewhere_nor_when_it_was_taken() -> None:
    at = Machine()
    at.put_in(key(201, SUBSTITUTE.seen.record.kind, unit=8))
    at.pull()
    assert not the(EndVisit, at.wait(4)).returned
    at = Machine()
    at.start_shift(SUBSTITUTE, TIM_FOUND)
    assert at.screen.holder_name == TIM.name
    at.pull()
    assert not the(EndVisit, at.wait(4)).returned


def test_the_next_key_replaces_the_receipt() -> None:
    at = Machine()
    at.start_shift()
    at.pull()
    at.wait(10)
    assert at.line() is Line.OUT_READY
    assert the(ClearActivation, at.insert()).insertion == 2
    assert (at.screen.line, at.screen.key, at.screen.receipt) == (Line.READING, None, None)


def test_the_next_key_within_the_farewell_ends_the_visit_before_it() -> None:
    at = machine_at(Phase.PROMPT)
    at.pull()
    at.mono_s += 3.5
    assert at.insert()[0] == EndVisit(OWN.seen, returned=False)
    assert at.state.visit == 2


# --- typing


def test_digits_typed_since_insertion_count() -> None:
    at = Machine()
    at.insert()
    at.type("*12")
    assert at.screen.digits == 2
    at.cleared()
    at.type("34")
    at.read()
    assert at.phase is Phase.PROMPT
    assert the(CheckPin, at.type("56#")).entry.reveal() == b"123456"


def test_even_the_whole_of_it_before_the_prompt() -> None:
    at = Machine()
    at.insert()
    at.type("123456#99")
    at.cleared()
    assert kinds(at.read()) == ["PrepareKey", "CheckPin"]
    assert the(CheckPin, at.done).entry.reveal() == b"123456"


@pytest.mark.parametrize("strokes", ["123#*654321", "123#\b\b\b654321", "**654321", "9\b654321", "#654321"])
def test_a_new_start_before_the_prompt(strokes: str) -> None:
    at = Machine()
    at.insert()
    at.type(strokes)
    at.cleared()
    at.read()
    assert at.phase is Phase.PROMPT
    assert the(CheckPin, at.type("#")).entry.reveal() == b"654321"


def test_digits_before_the_insertion_do_not_count() -> None:
    at = Machine()
    at.type("123")
    at.put_in()
    assert at.screen.digits == 0


def test_star_and_backspace_at_the_prompt() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("99*12\b3")
    assert at.screen.digits == 2
    assert the(CheckPin, at.type("#")).entry.reveal() == b"13"


@pytest.mark.parametrize("strokes", ["#", "*#", "1\b#", "x", ""])
def test_nothing_is_not_a_pin(strokes: str) -> None:
    at = machine_at(Phase.PROMPT)
    at.type(strokes)
    assert at.phase is Phase.PROMPT
    assert not [e for e in at.everything if isinstance(e, CheckPin)]


@pytest.mark.parametrize("phase", [Phase.CHECKING, Phase.ACTIVATING, Phase.READY, Phase.REFUSED, Phase.LEFT_IN])
def test_where_there_is_no_prompt_keystrokes_do_nothing(phase: Phase) -> None:
    at = machine_at(phase)
    before = at.state
    assert at.type("12#") == ()
    lost_until_s = at.state.digits_lost_until_s
    assert at.state == replace(before, stroke_s=at.mono_s, digits_lost_until_s=lost_until_s)


def test_an_entry_left_alone_for_twenty_seconds_is_gone() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("12")
    at.wait(19)
    at.type("3")
    at.wait(19.5)
    assert at.screen.digits == 3
    at.wait(0.5)
    assert at.screen.digits == 0


@pytest.mark.parametrize("phase", [Phase.CLEARING, Phase.READING])
def test_also_when_the_prompt_is_long_in_coming(phase: Phase) -> None:
    at = machine_at(phase)
    at.type("123456#")
    at.wait(20)
    if phase is Phase.CLEARING:
        at.cleared()
    at.read()
    assert at.phase is Phase.PROMPT
    assert at.screen.digits == 0


# --- left in, and what does not work


def test_a_key_left_in_for_two_minutes_is_switched_off_again() -> None:
    at = machine_at(Phase.READY)
    assert at.wait(119.9) == ()
    assert at.phase is Phase.READY
    assert the(ClearActivation, at.wait(0.1)).insertion == at.state.insertion
    assert at.screen.receipt is None
    assert kinds(at.cleared()) == []
    assert at.line() is Line.LEFT_IN
    at.pull()
    assert at.line() is Line.OUT_OFF
    assert at.screen.receipt is None


def test_a_key_pulled_while_it_is_switched_off_again_may_still_be_on() -> None:
    at = machine_at(Phase.SWITCHING_OFF)
    at.pull()
    assert (at.screen.line, at.screen.still_on_until) == (Line.OUT_UNSURE, NOON + 660 * 60)


def test_back_in_time_it_is_off_and_may_be_started_by_its_holder() -> None:
    at = machine_at(Phase.SWITCHING_OFF, which=SUBSTITUTE)
    at.pull()
    at.insert()
    at.cleared()
    at.read(SUBSTITUTE)
    assert (at.screen.line, at.screen.holder_name) == (Line.PROMPT, None)


@pytest.mark.parametrize("until", [NOON + 600, None])
def test_a_key_that_cannot_be_switched_off_is_said_to_be_on(until: int | None) -> None:
    at = machine_at(Phase.CLEARING)
    at.type("12")
    assert kinds(at.unclear(until)) == []
    assert (at.screen.line, at.screen.still_on_until, at.screen.digits) == (Line.STILL_ON, until, 0)
    at.pull()
    assert (at.screen.line, at.screen.still_on_until) == (Line.OUT_UNSURE, until)
    assert "ClearActivation" in kinds(at.insert())
    assert at.screen.still_on_until is None


@pytest.mark.parametrize("phase", [Phase.SWITCHING_OFF, Phase.ACTIVATING])
def test_what_this_station_wrote_and_cannot_clear_is_on_until_its_end(phase: Phase) -> None:
    at = machine_at(phase)
    at.unclear()
    assert (at.screen.line, at.screen.still_on_until) == (Line.STILL_ON, NOON + 660 * 60)
    at = machine_at(phase)
    at.unclear(NOON + 5)
    assert at.screen.still_on_until == NOON + 5


def test_a_key_that_does_not_say_which_it_is() -> None:
    at = machine_at(Phase.READING)
    at.type("123456#")
    assert kinds(at.unread()) == []
    assert (at.screen.line, at.screen.digits) == (Line.UNREADABLE, 0)
    at.pull()
    assert at.line() is Line.OUT_OFF
    assert at.wait(4) == (EndVisit(None, returned=False),)


@pytest.mark.parametrize("refusal", [Refusal.KEY_FAULT, Refusal.STATION])
def test_an_activation_that_failed(refusal: Refusal) -> None:
    at = machine_at(Phase.ACTIVATING)
    # The PIN was right all the same: its count is taken back.
    assert kinds(at.feed(ActivationFailed(1, refusal))) == ["AcceptPin"]
    assert (at.screen.line, at.screen.refusal, at.screen.receipt) == (Line.REFUSED, refusal, None)
    at.pull()
    assert at.line() is Line.OUT_OFF


def test_a_key_fault_may_be_mended_by_putting_the_key_in_anew() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.feed(ActivationFailed(1, Refusal.KEY_FAULT))
    at.pull()
    at.put_in()
    assert at.line() is Line.PROMPT


def test_no_wrong_tag_ever_starts_a_shift() -> None:
    at = machine_at(Phase.CHECKING)
    at.judged(WRONG_TAG)
    assert at.phase is Phase.PROMPT
