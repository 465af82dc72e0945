"""Every place × every input, from states that can happen, in several variants each."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import get_args

import pytest

from station.display.screen import Line
from station.display.snapshot import screen
from station.records.claims import Role
from station.rules.facts import Attempts, Now, OffOnlyReason, Refusal
from station.rules.hand_out import HandOutTold
from station.visit.effects import ActivateKey, ReportUnexpected
from station.visit.inputs import (
    ActivationCleared,
    ActivationFailed,
    Answer,
    ClearFailed,
    HandedOut,
    HandOutFailed,
    KeyActivated,
    KeyBlank,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
    PinCheckFailed,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    StationChanged,
    TimePassed,
    VisitInput,
)
from station.visit.machine import TABLE, report, step
from station.visit.state import KeyIs, Phase, Place, Presence, State
from tests.visit.visiting import (
    CODE,
    NOON,
    OTHER,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    TIM_FOUND,
    WRONG_TAG,
    Machine,
    handed_on,
    machine_at,
    permit,
)

INPUTS: tuple[type[VisitInput], ...] = get_args(VisitInput)
PAIRS = [(place, kind) for place in TABLE for kind in INPUTS]
BLOCKED = OWN.but(on_blocklist=True)
EXPIRED = OWN.but(permit=permit(expires=NOON))
HANDED_ON = handed_on(OWN)
LOCKED = Attempts(10, 0.0, locked=True)
UPDATE_BOX = replace(STATION, role=Role.UPDATE_BOX)
HINDERED = replace(STATION, off_only=OffOnlyReason.CLOCK)

Doing = Callable[[Machine], object]


def _name(value: Place | type[VisitInput]) -> str:
    return ", ".join(value) if isinstance(value, tuple) else value.__name__


each_place = pytest.mark.parametrize("place", TABLE, ids=_name)


def test_the_table_is_complete() -> None:
    for place, rows in TABLE.items():
        assert set(rows) == set(INPUTS), place
    assert {phase for phase, _ in TABLE} == set(Phase)


def test_there_is_no_other_place() -> None:
    """That each target can be reached is tested below."""
    targets = {target for rows in TABLE.values() for row in rows.values() for target in row.targets}
    assert targets | {State().place} == set(TABLE)


ON_THE_WAY: list[list[Doing]] = [
    [],
    [lambda at: at.type("12")],
    [lambda at: at.type("12#")],
    [lambda at: at.type(CODE)],
    [lambda at: at.feed(StationChanged(HINDERED))],
    [lambda at: at.feed(StationChanged(UPDATE_BOX))],
]
VERDICTS: list[Doing] = [Machine.judged, Machine.wrong, Machine.check_failed, lambda at: at.judged(which=EXPIRED)]


def _machines(place: Place) -> Iterator[Machine]:
    """Ways to be there: fresh, typed at, where it is off-only, at an update box; by a verdict; after every place."""
    for at in _candidates(*place):
        if at.state.place == place:
            yield at


def _candidates(phase: Phase, presence: Presence) -> Iterator[Machine]:
    for then in ON_THE_WAY:
        yield _after(phase, presence, *then)
        if presence is Presence.RETURNING and phase is not Phase.READY:
            yield _after(phase, presence, *then, Machine.cleared)
    yield machine_at(phase, presence, SUBSTITUTE)
    for verdict in [*VERDICTS, lambda at: at.wrong(10, locked=True)]:
        yield _after(Phase.CHECKING, presence, verdict)
        if presence is Presence.RETURNING:
            yield _after(Phase.CHECKING, presence, Machine.cleared, verdict)
    yield _after(Phase.ACTIVATING, presence, lambda at: at.feed(ActivationFailed(1, Refusal.KEY_FAULT)))
    if phase is Phase.EMPTY:
        for before, there in TABLE:
            if there is Presence.OUT:
                yield _after(before, there, lambda at: at.wait(6))
    if phase is Phase.BROKEN:
        for before, there in TABLE:
            yield _after(before, there, lambda at: at.feed(ReaderFailed()))


def _after(phase: Phase, presence: Presence, *then: Doing) -> Machine:
    at = machine_at(phase, presence)
    for doing in then:
        doing(at)
    return at


DAY_S = 86_400.0


@dataclass(frozen=True)
class Variant:
    """An input, and how much later it comes."""

    received: VisitInput
    later_s: float = 0.1


def _variants(kind: type[VisitInput], state: State) -> list[Variant]:
    insertion, visit = state.insertion, state.visit
    inputs: dict[type[VisitInput], list[VisitInput]] = {
        KeyInserted: [KeyInserted(insertion + 1)],
        KeyRemoved: [KeyRemoved()],
        ReaderFailed: [ReaderFailed()],
        ReaderRecovered: [ReaderRecovered()],
        ActivationCleared: [ActivationCleared(insertion)],
        ClearFailed: [ClearFailed(insertion, until) for until in (None, NOON + 60)],
        KeyRead: [
            KeyRead(insertion, which.seen, which.known, attempts)
            for which in (OWN, OTHER, BLOCKED, SUBSTITUTE)
            for attempts in (Attempts(), LOCKED, Attempts(4, 2000.0))
        ],
        ReadFailed: [ReadFailed(insertion)],
        KeyBlank: [KeyBlank(insertion)],
        HandedOut: [HandedOut(insertion, OWN.seen, OWN.known)],
        HandOutFailed: [HandOutFailed(insertion, HandOutTold.BAD_CODE), HandOutFailed(insertion, None, 900.0)],
        KeyIdentified: [KeyIdentified(insertion, w) for w in (OWN.seen, OTHER.seen, None)],
        KeyActivated: [KeyActivated(insertion)],
        ActivationFailed: [ActivationFailed(insertion, r) for r in (Refusal.KEY_FAULT, Refusal.STATION)],
        MirrorRefreshed: [
            MirrorRefreshed(insertion, which.known, attempts)
            for which in (OWN, BLOCKED, SUBSTITUTE, HANDED_ON)
            for attempts in (Attempts(), LOCKED)
        ],
        PinChecked: [
            PinChecked(visit, which.seen, which.known, person, (tag,), own, attempts)
            for which in (OWN, BLOCKED, EXPIRED, SUBSTITUTE)
            for person in (None, TIM_FOUND)
            for tag in (TAG, WRONG_TAG)
            for own in (None, permit(revision=9))
            for attempts in (Attempts(1), LOCKED)
        ],
        PinCheckFailed: [PinCheckFailed(visit, OWN.seen)],
        KeystrokeTyped: [KeystrokeTyped(s) for s in "05*#\bx"],
        TimePassed: [TimePassed()],
        StationChanged: [StationChanged(STATION), StationChanged(HINDERED)],
    }
    # An activation may be over before there is word of it.
    later = (0.1, 4.0, 400.0, *([DAY_S] if kind is KeyActivated else []))
    return [Variant(received, later_s) for received in inputs[kind] for later_s in later]


def _may_activate(before: State, received: VisitInput) -> bool:
    """The only ways to an activation: a right verdict at the key, going on after one, an update box's insertion."""
    if isinstance(received, PinChecked):
        return before.place == (Phase.CHECKING, Presence.IN) and received.pin_tags == (TAG,)
    if not isinstance(received, KeyRead) or before.act is not KeyIs.OFF:
        return False
    same = before.seen is not None and before.seen.id_record == received.seen.id_record
    goes_on = before.place == (Phase.ACTIVATING, Presence.RETURNING) and before.grant is not None and same
    renews = before.station.role is Role.UPDATE_BOX and received.known.key is not None
    return goes_on or renews


def _checked(at: Machine, variant: Variant) -> Place:
    """Where the input leads, after a look at what must hold for every step."""
    before, received = at.state, variant.received
    now = Now(at.mono_s + variant.later_s, at.unix_s + int(variant.later_s), at.trust)
    after, effects = step(before, received, now)
    row = TABLE[before.place][type(received)]
    assert after.place in row.targets | {before.place}
    assert after.insertion - before.insertion == isinstance(received, KeyInserted) * (after is not before)
    assert after.visit - before.visit in {0, 1}
    if any(isinstance(e, ActivateKey) for e in effects):
        assert _may_activate(before, received), (before, variant)
    reported = tuple(e for e in effects if isinstance(e, ReportUnexpected))
    if reported:
        assert effects == reported == (ReportUnexpected(*before.place, type(received).__name__),)
        assert after is before
    assert bool(reported) or row.handler is not report
    assert isinstance(screen(after, now).line, Line)
    return after.place


@cache
def _visit(place: Place) -> dict[type[VisitInput], set[Place]]:
    """Give every input to every way of being there: which input led where."""
    reached: dict[type[VisitInput], set[Place]] = {}
    for at in _machines(place):
        for kind in INPUTS:
            for variant in _variants(kind, at.state):
                reached.setdefault(kind, set()).add(_checked(at, variant))
    return reached


@pytest.mark.slow
@each_place
def test_every_input_at(place: Place) -> None:
    reached = _visit(place)
    # A target that nothing leads to would be a line in the diagram that is not true.
    for kind, row in TABLE[place].items():
        assert row.targets <= reached[kind], f"{place} {kind.__name__}: {row.targets - reached[kind]} never reached"


@pytest.mark.slow
def test_every_pair_is_visited(capsys: pytest.CaptureFixture[str]) -> None:
    visited = {(place, kind) for place in TABLE for kind in _visit(place)}
    with capsys.disabled():
        sys.stdout.write(f"\nvisit machine: {len(visited)} of {len(PAIRS)} pairs of place and input visited\n")
    assert visited == set(PAIRS)


@pytest.mark.slow
@each_place
def test_stale_answers_change_nothing(place: Place) -> None:
    for at in _machines(place):
        for variant in (v for kind in INPUTS for v in _variants(kind, at.state)):
            received = variant.received
            for off in (-1, 1):
                if isinstance(received, Answer):
                    after, effects = step(at.state, replace(received, insertion=received.insertion + off), at.now)
                    assert effects == ()
                elif isinstance(received, PinChecked | PinCheckFailed):
                    # What it counts for is owed all the same, see test_visit_late_verdicts.
                    after, effects = step(at.state, replace(received, visit=received.visit + off), at.now)
                    assert not [e for e in effects if isinstance(e, ActivateKey)]
                else:
                    continue
                assert after is at.state
