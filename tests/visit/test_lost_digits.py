"""All digits of an entry count, or none: contacts that bounce while somebody types, and keys that are too early."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.rules.facts import Policy
from station.visit.effects import CheckPin
from station.visit.lost_digits import GOES_ON_WITHIN_S, SAID_FOR_S
from station.visit.state import RETURNS_WITHIN_S, Phase, Presence, State
from tests.visit.visiting import OTHER, OWN, STATION, Machine, kinds, machine_at, the

ENTRY_TIMEOUT_S = Policy().entry_timeout_s


def goes_in_bouncing(at: Machine, typed_between: str = "") -> None:
    """The contact breaks three times before the key has said which it is, and somebody types meanwhile."""
    for _ in range(3):
        at.insert()
        at.cleared()
        at.pull()
        at.type(typed_between)
        at.wait(0.2)
    at.put_in()


@pytest.mark.parametrize("before", ["1", "123456"])
def test_digits_typed_before_the_key_was_noticed_count_as_little_as_the_rest(before: str) -> None:
    at = Machine()
    at.type(before)
    at.wait(1.0)
    at.put_in()
    at.type("23")
    assert (at.screen.digits, at.screen.digits_lost) == (0, True)
    assert at.type("456#") == ()
    assert at.phase is Phase.PROMPT


def test_digits_typed_while_the_contact_bounces() -> None:
    at = Machine()
    goes_in_bouncing(at, "1")
    assert at.type("456#") == ()
    assert (at.phase, at.screen.digits_lost) == (Phase.PROMPT, True)
    assert kinds(at.type("123456#")) == ["CheckPin"]


def test_digits_of_an_unidentified_key_and_the_rest_after_a_pause() -> None:
    at = Machine()
    at.insert()
    at.type("12")
    at.pull()
    at.wait(0.2)
    at.put_in()
    at.wait(ENTRY_TIMEOUT_S - 1)
    assert at.type("3456#") == ()


def test_an_entry_that_is_whole_counts_however_often_the_contact_bounces_afterwards() -> None:
    at = Machine()
    goes_in_bouncing(at)
    at.type("123456#")
    assert at.phase is Phase.CHECKING


@pytest.mark.parametrize("again", ["*", "#"])
def test_star_or_hash_begins_another_entry(again: str) -> None:
    at = Machine()
    goes_in_bouncing(at, "1")
    at.type("23" + again)
    assert the(CheckPin, at.type("123456#")).entry.reveal() == b"123456"


def test_the_screen_says_so_until_somebody_types_anew() -> None:
    at = Machine()
    goes_in_bouncing(at, "1")
    at.type("23#")
    told = at.screen.digits_lost
    at.type("1")
    assert (told, at.screen.digits, at.screen.digits_lost) == (True, 1, False)
    again = Machine()
    goes_in_bouncing(again, "1")
    again.type("23#")
    again.wait(SAID_FOR_S)
    assert not again.screen.digits_lost


def test_help_that_was_looked_at_costs_nobody_a_pin() -> None:
    at = Machine()
    at.type("1")
    at.wait(GOES_ON_WITHIN_S)
    at.put_in()
    assert kinds(at.type("123456#")) == ["CheckPin"]


def test_backspace_is_no_digit() -> None:
    at = Machine()
    at.type("\b")
    at.put_in()
    assert kinds(at.type("123456#")) == ["CheckPin"]
    at = Machine()
    at.type("1\b")
    at.put_in()
    assert at.type("23456#") == ()


def test_digits_while_the_pin_before_is_checked_are_not_half_of_the_next() -> None:
    at = machine_at(Phase.CHECKING)
    at.type("12")
    at.wrong()
    assert at.type("3456#") == ()
    assert kinds(at.type("123456#")) == ["CheckPin"]


def test_what_follows_a_whole_entry_does_not_spoil_it() -> None:
    at = Machine()
    at.insert()
    at.type("123456#7")
    at.cleared()
    assert the(CheckPin, at.read()).entry.reveal() == b"123456"


def test_the_digits_for_the_key_that_was_swapped_and_those_for_the_one_that_is_in() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("12")
    at.pull()
    at.put_in(OTHER)
    assert at.type("3456#") == ()
    assert kinds(at.type("222222#")) == ["CheckPin"]


def test_another_person_need_not_begin_twice() -> None:
    at = machine_at(Phase.READING)
    at.type("12")
    at.pull()
    at.insert()
    at.pull()
    at.wait(RETURNS_WITHIN_S + 0.1)
    at.put_in(OTHER)
    assert kinds(at.type("222222#")) == ["CheckPin"]


def test_a_pause_clears_an_entry_that_was_whole_so_far() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.wait(ENTRY_TIMEOUT_S)
    assert kinds(at.type("123456#")) == ["CheckPin"]


def test_a_key_out_for_long_takes_its_digits_with_it() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.pull()
    at.wait(2.0)
    at.type("4")
    at.wait(RETURNS_WITHIN_S - 1.9)
    assert at.phase is Phase.EMPTY
    at.put_in()
    assert at.type("56#") == ()


def test_a_ready_key_that_is_out_and_typed_at() -> None:
    at = machine_at(Phase.READY, Presence.OUT)
    at.type("12")
    at.insert()
    at.identified(OTHER.seen)
    at.cleared()
    at.read(OTHER)
    assert at.type("3456#") == ()


def test_the_screen_of_a_key_that_is_gone_says_nothing_of_digits() -> None:
    at = Machine()
    goes_in_bouncing(at, "1")
    at.pull()
    assert not at.screen.digits_lost
    assert at.state.seen == OWN.seen


@pytest.mark.parametrize("entry", ["1", "12345"])
def test_an_entry_that_is_too_short_for_a_pin_of_the_site_is_no_try(entry: str) -> None:
    at = Machine(State(station=replace(STATION, pin_digits=6)))
    at.put_in()
    for _ in range(4):
        assert at.type(f"{entry}#") == ()
        assert (at.phase, at.screen.digits, at.screen.digits_lost) == (Phase.PROMPT, 0, True)
    assert kinds(at.type("123456#")) == ["CheckPin"]


def test_nor_is_one_that_was_typed_ahead() -> None:
    at = Machine(State(station=replace(STATION, pin_digits=6)))
    at.insert()
    at.type("123#")
    at.cleared()
    assert kinds(at.read()) == ["PrepareKey"]
    assert at.phase is Phase.PROMPT


@pytest.mark.parametrize(("failures", "left"), [(6, None), (7, 3), (9, 1)])
def test_from_the_seventh_wrong_pin_the_screen_says_how_many_are_left(failures: int, left: int | None) -> None:
    at = machine_at(Phase.CHECKING)
    at.wrong(failures, wait_s=60)
    assert (at.line(), at.screen.tries_left) == (Line.WAIT, left)
    at.wait(61)
    assert (at.line(), at.screen.tries_left) == (Line.WRONG_PIN, left)
