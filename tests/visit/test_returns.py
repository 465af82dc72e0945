"""Keys that come back: bounced contacts, swapped keys, interrupted writes, a reader that fails."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.display.snapshot import REMINDER_S
from station.rules.facts import Attempts, OffOnlyReason, Refusal
from station.visit.effects import (
    ActivateKey,
    CheckPin,
    ClearActivation,
    EndVisit,
    GiveCountBack,
    IdentifyKey,
    RecordRefusal,
    RejectPin,
)
from station.visit.inputs import (
    ClearFailed,
    KeyActivated,
    KeySeen,
    PinChecked,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    StationChanged,
)
from station.visit.machine import TABLE
from station.visit.state import RETURNS_WITHIN_S, Phase, Presence
from tests.visit.visiting import (
    NOON,
    OTHER,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    WRONG_TAG,
    Key,
    Machine,
    kinds,
    machine_at,
    permit,
    the,
)

RETURN_TO = [phase for phase, presence in TABLE if presence is Presence.RETURNING]


# --- the same key


def test_a_bounce_goes_on_with_the_digits() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.pull()
    at.wait(1)
    at.type("4")
    assert kinds(at.insert()) == ["ClearActivation"]
    at.type("5")
    at.cleared()
    at.read()
    assert (at.phase, at.screen.digits, at.state.visit) == (Phase.PROMPT, 5, 1)
    assert the(CheckPin, at.type("6#")).entry.reveal() == b"123456"


def test_a_key_that_is_back_answers_nothing_before_it_is_off_and_is_cleared_once() -> None:
    at = machine_at(Phase.PROMPT, Presence.RETURNING)
    too_early = [*kinds(at.read()), *kinds(at.unread())]
    at.cleared()
    assert [*too_early, *kinds(at.cleared())] == ["ReportUnexpected"] * 3
    assert kinds(at.read()) == ["PrepareKey"]


def test_hash_typed_while_the_key_is_out_counts_when_it_is_back() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123456")
    at.pull()
    at.type("#")
    at.put_in()
    assert at.phase is Phase.CHECKING


@pytest.mark.parametrize(("seconds", "digits"), [(3.0, 3), (3.1, 0)])
def test_three_seconds(seconds: float, digits: int) -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.pull()
    at.wait(seconds)
    assert at.screen.digits == digits
    at.put_in()
    assert at.screen.digits == digits


def test_even_if_nobody_looked_at_the_time_meanwhile() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123")
    at.pull()
    at.mono_s += 3.1
    assert kinds(at.insert()) == ["EndVisit", "ClearActivation"]
    assert at.screen.digits == 0


def test_several_bounces_are_one_visit() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("12")
    for _ in range(3):
        at.pull()
        at.wait(2)
        at.insert()
        at.pull()
        at.insert()
        at.cleared()
        at.pull()
        at.insert()
        at.cleared()
        at.read()
    assert (at.phase, at.screen.digits, at.state.visit) == (Phase.PROMPT, 2, 1)


@pytest.mark.parametrize("phase", [Phase.CLEARING, Phase.READING])
def test_a_key_that_had_not_said_which_it_is_begins_anew(phase: Phase) -> None:
    at = machine_at(phase)
    at.type("99")
    at.pull()
    at.insert()
    assert at.screen.digits == 0
    at.type("*12")
    at.cleared()
    at.read()
    assert (at.phase, at.screen.digits) == (Phase.PROMPT, 2)


def test_what_a_bounced_key_was_told_still_stands() -> None:
    at = machine_at(Phase.CHECKING)
    at.wrong()
    at.bounce()
    assert (at.screen.line, at.screen.refusal) == (Line.WRONG_PIN, Refusal.WRONG_PIN)
    at.pull()
    at.type("123456#")
    at.put_in()
    assert (at.phase, at.state.pin_was_wrong) == (Phase.CHECKING, False)
    at = machine_at(Phase.CHECKING)
    at.judged(which=OWN.but(permit=permit(expires=NOON)))
    at.bounce()
    assert (at.screen.line, at.screen.refusal) == (Line.REFUSED, Refusal.PERMIT_EXPIRED)


def test_a_refusal_is_recorded_once_however_often_the_contact_bounces() -> None:
    blocked = OWN.but(on_blocklist=True)
    at = Machine()
    at.put_in(blocked)
    at.bounce(blocked)
    at.bounce(blocked)
    assert len([e for e in at.everything if isinstance(e, RecordRefusal)]) == 1


def test_a_key_unblocked_while_it_was_out_may_be_blocked_again() -> None:
    blocked = OWN.but(on_blocklist=True)
    at = machine_at(Phase.REFUSED)
    at.bounce(OWN)
    phases = [at.phase]
    at.news(blocked)
    assert [*phases, at.phase] == [Phase.PROMPT, Phase.REFUSED]


def test_a_key_blocked_while_it_was_out_is_refused_and_that_is_recorded() -> None:
    at = machine_at(Phase.PROMPT)
    at.bounce(OWN.but(on_blocklist=True))
    assert at.phase is Phase.REFUSED
    assert the(RecordRefusal, at.done).refusal is Refusal.BLOCKED


# --- another key


def test_a_swapped_key_is_a_new_visit_and_no_digits_count() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("123456")
    at.pull()
    at.insert()
    at.type("#")
    at.cleared()
    done = at.read(OTHER)
    assert kinds(done) == ["EndVisit", "PrepareKey"]
    assert the(EndVisit, done).seen == OWN.seen
    assert (at.phase, at.screen.digits, at.screen.key, at.state.visit) == (Phase.PROMPT, 0, 101, 2)


def test_a_pool_key_replaced_by_another_is_returned() -> None:
    at = machine_at(Phase.PROMPT, which=SUBSTITUTE)
    at.pull()
    at.put_in(OTHER)
    assert the(EndVisit, at.done).returned


@pytest.mark.parametrize("phase", [Phase.CHECKING, Phase.ACTIVATING])
def test_a_swapped_key_does_not_get_the_grant_of_the_one_before(phase: Phase) -> None:
    at = machine_at(phase)
    visit = at.state.visit
    at.pull()
    at.put_in(OTHER)
    assert at.phase is Phase.PROMPT
    assert "ActivateKey" not in kinds(at.done)
    before = at.state
    assert kinds(at.feed(PinChecked(visit, OWN.seen, OWN.known, None, (TAG,), None, Attempts(1)))) == ["GiveCountBack"]
    assert at.state is before


def test_a_verdict_for_the_key_that_left_is_recorded_though_another_is_in_already() -> None:
    at = machine_at(Phase.CHECKING)
    at.pull()
    at.insert()
    assert the(RejectPin, at.wrong()).seen == OWN.seen
    at.cleared()
    at.read(OTHER)
    assert (at.screen.line, at.state.attempts) == (Line.PROMPT, Attempts())


def test_a_grant_for_the_key_that_left_is_not_for_the_one_that_is_in() -> None:
    at = machine_at(Phase.CHECKING)
    at.pull()
    at.insert()
    assert at.judged() == ()
    at.cleared()
    assert kinds(at.read(OTHER)) == ["GiveCountBack", "EndVisit", "PrepareKey"]
    assert the(GiveCountBack, at.done) == GiveCountBack(OWN.seen, begun=False)
    assert (at.phase, at.state.grant) == (Phase.PROMPT, None)


@pytest.mark.parametrize("failure", ["clear", "read"])
def test_a_key_that_cannot_be_shown_to_be_the_one_that_left_ends_its_visit(failure: str) -> None:
    at = machine_at(Phase.PROMPT, which=SUBSTITUTE)
    at.type("123456")
    at.pull()
    at.insert()
    if failure == "read":
        at.cleared()
    answer = ClearFailed(at.state.insertion, None) if failure == "clear" else ReadFailed(at.state.insertion)
    assert kinds(at.feed(answer)) == ["EndVisit"]
    assert the(EndVisit, at.done) == EndVisit(SUBSTITUTE.seen, returned=True)
    assert (at.screen.digits, at.screen.key, at.state.visit) == (0, None, 2)


@pytest.mark.parametrize("cleared", [False, True])
def test_a_contact_that_bounces_while_a_key_is_put_in_is_one_visit_from_the_beginning(*, cleared: bool) -> None:
    at = Machine()
    at.insert()
    at.type("12")
    if cleared:
        at.cleared()
    at.pull()
    at.wait(0.1)
    assert at.insert() == (ClearActivation(2),)
    assert (at.phase, at.screen.digits, at.state.visit) == (Phase.CLEARING, 0, 1)
    at.pull()
    at.wait(RETURNS_WITHIN_S + 1)
    assert kinds(at.insert()) == ["ClearActivation"]
    assert at.state.visit == 2


def test_a_key_pulled_before_it_was_cleared_may_be_any_key_and_on() -> None:
    at = machine_at(Phase.PROMPT)
    at.pull()
    assert at.line() is Line.OUT_OFF
    at.insert()
    at.pull()
    assert (at.screen.line, at.screen.still_on_until) == (Line.OUT_UNSURE, None)
    at.insert()
    at.cleared()
    at.pull()
    assert at.line() is Line.OUT_OFF


# --- after ready


def test_a_bounce_after_ready_writes_nothing() -> None:
    grant = (at := Machine()).start_shift()
    at.pull()
    assert at.insert() == (IdentifyKey(2),)
    assert (at.line(), at.screen.receipt) == (Line.READING, None)
    assert at.identified(OWN.seen) == ()
    assert at.phase is Phase.READY
    assert at.screen.receipt
    assert at.screen.receipt.expires == grant.expires
    assert "ClearActivation" in kinds(at.wait(120))


def test_bounces_do_not_extend_the_two_minutes_of_a_key_left_in() -> None:
    at = machine_at(Phase.READY)
    for second in range(1, 120):
        at.wait(0.5)
        at.pull()
        at.wait(0.25)
        at.insert()
        at.wait(0.25)
        at.identified(OWN.seen)
        assert at.phase is Phase.READY, second
        assert (at.screen.off_in_s is not None) == (120 - second <= REMINDER_S), second
    assert "ClearActivation" in kinds(at.wait(1))


def test_a_key_that_is_back_when_its_two_minutes_are_over_is_switched_off_at_once() -> None:
    at = machine_at(Phase.READY)
    at.wait(118)
    at.pull()
    at.wait(2.5)
    at.insert()
    at.identified(OWN.seen)
    assert at.screen.off_in_s == 0
    assert "ClearActivation" in kinds(at.wait(0.1))


@pytest.mark.parametrize("seen", [OTHER.seen, None])
def test_another_key_where_a_ready_one_was_is_cleared(seen: KeySeen | None) -> None:
    at = machine_at(Phase.READY, Presence.RETURNING)
    done = at.identified(seen)
    assert kinds(done) == ["EndVisit", "ClearActivation"]
    assert the(ClearActivation, done).insertion == at.state.insertion
    assert (at.phase, at.screen.receipt, at.state.visit) == (Phase.CLEARING, None, 2)


def test_a_ready_key_that_bounces_while_it_is_identified_is_still_ready() -> None:
    at = machine_at(Phase.READY, Presence.RETURNING)
    at.pull()
    # It may be another key by now, and that one may be on.
    assert (at.line(), at.screen.key, at.screen.receipt) == (Line.OUT_UNSURE, None, None)
    assert at.screen.unseen
    assert kinds(at.insert()) == ["IdentifyKey"]
    at.identified(OWN.seen)
    assert at.screen.receipt
    at.pull()
    assert at.line() is Line.OUT_READY


@pytest.mark.parametrize("phase", RETURN_TO)
def test_a_key_that_has_not_said_which_it_is_is_not_called_by_the_name_of_the_one_before(phase: Phase) -> None:
    at = machine_at(phase, Presence.RETURNING)
    for unsure in (True, False):
        shown = at.screen
        assert (shown.line, shown.key, shown.holder_name, shown.unit_name) == (Line.READING, None, None, None)
        at.pull()
        shown = at.screen
        assert (shown.line, shown.still_on_until) == (Line.OUT_UNSURE if unsure else Line.OUT_OFF, None)
        assert (shown.key, shown.holder_name, shown.receipt, shown.halfway) == (None, None, None, False)
        at.insert()
        if phase is Phase.READY:
            return
        at.cleared()


def test_digits_typed_after_ready_are_nobodys() -> None:
    at = machine_at(Phase.READY)
    at.pull()
    at.type("123")
    at.insert()
    at.type("456")
    at.identified(OWN.seen)
    assert at.screen.digits == 0


# --- interrupted activations


@pytest.mark.parametrize("seconds", [0.2, 5.0])
def test_an_interrupted_activation_goes_on_without_retyping(seconds: float) -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    assert (at.screen.line, at.screen.still_on_until) == (Line.OUT_UNSURE, NOON + 660 * 60)
    at.wait(seconds)
    assert kinds(at.insert()) == ["ClearActivation"]
    at.type("99#")
    at.cleared()
    activate = the(ActivateKey, at.read())
    assert (activate.insertion, activate.seen) == (2, OWN.seen)
    at.activated()
    assert (at.screen.line, at.screen.digits) == (Line.READY, 0)


def test_one_that_is_interrupted_again_may_be_on_again() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.bounce()
    at.pull()
    assert (at.screen.line, at.screen.still_on_until, at.screen.halfway) == (Line.OUT_UNSURE, NOON + 660 * 60, True)


def test_not_after_five_seconds() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    at.wait(5.1)
    at.put_in()
    assert at.phase is Phase.PROMPT
    assert at.state.grant is None


@pytest.mark.parametrize(
    ("which", "attempts", "refusal"),
    [
        (OWN.but(on_blocklist=True), Attempts(), Refusal.BLOCKED),
        (OWN.but_entry(locked_at=NOON), Attempts(2, locked=True), Refusal.LOCKED),
        (OWN.but(holder=None), Attempts(), Refusal.HOLDER_ENDED),
        (OWN, Attempts(11, locked=True), Refusal.LOCKED),
    ],
)
def test_it_does_not_go_on_for_a_key_refused_meanwhile(which: Key, attempts: Attempts, refusal: Refusal) -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    at.put_in(which, attempts)
    assert "ActivateKey" not in kinds(at.done)
    assert (at.screen.line, at.screen.refusal, at.state.grant) == (Line.REFUSED, refusal, None)


def test_the_right_pin_on_the_tenth_try_goes_on_too() -> None:
    at = machine_at(Phase.CHECKING)
    at.judged(failures=10, locked=True)
    at.pull()
    at.put_in(OWN, Attempts(10, locked=True))
    assert at.phase is Phase.ACTIVATING


def test_nor_at_a_station_that_can_only_switch_off_meanwhile() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    at.feed(StationChanged(replace(STATION, off_only=OffOnlyReason.CLOCK)))
    at.put_in()
    assert (at.screen.line, at.screen.refusal) == (Line.REFUSED, Refusal.STATION)


def test_pulled_between_the_read_back_and_the_word_of_it() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    assert at.activated() == ()
    assert at.line() is Line.OUT_READY
    assert kinds(at.insert()) == ["IdentifyKey"]


@pytest.mark.parametrize("is_in", [True, False])
def test_word_of_it_when_it_is_over_says_nothing_of_on(is_in: bool) -> None:
    """The program stood still for longer than the key's life."""
    at = machine_at(Phase.ACTIVATING)
    assert at.state.grant is not None
    if not is_in:
        at.pull()
    at.unix_s = at.state.grant.expires
    assert kinds(at.activated()) == (["ClearActivation"] if is_in else [])
    assert at.phase is (Phase.SWITCHING_OFF if is_in else Phase.ACTIVATING)
    assert at.line() is (Line.READING if is_in else Line.OUT_UNSURE)


def test_the_word_of_an_activation_that_never_began_says_nothing() -> None:
    at = machine_at(Phase.CHECKING)
    at.pull()
    at.judged()
    at.activated()
    assert at.line() is Line.OUT_EARLY


def test_that_of_an_insertion_before_says_nothing() -> None:
    at = machine_at(Phase.ACTIVATING)
    stale = at.state.insertion
    at.pull()
    at.insert()
    before = at.state
    assert at.feed(KeyActivated(stale)) == ()
    assert at.state is before


def test_one_that_never_went_on_gives_the_count_of_its_right_pin_back() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    assert kinds(at.wait(5.1)) == ["GiveCountBack", "EndVisit"]
    assert the(GiveCountBack, at.done).begun
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    at.activated()
    assert kinds(at.wait(5.1)) == ["EndVisit"]


def test_a_key_pulled_again_before_it_was_cleared_is_on_until_nobody_knows_when() -> None:
    at = machine_at(Phase.ACTIVATING)
    at.pull()
    at.insert()
    at.pull()
    assert (at.line(), at.screen.still_on_until) == (Line.OUT_UNSURE, None)


# --- the reader


@pytest.mark.parametrize(("phase", "presence"), TABLE)
def test_a_reader_that_fails_ends_everything_and_the_next_key_begins_anew(phase: Phase, presence: Presence) -> None:
    at = machine_at(phase, presence)
    at.type("1")
    visit = at.state.visit
    done = at.feed(ReaderFailed())
    owed = phase not in {Phase.EMPTY, Phase.BROKEN}
    assert [k for k in kinds(done) if k != "GiveCountBack"] == (["EndVisit"] if owed else [])
    assert ("GiveCountBack" in kinds(done)) == (phase is Phase.ACTIVATING)
    assert (at.screen.line, at.screen.digits) == (Line.READER_BROKEN, 0)
    assert at.feed(ReaderFailed()) == ()
    at.feed(ReaderRecovered())
    assert at.phase is Phase.EMPTY
    assert "ClearActivation" in kinds(at.insert())
    assert at.state.visit == visit + 1
    assert at.state.seen is None


@pytest.mark.parametrize(
    ("phase", "line"),
    [
        (Phase.EMPTY, Line.EMPTY),
        (Phase.CLEARING, Line.OUT_UNSURE),
        (Phase.PROMPT, Line.OUT_OFF),
        (Phase.ACTIVATING, Line.OUT_UNSURE),
        (Phase.READY, Line.OUT_READY),
        (Phase.STILL_ON, Line.OUT_UNSURE),
    ],
)
@pytest.mark.parametrize("presence", [Presence.IN, Presence.OUT])
def test_when_it_is_back_the_screen_says_what_is_known_of_the_key(phase: Phase, presence: Presence, line: Line) -> None:
    at = machine_at(phase, presence)
    at.feed(ReaderFailed())
    at.feed(ReaderRecovered())
    assert at.line() is line
    at.wait(30)
    assert at.line() is Line.EMPTY


@pytest.mark.parametrize("phase", [Phase.READY, Phase.PROMPT, Phase.STILL_ON])
def test_when_it_is_back_much_later_nothing_is_said_of_a_key_of_long_ago(phase: Phase) -> None:
    at = machine_at(phase)
    at.feed(ReaderFailed())
    at.wait(13 * 3600)
    at.feed(ReaderRecovered())
    assert (at.line(), at.screen.key) == (Line.EMPTY, None)


def test_a_key_seen_before_the_reader_said_it_was_back_is_served() -> None:
    at = machine_at(Phase.BROKEN)
    assert kinds(at.insert()) == ["ClearActivation"]


def test_nothing_activates_by_a_wrong_tag() -> None:
    at = machine_at(Phase.CHECKING)
    at.bounce()
    assert kinds(at.judged(WRONG_TAG)) == ["RejectPin"]
