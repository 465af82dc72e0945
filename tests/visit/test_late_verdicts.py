"""Verdicts on a PIN whose key is out, back, swapped, or long gone by then."""

from collections.abc import Callable

import pytest

from station.display.screen import Line
from station.rules.facts import Attempts, Refusal
from station.visit.effects import AcceptPin, CheckPin, Effect, EndVisit, GiveCountBack, RejectPin
from station.visit.inputs import PinChecked, PinCheckFailed, ReaderFailed
from station.visit.state import Phase, Presence
from tests.visit.visiting import NOON, OTHER, OWN, TAG, WRONG_TAG, Key, Machine, kinds, machine_at, permit, the


def test_a_right_pin_judged_while_the_key_is_out_activates_when_it_is_back() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    assert at.line() is Line.OUT_EARLY
    at.wait(1)
    assert at.judged() == ()
    assert at.line() is Line.OUT_EARLY
    at.wait(3.9)
    at.insert()
    at.cleared()
    assert kinds(at.read()) == ["ActivateKey"]


def test_if_it_never_comes_back_its_count_is_taken_back() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    at.judged()
    done = at.wait(5.1)
    assert done == (GiveCountBack(OWN.seen, begun=False), EndVisit(OWN.seen, returned=False))
    assert at.line() is Line.OUT_EARLY


@pytest.mark.parametrize("judged_after", range(3))
def test_a_wrong_pin_judged_while_the_key_is_out_is_told_when_it_is_back(judged_after: int) -> None:
    at = machine_at(Phase.CHECKING)
    steps = [at.pull, at.insert, at.cleared]
    for do in steps[: judged_after + 1]:
        do()
    assert kinds(at.wrong(4, wait_s=5)) == ["RejectPin"]
    for do in steps[judged_after + 1 :]:
        do()
    at.read(OWN, at.state.attempts)
    assert (at.screen.line, at.screen.refusal, at.screen.wait_s) == (Line.WAIT, Refusal.WRONG_PIN, 5)


def test_a_verdict_does_not_lengthen_the_time_that_the_key_may_be_out() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    at.wait(2)
    at.wrong()
    assert kinds(at.wait(1.1)) == ["EndVisit"]


def test_a_tenth_wrong_pin_judged_while_the_key_is_out_locks_it() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    done = at.wrong(10, locked=True)
    assert kinds(done) == ["RejectPin"]
    assert the(RejectPin, done).locked
    at.put_in(OWN, Attempts(10, locked=True))
    assert (at.screen.line, at.screen.refusal) == (Line.REFUSED, Refusal.LOCKED)


def test_a_refusal_after_the_pin_while_the_key_is_out() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    done = at.judged(which=OWN.but(permit=permit(expires=NOON)))
    assert the(AcceptPin, done).refusal is Refusal.PERMIT_EXPIRED
    at.put_in()
    assert (at.screen.line, at.screen.refusal) == (Line.REFUSED, Refusal.PERMIT_EXPIRED)


def test_a_check_that_failed_while_the_key_is_out() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    assert kinds(at.check_failed()) == []
    at.put_in()
    assert at.line() is Line.PROMPT


def test_a_verdict_still_to_come_when_the_key_is_back() -> None:
    at = machine_at(Phase.CHECKING)
    at.bounce()
    assert at.phase is Phase.CHECKING
    assert kinds(at.judged()) == ["ActivateKey"]


@pytest.mark.parametrize("presence", Presence)
def test_a_verdict_that_is_waited_for_is_not_counted_twice(presence: Presence) -> None:
    at = machine_at(Phase.CHECKING, presence)
    assert kinds(at.wrong()) == ["RejectPin"]
    at = machine_at(Phase.CHECKING, presence)
    assert "GiveCountBack" not in kinds(at.judged())


def test_a_verdict_about_another_key_is_not_the_one_that_is_waited_for() -> None:
    at = machine_at(Phase.CHECKING)
    before = at.state
    assert kinds(at.judged(WRONG_TAG, which=OTHER)) == ["RejectPin"]
    assert at.judged(which=OTHER) == (GiveCountBack(OTHER.seen, begun=False),)
    assert at.state is before


@pytest.mark.parametrize(
    "end",
    [
        lambda at: (at.pull(), at.put_in(OTHER)),
        lambda at: at.feed(ReaderFailed()),
        lambda at: (at.pull(), at.wait(5.1)),
    ],
    ids=["swapped", "reader", "gone"],
)
def test_a_wrong_pin_judged_after_its_visit_still_counts_and_locks(end: Callable[[Machine], object]) -> None:
    at = machine_at(Phase.CHECKING)
    visit = at.state.visit
    end(at)
    before = at.state

    def late(tag: bytes, attempts: Attempts, which: Key = OWN) -> tuple[Effect, ...]:
        return at.feed(PinChecked(visit, which.seen, which.known, None, (tag,), None, attempts))

    tenth = Attempts(10, locked=True)
    rejected = the(RejectPin, late(WRONG_TAG, tenth))
    assert (rejected.seen, rejected.locked) == (OWN.seen, True)
    assert not the(RejectPin, late(WRONG_TAG, Attempts(9))).locked
    assert late(TAG, tenth) == (GiveCountBack(OWN.seen, begun=False),)
    expired = OWN.but(permit=permit(expires=NOON))
    assert the(AcceptPin, late(TAG, Attempts(1), expired)).refusal is Refusal.PERMIT_EXPIRED
    assert late(WRONG_TAG, tenth, OWN.but(on_blocklist=True)) == ()
    assert at.feed(PinCheckFailed(visit, OWN.seen)) == ()
    assert at.state is before


def test_keystrokes_with_a_pin_under_way_start_no_second_one() -> None:
    at = machine_at(Phase.CHECKING, Presence.OUT)
    at.type("99#")
    at.insert()
    at.type("88#")
    at.cleared()
    at.type("77#")
    at.read()
    at.wrong()
    assert (at.phase, at.screen.digits) == (Phase.PROMPT, 0)
    assert the(CheckPin, at.type("123456#")).entry.reveal() == b"123456"
