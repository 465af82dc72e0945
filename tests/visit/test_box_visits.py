"""The one visit machine in the two boxes: nothing but the key's own files in one, no PIN in the other."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.records.claims import ClockSource, Role, Window
from station.rules import access
from station.rules.facts import (
    Attempts,
    BoxDecision,
    Carried,
    Grant,
    KeyEntry,
    KeyKnown,
    KeyStatus,
    Now,
    OffOnlyReason,
    PermitEntry,
    Policy,
    Refusal,
    WrongPin,
)
from station.visit.effects import AcceptPin, ActivateKey, CheckPin, PrepareKey, RecordRefusal, RejectPin, SyncDuty
from station.visit.inputs import ActivationFailed, StationChanged
from station.visit.state import Phase, State
from tests.visit.visiting import (
    ANNA,
    EMERGENCY,
    HOME,
    NOON,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    Key,
    Machine,
    kinds,
    permit,
    the,
)

BOX = replace(STATION, role=Role.ACTIVATION_BOX, mirror_age_s=None, online=False)
UPDATE_BOX = replace(STATION, role=Role.UPDATE_BOX)
NOW = Now(1000.0, NOON, ClockSource.RTC)

ASKS_PIN = BoxDecision(None)
ACTIVATES = BoxDecision(None, activates=True)


def at_box() -> Machine:
    return Machine(State(station=BOX), trust=ClockSource.RTC)


def at_update_box() -> Machine:
    return Machine(State(station=UPDATE_BOX))


def carrying(decision: BoxDecision, which: Key = OWN) -> Key:
    """A key and what a box makes of its files."""
    record = which.seen.record
    known = KeyKnown(key=KeyEntry(record, KeyStatus.ACTIVE), permit=permit(), carried=Carried({}, NOON, decision))
    return Key(which.seen, known)


# --- the activation box


@pytest.mark.parametrize("which", [OWN, SUBSTITUTE])
def test_what_the_box_finds_right_is_activated_for_the_holder_of_the_permit_on_the_key(which: Key) -> None:
    at = at_box()
    at.put_in(carrying(ASKS_PIN, which))
    assert at.line() is Line.PROMPT
    the(CheckPin, at.type("123456#"))
    grant = the(ActivateKey, at.judged(which=carrying(ACTIVATES, which))).grant
    assert (grant.holder.holder, grant.holder.unit, grant.holder.name) == (ANNA.holder, HOME, "")
    assert grant.expires == NOON + 660 * 60
    at.activated()
    assert at.phase is Phase.READY


@pytest.mark.parametrize("refusal", sorted(set(Refusal) - {Refusal.LOCKED, Refusal.WRONG_PIN}))
def test_what_it_refuses_gets_no_prompt_however_often(refusal: Refusal) -> None:
    at = at_box()
    for _turn in range(2):
        effects = at.put_in(carrying(BoxDecision(refusal)))
        assert (at.phase, at.state.refusal) == (Phase.REFUSED, refusal)
        assert the(RecordRefusal, effects).refusal is refusal
        at.type("123456#")
        at.pull()
        at.wait(6)
    assert not [e for e in at.everything if isinstance(e, CheckPin | ActivateKey)]


def test_its_wrong_pins_lock_the_key() -> None:
    at = at_box()
    at.put_in(carrying(ASKS_PIN))
    at.type("123456#")
    rejected = the(RejectPin, at.judged(which=carrying(BoxDecision(Refusal.WRONG_PIN)), failures=10, locked=True))
    assert rejected.locked
    assert at.state.refusal is Refusal.LOCKED
    at.pull()
    at.wait(6)
    at.put_in(carrying(BoxDecision(Refusal.LOCKED)), Attempts(10, locked=True))
    assert (at.phase, at.state.refusal) == (Phase.REFUSED, Refusal.LOCKED)


def test_a_right_tag_alone_is_nothing_where_the_box_has_not_found_it_right() -> None:
    at = at_box()
    at.put_in(carrying(ASKS_PIN))
    at.type("123456#")
    assert the(RejectPin, at.judged(TAG, which=carrying(BoxDecision(Refusal.WRONG_PIN)))).wrong == WrongPin()


def test_without_a_permit_to_sign_for_nothing_is_activated() -> None:
    known = replace(carrying(ACTIVATES).known, permit=None)
    assert access.decide(known, None, (TAG,), None, BOX, Policy(), NOW) == WrongPin()


def test_what_ends_while_the_person_types_is_not_judged_and_its_count_stands() -> None:
    at = at_box()
    at.put_in(carrying(ASKS_PIN))
    at.type("123456#")
    effects = at.judged(which=carrying(BoxDecision(Refusal.PERMIT_EXPIRED)))
    assert the(RecordRefusal, effects).refusal is Refusal.PERMIT_EXPIRED
    assert "AcceptPin" not in kinds(effects)


def test_a_box_without_a_clock_only_switches_off() -> None:
    at = at_box()
    at.feed(StationChanged(replace(BOX, off_only=OffOnlyReason.CLOCK)))
    at.put_in(carrying(ASKS_PIN))
    assert (at.phase, at.state.refusal) == (Phase.REFUSED, Refusal.STATION)


# --- the update box


def test_the_insertion_renews_and_the_rest_follows() -> None:
    at = at_update_box()
    at.type("123456#")
    effects = at.put_in()
    assert kinds(effects) == ["PrepareKey", "ActivateKey", "PrepareKey"]
    assert [e.sync for e in effects if isinstance(e, PrepareKey)] == [SyncDuty.WRITE, SyncDuty.WRITE]
    assert (at.phase, len(at.state.entry)) == (Phase.ACTIVATING, 0)
    assert the(ActivateKey, effects).grant.expires == NOON + 660 * 60
    at.activated()
    assert at.phase is Phase.READY
    assert not [e for e in at.everything if isinstance(e, CheckPin)]


def renewed(which: Key = OWN, own: PermitEntry | None = None) -> Grant | Refusal:
    return access.renew(which.known, own, UPDATE_BOX, Policy(), NOW)


def test_the_newer_permit_counts() -> None:
    for revision, expected in ((9, 9), (4, 5)):
        grant = renewed(own=permit(revision=revision))
        assert isinstance(grant, Grant)
        assert grant.permit.permit.revision == expected


@pytest.mark.parametrize(
    ("which", "refusal"),
    [
        (SUBSTITUTE, Refusal.NOT_PERSONAL),
        (EMERGENCY, Refusal.NOT_PERSONAL),
        (OWN.but(permit=None), Refusal.NO_PERMIT),
        (OWN.but(permit=permit(expires=NOON)), Refusal.PERMIT_EXPIRED),
        # Noon is on a Tuesday.
        (OWN.but(permit=permit(windows=(Window(1, 0, 1440),))), Refusal.OUTSIDE_WINDOW),
        (OWN.but(key=None), Refusal.UNKNOWN),
    ],
)
def test_what_it_does_not_renew(which: Key, refusal: Refusal) -> None:
    assert renewed(which) is refusal


def test_keys_of_other_units_are_not_its_own() -> None:
    assert access.renew(OWN.known, None, replace(UPDATE_BOX, unit=HOME + 1), Policy(), NOW) is Refusal.OTHER_UNIT


def test_a_key_that_it_does_not_renew_is_synchronised_and_refused_once() -> None:
    at = at_update_box()
    effects = at.put_in(SUBSTITUTE)
    assert the(PrepareKey, effects).sync is SyncDuty.WRITE
    assert the(RecordRefusal, effects).refusal is Refusal.NOT_PERSONAL
    # A bounced contact is no second refusal.
    at.pull()
    assert "RecordRefusal" not in kinds(at.put_in(SUBSTITUTE))
    assert (at.phase, at.state.refusal) == (Phase.REFUSED, Refusal.NOT_PERSONAL)


def test_blocked_keys_are_refused_before_anything_else_and_lose_their_sync() -> None:
    at = at_update_box()
    effects = at.put_in(OWN.but(on_blocklist=True))
    assert the(PrepareKey, effects).sync is SyncDuty.CLEAR
    assert the(RecordRefusal, effects).refusal is Refusal.BLOCKED


def test_news_never_lead_to_a_prompt() -> None:
    at = at_update_box()
    at.put_in(OWN.but(on_blocklist=True))
    assert at.news(OWN) == ()
    assert at.phase is Phase.REFUSED


def test_pulled_while_it_was_written_it_goes_on_without_anybody_typing() -> None:
    at = at_update_box()
    at.put_in()
    at.pull()
    assert (at.line(), at.screen.halfway) == (Line.OUT_UNSURE, True)
    at.insert()
    at.cleared()
    effects = at.read()
    assert kinds(effects) == ["ActivateKey"]
    at.activated()
    assert at.phase is Phase.READY


def test_a_key_that_does_not_take_it_is_off_and_no_pin_is_taken_back_that_was_not_typed() -> None:
    at = at_update_box()
    at.put_in()
    effects = at.feed(ActivationFailed(at.state.insertion, Refusal.KEY_FAULT))
    # It says why; there is no count to take back.
    assert the(AcceptPin, effects).refusal is Refusal.KEY_FAULT
    assert (at.phase, at.state.refusal) == (Phase.REFUSED, Refusal.KEY_FAULT)
