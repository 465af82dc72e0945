"""Every phase × every event, from states that can happen, in several variants each."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from station.core.events import (
    ActivateKey,
    ActivationCleared,
    ActivationFailed,
    Answer,
    ClearFailed,
    Event,
    KeyActivated,
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
    ReportUnexpected,
    StationChanged,
    TimePassed,
)
from station.core.facts import Attempts, Hindrance, Now, Refusal
from station.core.visit import TABLE, step
from station.core.visit_state import Phase, State
from station.display.screen import Line
from station.display.snapshot import screen
from tests.core.visiting import (
    NOON,
    OTHER,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    TIM_FOUND,
    WRONG_TAG,
    Desk,
    desk,
    permit,
)

EVENTS: tuple[type[Event], ...] = get_args(Event)
PAIRS = [(phase, kind) for phase in Phase for kind in EVENTS]
BLOCKED = OWN.but(on_blocklist=True)
LOCKED = Attempts(10, 0.0, locked=True)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(Phase)
    for phase, rows in TABLE.items():
        assert set(rows) == set(EVENTS), phase


def _left_as(phase: Phase, *then: Callable[[Desk], object]) -> Desk:
    at = desk(phase)
    for doing in then:
        doing(at)
    return at


def _typed(phase: Phase, strokes: str) -> Desk:
    at = desk(phase)
    at.type(strokes)
    return at


def _hindered(phase: Phase) -> Desk:
    at = desk(phase)
    at.feed(StationChanged(replace(STATION, hindrance=Hindrance.CLOCK)))
    return at


def _desks(phase: Phase) -> Iterator[Desk]:
    """Ways to be in ``phase``: fresh, typed at, hindered, on the way back from every other phase."""
    yield desk(phase)
    yield _typed(phase, "12")
    if phase is not Phase.PROMPT:
        yield _typed(phase, "12#")
    yield _hindered(phase)
    yield desk(phase, SUBSTITUTE)
    present = [p for p in Phase if p not in {Phase.EMPTY, Phase.GONE, Phase.BROKEN}]
    back: dict[Phase, list[Callable[[Desk], object]]] = {
        Phase.GONE: [Desk.pull],
        Phase.CLEARING: [Desk.pull, Desk.insert],
        Phase.READING: [Desk.pull, Desk.insert, Desk.cleared],
        Phase.EMPTY: [Desk.pull, lambda at: at.wait(6)],
        Phase.BROKEN: [lambda at: at.feed(ReaderFailed())],
    }
    for before in present if phase in back else []:
        at = _left_as(before, *back[phase])
        # A ready key that is back is not cleared: it does not come this way.
        if at.phase is phase:
            yield at
    if phase in {Phase.GONE, Phase.CLEARING, Phase.READING}:
        for verdict in (Desk.judged, Desk.wrong):
            yield _left_as(Phase.CHECKING, *back[phase], verdict)
    if phase is Phase.REFUSED:
        yield _left_as(Phase.CHECKING, lambda at: at.judged(which=OWN.but(permit=permit(expires=NOON))))
        yield _left_as(Phase.ACTIVATING, lambda at: at.feed(ActivationFailed(1, Refusal.KEY_FAULT)))
        yield _left_as(Phase.CHECKING, lambda at: at.wrong(10, locked=True))


@dataclass(frozen=True)
class Variant:
    """An event, and how much later it happens."""

    event: Event
    later_s: float = 0.1


def _variants(kind: type[Event], state: State) -> list[Variant]:
    insertion, visit = state.insertion, state.visit
    events: dict[type[Event], list[Event]] = {
        KeyInserted: [KeyInserted()],
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
        KeyIdentified: [KeyIdentified(insertion, w) for w in (OWN.seen, OTHER.seen, None)],
        KeyActivated: [KeyActivated(insertion)],
        ActivationFailed: [ActivationFailed(insertion, r) for r in (Refusal.KEY_FAULT, Refusal.STATION)],
        MirrorRefreshed: [
            MirrorRefreshed(insertion, which.known, attempts)
            for which in (OWN, BLOCKED, SUBSTITUTE)
            for attempts in (Attempts(), LOCKED)
        ],
        PinChecked: [
            PinChecked(visit, which.known, person, tag, own, attempts)
            for which in (OWN, BLOCKED, OWN.but(permit=permit(expires=NOON)), SUBSTITUTE)
            for person in (None, TIM_FOUND)
            for tag in (TAG, WRONG_TAG)
            for own in (None, permit(revision=9))
            for attempts in (Attempts(1), LOCKED)
        ],
        PinCheckFailed: [PinCheckFailed(visit)],
        KeystrokeTyped: [KeystrokeTyped(s) for s in "05*#\bx"],
        TimePassed: [TimePassed()],
        StationChanged: [StationChanged(STATION), StationChanged(replace(STATION, hindrance=Hindrance.CLOCK))],
    }
    return [Variant(event, later_s) for event in events[kind] for later_s in (0.1, 4.0, 40.0, 400.0)]


def _may_activate(before: State, event: Event) -> bool:
    """The only ways to an activation: a right verdict at the key, or going on after one."""
    if isinstance(event, PinChecked):
        return before.phase is Phase.CHECKING and event.pin_tag == TAG
    return (
        isinstance(event, KeyRead)
        and before.phase is Phase.READING
        and before.left_as is Phase.ACTIVATING
        and before.grant is not None
        and before.seen is not None
        and before.seen.id_record == event.seen.id_record
    )


def _checked(at: Desk, variant: Variant) -> Phase:
    """Where the event leads, after a look at what must hold for every step."""
    before = at.state
    now = Now(at.mono_s + variant.later_s, at.unix_s + int(variant.later_s), at.trust)
    after, effects = step(before, variant.event, now)
    row = TABLE[before.phase][type(variant.event)]
    assert after.phase in row.targets | {before.phase}
    assert after.insertion - before.insertion in {0, 1}
    assert after.visit - before.visit in {0, 1}
    if any(isinstance(e, ActivateKey) for e in effects):
        assert _may_activate(before, variant.event), (before, variant)
    assert isinstance(screen(after, now).line, Line)
    return after.phase


def _visit(phase: Phase) -> dict[type[Event], set[Phase]]:
    """Feed every event to every way of being in ``phase``: which event led where."""
    reached: dict[type[Event], set[Phase]] = {}
    for at in _desks(phase):
        for kind in EVENTS:
            for variant in _variants(kind, at.state):
                reached.setdefault(kind, set()).add(_checked(at, variant))
    return reached


@pytest.mark.parametrize("phase", Phase)
def test_every_event_in(phase: Phase) -> None:
    reached = _visit(phase)
    # A target that nothing leads to would be a line in the diagram that is not true.
    for kind, row in TABLE[phase].items():
        assert row.targets <= reached[kind], f"{phase} {kind.__name__}: {row.targets - reached[kind]} never reached"


def test_every_pair_is_visited(capsys: pytest.CaptureFixture[str]) -> None:
    visited = {(phase, kind) for phase in Phase for kind in _visit(phase)}
    with capsys.disabled():
        sys.stdout.write(f"\nvisit machine: {len(visited)} of {len(PAIRS)} phase × event pairs visited\n")
    assert visited == set(PAIRS)


@pytest.mark.parametrize("phase", Phase)
def test_stale_answers_change_nothing(phase: Phase) -> None:
    for at in _desks(phase):
        for kind in EVENTS:
            for variant in _variants(kind, at.state):
                event = variant.event
                for off in (-1, 1):
                    if isinstance(event, Answer):
                        stale: Event = replace(event, insertion=event.insertion + off)
                    elif isinstance(event, PinChecked | PinCheckFailed):
                        stale = replace(event, visit=event.visit + off)
                    else:
                        continue
                    after, effects = step(at.state, stale, at.now)
                    assert after is at.state
                    assert effects == ()


@pytest.mark.parametrize(("phase", "kind"), PAIRS, ids=lambda p: p if isinstance(p, str) else p.__name__)
def test_what_cannot_happen_is_reported_and_does_nothing_else(phase: Phase, kind: type[Event]) -> None:
    at = desk(phase)
    for variant in _variants(kind, at.state):
        after, effects = step(at.state, variant.event, at.now)
        if any(isinstance(e, ReportUnexpected) for e in effects):
            assert effects == (ReportUnexpected(phase.value, kind.__name__),)
            assert after is at.state
            assert not TABLE[phase][kind].targets
