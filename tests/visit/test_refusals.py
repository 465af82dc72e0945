"""Keys that get no prompt, wrong PINs and their waits, and news that comes in meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from station.display.screen import Line
from station.records.claims import Window
from station.rules import access
from station.rules.attempts import AttemptCount, counted, current, in_force
from station.rules.facts import Attempts, KeyKnown, KeyStatus, OffOnlyReason, Refusal, Shortened, Unfit, WrongPin
from station.visit.effects import AcceptPin, ActivateKey, CheckPin, PrepareKey, RecordRefusal, RejectPin, SyncDuty
from station.visit.inputs import StationChanged
from station.visit.state import Phase, Presence, State
from tests.visit.visiting import (
    ANNA,
    ANNA_FOUND,
    EMERGENCY,
    NOON,
    OWN,
    STATION,
    SUBSTITUTE,
    TIM_FOUND,
    WRONG_TAG,
    Key,
    Machine,
    kinds,
    machine_at,
    permit,
    the,
)

NOT_KNOWN = replace(OWN, known=KeyKnown())
HANDED_OUT_ANEW = replace(OWN.seen.record, holder=22, issued=OWN.seen.record.issued + 1)
HANDED_OUT_BEFORE = replace(HANDED_OUT_ANEW, issued=OWN.seen.record.issued)
REFUSED = [
    (NOT_KNOWN, Attempts(), Refusal.UNKNOWN, SyncDuty.LEAVE),
    # The record on the key is out of date, or the mirror is.
    (OWN.but_entry(record=HANDED_OUT_ANEW), Attempts(), Refusal.UNKNOWN, SyncDuty.CLEAR),
    (OWN.but_entry(record=HANDED_OUT_BEFORE), Attempts(), Refusal.UNKNOWN, SyncDuty.LEAVE),
    (OWN.but(on_blocklist=True), Attempts(), Refusal.BLOCKED, SyncDuty.CLEAR),
    (OWN.but_entry(status=KeyStatus.BLOCKED), Attempts(), Refusal.BLOCKED, SyncDuty.CLEAR),
    (OWN.but_entry(status=KeyStatus.RETURNED), Attempts(), Refusal.RETURNED, SyncDuty.CLEAR),
    (OWN, Attempts(10, locked=True), Refusal.LOCKED, SyncDuty.CLEAR),
    (OWN.but(holder=replace(ANNA, ended=True)), Attempts(), Refusal.HOLDER_ENDED, SyncDuty.CLEAR),
]


def off_only_station(off_only: OffOnlyReason = OffOnlyReason.CLOCK) -> Machine:
    return Machine(State(station=replace(STATION, off_only=off_only)))


# --- before any PIN


@pytest.mark.parametrize(("which", "attempts", "refusal", "duty"), REFUSED)
@pytest.mark.parametrize("able", [True, False])
def test_refused_before_any_pin(which: Key, attempts: Attempts, refusal: Refusal, duty: SyncDuty, able: bool) -> None:
    at = Machine() if able else off_only_station()
    at.insert()
    at.cleared()
    at.type("123456#")
    assert kinds(at.read(which, attempts)) == ["PrepareKey", "RecordRefusal"]
    # A station that can only switch off still clears the `sync` of a key that is known not to qualify.
    assert the(PrepareKey, at.done).sync is duty
    assert the(RecordRefusal, at.done).refusal is refusal
    assert (at.line(), at.screen.refusal, at.screen.digits) == (Line.REFUSED, refusal, 0)
    at.type("123456#")
    at.pull()
    assert at.line() is Line.OUT_OFF
    assert not [e for e in at.everything if isinstance(e, CheckPin)]


@pytest.mark.parametrize("off_only", sorted(set(OffOnlyReason) - {OffOnlyReason.STARTING}))
def test_a_station_that_can_only_switch_off(off_only: OffOnlyReason) -> None:
    at = off_only_station(off_only)
    assert (at.line(), at.screen.status.off_only) == (Line.EMPTY, off_only)
    at.put_in()
    assert the(PrepareKey, at.done).sync is SyncDuty.LEAVE
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.STATION)


# --- news while the key is in


# A key that was handed on is first read anew: see test_hand_out.
ASKED_ANEW = [case for case in REFUSED if access.handed_on(OWN.seen.record, case[0].known)]


@pytest.mark.parametrize(("which", "attempts", "refusal", "duty"), [case for case in REFUSED if case not in ASKED_ANEW])
def test_news_refuse_a_key_at_the_prompt(which: Key, attempts: Attempts, refusal: Refusal, duty: SyncDuty) -> None:
    at = machine_at(Phase.PROMPT)
    at.type("1234")
    at.news(which, attempts)
    assert kinds(at.done) == ["PrepareKey", "RecordRefusal"]
    assert the(PrepareKey, at.done).sync is duty
    assert (at.line(), at.screen.refusal, at.screen.digits) == (Line.REFUSED, refusal, 0)


@pytest.mark.parametrize(("which", "attempts", "refusal", "duty"), REFUSED)
def test_news_lift_a_refusal(which: Key, attempts: Attempts, refusal: Refusal, duty: SyncDuty) -> None:
    at = Machine()
    at.put_in(which, attempts)
    at.news(OWN)
    assert the(PrepareKey, at.done).sync is SyncDuty.WRITE
    assert at.line() is Line.PROMPT
    at.type("123456#")
    assert at.phase is Phase.CHECKING


def test_a_prompt_that_news_give_back_says_nothing_of_a_wrong_pin_before() -> None:
    at = machine_at(Phase.CHECKING)
    at.wrong()
    at.news(OWN.but(on_blocklist=True))
    at.news(OWN)
    assert (at.line(), at.screen.refusal) == (Line.PROMPT, None)


def test_news_that_say_the_same_change_no_refusal() -> None:
    at = machine_at(Phase.REFUSED)
    at.news(OWN.but(on_blocklist=True))
    assert (at.done, at.screen.refusal) == ((), Refusal.BLOCKED)


def test_news_may_give_a_refusal_another_reason() -> None:
    at = Machine()
    at.put_in(NOT_KNOWN)
    at.news(OWN.but(on_blocklist=True))
    assert the(PrepareKey, at.done).sync is SyncDuty.CLEAR
    assert the(RecordRefusal, at.done).refusal is at.screen.refusal is Refusal.BLOCKED


def test_news_without_consequence_keep_the_digits() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("1234")
    at.news(OWN, Attempts(1))
    assert (at.done, at.screen.digits, at.state.attempts) == ((), 4, Attempts(1))


def test_news_lift_the_lack_of_a_mirror_once_the_station_can() -> None:
    at = off_only_station(OffOnlyReason.NO_MIRROR)
    at.put_in(NOT_KNOWN)
    at.news(OWN)
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.STATION)
    at.feed(StationChanged(STATION))
    at.news(OWN)
    assert at.line() is Line.PROMPT


@pytest.mark.parametrize("refusal", [Refusal.PERMIT_EXPIRED, Refusal.OUTSIDE_WINDOW])
def test_news_do_not_turn_a_pin_that_is_used_up_into_a_prompt(refusal: Refusal) -> None:
    at = machine_at(Phase.CHECKING)
    claims: dict[str, Any] = {"expires": NOON} if refusal is Refusal.PERMIT_EXPIRED else {"windows": (Window(1, 0, 9),)}
    at.judged(which=OWN.but(permit=permit(**claims)))
    at.news(OWN)
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, refusal)


def test_news_of_a_key_that_nobody_has_read_do_nothing() -> None:
    at = Machine(State(station=STATION, phase=Phase.PROMPT, presence=Presence.IN))
    at.news(OWN)
    assert at.done == ()
    assert at.type("123456#") == ()


# --- wrong PINs


def test_one_wording_for_every_wrong_pin() -> None:
    at = machine_at(Phase.CHECKING)
    assert kinds(at.wrong()) == ["RejectPin"]
    assert (at.line(), at.screen.refusal) == (Line.WRONG_PIN, Refusal.WRONG_PIN)
    at.type("1")
    assert (at.line(), at.screen.refusal) == (Line.PROMPT, None)


def test_waits_and_the_lock_at_the_tenth() -> None:
    at = Machine()
    at.put_in()
    count = AttemptCount(100)
    entry = OWN.known.key
    waits = []
    for failures in range(1, 11):
        at.type("111111#")
        assert at.phase is Phase.CHECKING
        count = counted(current(count, entry, at.unix_s), entry, at.unix_s)
        meant = in_force(count, entry, at.mono_s)
        at.wrong(failures, wait_s=max(0.0, meant.wait_until_s - at.mono_s), locked=meant.locked)
        if at.line() is Line.WAIT:
            waits.append(wait_s := at.screen.wait_s)
            assert wait_s
            at.type("123456#")
            assert (at.phase, at.screen.digits) == (Phase.PROMPT, 0)
            at.wait(wait_s - 0.5)
            assert at.screen.wait_s == 1
            at.wait(0.5)
            assert at.line() is Line.PROMPT
    assert waits == [5, 15, 30, 60, 120, 300]
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.LOCKED)
    assert kinds(at.done) == ["RejectPin", "PrepareKey"]
    assert the(RejectPin, at.done).locked
    # An activation box goes by the key's `sync`.
    assert the(PrepareKey, at.done).sync is SyncDuty.CLEAR


def test_the_wait_runs_on_while_the_key_is_out_and_another_is_served() -> None:
    at = machine_at(Phase.CHECKING)
    at.wrong(5, wait_s=15)
    kept = at.state.attempts
    at.pull()
    at.wait(4)
    at.put_in(SUBSTITUTE)
    assert at.line() is Line.PROMPT
    at.pull()
    at.wait(4)
    at.put_in(OWN, kept)
    assert (at.line(), at.screen.wait_s) == (Line.WAIT, 7)


def test_a_pin_typed_ahead_during_the_wait_does_not_count() -> None:
    at = Machine()
    at.insert()
    at.type("123456#")
    at.cleared()
    at.read(OWN, Attempts(4, at.mono_s + 5))
    assert (at.line(), at.screen.digits) == (Line.WAIT, 0)


def test_the_right_pin_on_the_tenth_try_activates() -> None:
    at = machine_at(Phase.CHECKING)
    assert kinds(at.judged(failures=10, locked=True)) == ["ActivateKey"]


def test_not_on_the_eleventh() -> None:
    at = machine_at(Phase.CHECKING)
    at.judged(failures=11, locked=True)
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.LOCKED)


def test_central_unlocks() -> None:
    at = Machine()
    at.put_in(OWN, Attempts(10, locked=True))
    at.news(OWN.but_entry(unlocked_at=NOON))
    assert at.line() is Line.PROMPT


@pytest.mark.parametrize(
    ("which", "refusal"),
    [
        (OWN.but_entry(locked_at=NOON), Refusal.LOCKED),
        (OWN.but(on_blocklist=True), Refusal.BLOCKED),
        (OWN.but_entry(status=KeyStatus.RETURNED), Refusal.RETURNED),
        (OWN.but(holder=replace(ANNA, ended=True)), Refusal.HOLDER_ENDED),
    ],
)
def test_news_that_come_in_with_the_verdict_win_and_the_count_stands(which: Key, refusal: Refusal) -> None:
    at = machine_at(Phase.CHECKING)
    assert kinds(at.judged(which=which, failures=3)) == ["RecordRefusal", "PrepareKey"]
    assert the(PrepareKey, at.done).sync is SyncDuty.CLEAR
    assert (at.line(), at.screen.refusal, at.state.attempts.failures) == (Line.REFUSED, refusal, 3)


@pytest.mark.parametrize(
    ("which", "found", "refusal"),
    [
        (SUBSTITUTE, ANNA_FOUND, Unfit.NOT_HOURLY),
        (EMERGENCY, TIM_FOUND, Unfit.NOT_PERMANENT),
        (SUBSTITUTE, replace(TIM_FOUND, permits=()), Unfit.NO_PERMIT),
        (SUBSTITUTE.but(unit=None), replace(TIM_FOUND, holder=replace(TIM_FOUND.holder, unit=8)), Unfit.CLOSED_UNIT),
    ],
)
def test_a_right_pin_that_may_not_use_a_pool_key_looks_like_one_that_nobody_has(
    which: Key, found: Any, refusal: Unfit
) -> None:
    nobodys = machine_at(Phase.CHECKING, which=which)
    assert the(RejectPin, nobodys.judged(WRONG_TAG, which=which)).wrong == WrongPin()
    at = machine_at(Phase.CHECKING, which=which)
    assert the(RejectPin, at.judged(which=which, person=found)).wrong == WrongPin(found.holder.holder, refusal)
    assert at.state.attempts == nobodys.state.attempts
    assert at.screen == nobodys.screen
    assert (at.line(), at.screen.refusal, at.state.attempts.failures) == (Line.WRONG_PIN, Refusal.WRONG_PIN, 1)


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"expires": NOON}, Refusal.PERMIT_EXPIRED),
        ({"not_before": NOON + 1}, Refusal.PERMIT_EXPIRED),
        ({"windows": (Window(1, 0, 1440),)}, Refusal.OUTSIDE_WINDOW),
    ],
)
def test_a_right_pin_that_activates_nothing_is_not_counted(claims: Any, refusal: Refusal) -> None:
    at = machine_at(Phase.CHECKING)
    assert kinds(at.judged(which=OWN.but(permit=permit(**claims)))) == ["AcceptPin"]
    assert the(AcceptPin, at.done).refusal is refusal
    assert (at.line(), at.screen.refusal, at.state.attempts.failures) == (Line.REFUSED, refusal, 0)


# --- the station


def test_a_reason_to_only_switch_off_that_begins_at_the_prompt_judges_and_activates_nothing() -> None:
    at = machine_at(Phase.PROMPT)
    at.feed(StationChanged(replace(STATION, off_only=OffOnlyReason.MIRROR_TOO_OLD)))
    assert at.screen.status.off_only is OffOnlyReason.MIRROR_TOO_OLD
    at.type("111111#")
    assert kinds(at.judged(WRONG_TAG)) == ["RejectPin"]
    at.type("123456#")
    assert the(AcceptPin, at.judged()).refusal is Refusal.STATION
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.STATION)


def test_a_pin_that_cannot_be_counted_is_not_looked_at() -> None:
    at = machine_at(Phase.CHECKING)
    assert kinds(at.check_failed()) == []
    assert (at.line(), at.screen.refusal) == (Line.REFUSED, Refusal.STATION)


@pytest.mark.parametrize(
    ("claims", "certificate_expires", "seconds", "shortened"),
    [
        ({}, NOON + 9 * 86400, 660 * 60, None),
        ({"windows": (Window(127, 0, 900),)}, NOON + 9 * 86400, 3 * 3600, Shortened.WINDOW),
        ({"expires": NOON + 600}, NOON + 9 * 86400, 600, Shortened.PERMIT),
        ({}, NOON + 60, 60, Shortened.CERTIFICATE),
    ],
)
def test_the_receipt_says_why_it_ends_early(
    claims: Any, certificate_expires: int, seconds: int, shortened: Shortened | None
) -> None:
    at = Machine(State(station=replace(STATION, certificate_expires=certificate_expires)))
    at.put_in()
    at.type("123456#")
    grant = the(ActivateKey, at.judged(which=OWN.but(permit=permit(**claims)))).grant
    assert (grant.expires, grant.shortened) == (NOON + seconds, shortened)
    at.activated()
    receipt = at.screen.receipt
    assert receipt
    assert (receipt.expires, receipt.shortened) == (NOON + seconds, shortened)


def test_a_station_without_data_does_not_call_a_genuine_key_unknown() -> None:
    nothing = replace(STATION, off_only=OffOnlyReason.NO_MIRROR, knows_keys=False, mirror_age_s=None)
    at = Machine(State(station=nothing))
    at.put_in(Key(OWN.seen, KeyKnown()))
    assert (at.line(), at.screen.refusal, at.screen.key) == (Line.REFUSED, Refusal.STATION, 100)
    assert the(RecordRefusal, at.done).refusal is Refusal.STATION
    assert the(PrepareKey, at.done).sync is SyncDuty.LEAVE
    # Its data come while the key is in.
    at.feed(StationChanged(STATION))
    at.news(OWN)
    assert at.line() is Line.PROMPT
    at.news(Key(OWN.seen, KeyKnown()))
    assert at.screen.refusal is Refusal.UNKNOWN


def test_a_blocked_key_says_since_when_also_when_it_is_out() -> None:
    at = Machine()
    at.put_in(OWN.but_entry(status=KeyStatus.BLOCKED, blocked_at=5))
    assert (at.screen.refusal, at.screen.blocked_at) == (Refusal.BLOCKED, 5)
    at.pull()
    at.wait(6)
    assert (at.line(), at.screen.blocked_at) == (Line.OUT_OFF, 5)
    at.put_in(OWN.but_entry(status=KeyStatus.RETURNED, blocked_at=5))
    assert (at.screen.refusal, at.screen.blocked_at) == (Refusal.RETURNED, None)
