"""A blank key: the code that hands it out, what else may be typed, and what becomes of the key."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.rules.facts import OffOnlyReason, Refusal
from station.rules.hand_out import HandOutTold
from station.visit.effects import CheckPin, EndVisit, HandOut, ReadKey, ReportUnexpected
from station.visit.inputs import HandedOut, StationChanged
from station.visit.state import Phase, Presence
from tests.visit.visiting import BO, CODE, OWN, STATION, SUBSTITUTE, Key, Machine, handed_on, kinds, machine_at, the


def asked(at: Machine) -> list[str]:
    """The codes that central was asked with."""
    return [effect.code.reveal().decode() for effect in at.everything if isinstance(effect, HandOut)]


def test_a_blank_key_is_handed_out_by_its_code() -> None:
    at = Machine()
    at.put_in_blank()
    assert (at.line(), at.screen.key) == (Line.BLANK, None)
    at.type(CODE)
    assert at.screen.digits == len(CODE)
    sent = the(HandOut, at.type("#"))
    assert (sent.insertion, sent.code.reveal().decode(), at.line()) == (1, CODE, Line.HANDING_OUT)
    assert CODE not in repr((sent, at.state, at.screen))
    at.type("123456#")
    at.handed_out()
    done = at.screen
    assert (done.line, done.key, done.holder_name) == (Line.HANDED_OUT, 100, "Anna Exempel")
    assert not [each for each in at.everything if isinstance(each, CheckPin)]
    at.pull()
    assert at.line() is Line.OUT_OFF
    at.wait(4)
    ended = the(EndVisit, at.done)
    assert ended == EndVisit(OWN.seen, returned=False)
    at.start_shift()


def test_central_names_the_holder_a_moment_later() -> None:
    at = machine_at(Phase.HANDING_OUT)
    at.handed_out(OWN.but(key=None, holder=None))
    before = at.screen
    assert before.holder_name is None
    at.news(OWN)
    assert (at.line(), at.screen.holder_name) == (Line.HANDED_OUT, "Anna Exempel")


@pytest.mark.parametrize("early", ["1", "123456", "123456#", CODE, f"{CODE}#"])
def test_what_was_typed_for_a_pin_is_no_code(early: str) -> None:
    at = Machine()
    at.insert()
    at.type(early)
    at.cleared()
    at.blank()
    assert at.screen.digits == 0
    at.type("#")
    assert asked(at) == []
    at.type(f"{CODE}#")
    assert asked(at) == [CODE]


def test_the_rest_of_an_entry_that_began_before_is_not_taken_for_a_code() -> None:
    at = Machine()
    at.insert()
    at.type("9")
    at.cleared()
    at.blank()
    at.type(CODE)
    assert (at.screen.digits, at.screen.digits_lost) == (0, True)
    at.type("#")
    assert asked(at) == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("123456#", HandOutTold.NOT_A_CODE),
        (f"{CODE}1#", HandOutTold.NOT_A_CODE),
        ("*", HandOutTold.PIN_BEGUN),
        ("*123456", HandOutTold.PIN_BEGUN),
        (f"*{CODE}#", HandOutTold.NOT_A_CODE),
        (f"1*{CODE}#", HandOutTold.NOT_A_CODE),
        ("*#", HandOutTold.NOT_A_CODE),
        ("#", None),
    ],
)
def test_a_pin_typed_by_mistake_goes_nowhere(typed: str, told: HandOutTold | None) -> None:
    at = machine_at(Phase.BLANK)
    at.type(typed)
    assert (asked(at), at.phase, at.screen.hand_out) == ([], Phase.BLANK, told)
    at.wait(21)
    assert at.screen.digits == 0
    assert at.screen.hand_out is (None if told is HandOutTold.PIN_BEGUN else told)
    at.type("\b1\b")
    at.type(f"{CODE}#")
    assert asked(at) == [CODE]


def test_old_digits_are_no_part_of_a_code() -> None:
    at = machine_at(Phase.BLANK)
    at.type("04729")
    at.wait(19)
    assert at.screen.digits == 5
    at.wait(2)
    at.type("18365#")
    assert (asked(at), at.screen.hand_out) == ([], HandOutTold.NOT_A_CODE)


@pytest.mark.parametrize("told", HandOutTold)
def test_it_is_said_why_it_is_still_blank_until_another_code_is_typed(told: HandOutTold) -> None:
    at = machine_at(Phase.HANDING_OUT)
    at.not_handed_out(told)
    assert (at.line(), at.screen.hand_out, at.screen.digits) == (Line.BLANK, told, 0)
    at.type("#")
    at.type(CODE)
    at.type("#")
    if told is not HandOutTold.PIN_BEGUN:
        assert asked(at) == [CODE, CODE]


def test_after_too_many_wrong_codes_none_is_sent_until_central_takes_one() -> None:
    at = machine_at(Phase.HANDING_OUT)
    at.not_handed_out(None, 900)
    assert (at.line(), at.screen.wait_s) == (Line.BLANK, 900)
    at.type(f"{CODE}#")
    at.wait(899.5)
    assert (asked(at), at.screen.wait_s) == ([CODE], 1)
    at.wait(0.5)
    assert at.screen.wait_s is None
    at.type(f"{CODE}#")
    assert asked(at) == [CODE, CODE]


def test_without_a_connection_no_code_is_sent() -> None:
    at = machine_at(Phase.BLANK)
    at.feed(StationChanged(replace(STATION, online=False)))
    assert not at.screen.status.online
    at.type(f"{CODE}#")
    assert (asked(at), at.screen.digits) == ([], 0)
    at.feed(StationChanged(replace(STATION, online=False, off_only=OffOnlyReason.STARTING)))
    assert at.line() is Line.READING
    at.feed(StationChanged(STATION))
    at.type(f"{CODE}#")
    assert asked(at) == [CODE]


def test_pulled_meanwhile_it_is_asked_anew_what_it_is() -> None:
    at = machine_at(Phase.HANDING_OUT)
    at.pull()
    assert (at.line(), at.screen.key) == (Line.OUT_HANDING_OUT, None)
    at.not_handed_out(HandOutTold.NO_ANSWER)
    assert at.line() is Line.OUT_HANDING_OUT
    visit = at.state.visit
    at.put_in_blank()
    assert (at.line(), at.state.visit, at.screen.hand_out) == (Line.BLANK, visit, None)
    at.type(f"{CODE}#")
    at.pull()
    at.wait(25)
    assert at.line() is Line.OUT_HANDING_OUT
    at.put_in()
    assert (at.line(), at.screen.key) == (Line.PROMPT, 100)


def test_pulled_when_it_had_its_record_it_is_off_and_has_a_name() -> None:
    at = machine_at(Phase.HANDING_OUT)
    at.pull()
    at.handed_out()
    assert (at.line(), at.screen.key) == (Line.OUT_OFF, 100)
    at.put_in()
    assert (at.line(), at.presence) == (Line.PROMPT, Presence.IN)


def test_another_key_in_its_place_hears_nothing_of_the_code() -> None:
    at = machine_at(Phase.HANDING_OUT)
    first = at.state.insertion
    at.pull()
    at.wait(0.3)
    at.put_in(SUBSTITUTE)
    assert at.feed(HandedOut(first, OWN.seen, OWN.known)) == ()
    assert (at.line(), at.screen.key) == (Line.PROMPT, 200)
    at.pull()
    at.put_in_blank()
    assert (at.line(), at.screen.key, at.screen.digits) == (Line.BLANK, None, 0)


def test_a_blank_key_where_another_one_was_ends_its_visit() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.pull()
    at.wait(0.3)
    at.insert()
    at.cleared()
    assert the(EndVisit, at.blank()).seen == OWN.seen
    assert (at.line(), at.screen.digits, at.screen.key) == (Line.BLANK, 0, None)


def test_nothing_is_asked_of_a_blank_key_that_may_be_on() -> None:
    at = machine_at(Phase.PROMPT, Presence.RETURNING)
    assert kinds(at.blank()) == [ReportUnexpected.__name__]


@pytest.mark.parametrize("which", [OWN, SUBSTITUTE], ids=["holder", "unit"])
@pytest.mark.parametrize("before", [Phase.PROMPT, Phase.REFUSED])
def test_a_key_that_is_handed_on_while_it_is_in_is_read_anew(which: Key, before: Phase) -> None:
    at = machine_at(before, which=which)
    at.type("123")
    reading = the(ReadKey, at.news(handed_on(which)))
    assert (reading.insertion, reading.refresh, at.line()) == (at.state.insertion, False, Line.READING)
    at.read(handed_on(which))
    assert (at.line(), at.screen.digits) == (Line.PROMPT, 0)
    assert at.screen.holder_name == (BO.name if which is OWN else None)


def test_a_key_that_did_not_take_its_new_record_is_unknown() -> None:
    at = machine_at(Phase.PROMPT)
    at.news(handed_on(OWN))
    at.read(Key(OWN.seen, handed_on(OWN).known))
    assert at.screen.refusal is Refusal.UNKNOWN
