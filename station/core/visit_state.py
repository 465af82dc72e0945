"""What a station remembers of a visit: its phase, the key, the entry; and what a visit that ends is owed."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from station.core.entry import Entry
from station.core.events import AcceptPin, Effect, EndVisit, KeySeen
from station.core.facts import Attempts, Grant, KeyKnown, Policy, Refusal, StationFacts
from station.records.claims import KeyKind

BOUNCE_S = 3.0
"""A key back within this time goes on with its visit."""
INTERRUPTED_S = 5.0
"""The same for a visit whose PIN had been taken: nobody has to type it again."""


class Phase(StrEnum):
    """Where a visit is."""

    EMPTY = "empty"
    CLEARING = "clearing"
    READING = "reading"
    PROMPT = "prompt"
    CHECKING = "checking"
    ACTIVATING = "activating"
    READY = "ready"
    REFUSED = "refused"
    STILL_ON = "still_on"
    UNREADABLE = "unreadable"
    SWITCHING_OFF = "switching_off"
    """Left in after ready: on its way to off."""
    LEFT_IN = "left_in"
    GONE = "gone"
    """Out, but perhaps only for a moment."""
    IDENTIFYING = "identifying"
    """A key came back where a ready one had been: is it the same?"""
    BROKEN = "broken"
    """No serial port."""


@dataclass(frozen=True, slots=True)
class State:
    """All that a station remembers of the key in its socket, and of the one that just left."""

    station: StationFacts = field(default_factory=StationFacts)
    policy: Policy = field(default_factory=Policy)
    phase: Phase = Phase.EMPTY
    insertion: int = 0
    visit: int = 0
    since_s: float = 0.0
    """When this phase began, or when the key left."""
    left_as: Phase | None = None
    """The phase that the visit goes on from, should the key come back; kept while its farewell is on the screen."""
    pulled_in: Phase | None = None
    """The phase in which a key was last pulled: what is known of its ``act``. A verdict that comes in later changes
    how the visit goes on, not what is on the key."""
    entry: Entry = field(default_factory=Entry)
    submitted: bool = False
    """``#`` was typed before there was a prompt."""
    stroke_s: float = 0.0
    seen: KeySeen | None = None
    known: KeyKnown = field(default_factory=KeyKnown)
    attempts: Attempts = field(default_factory=Attempts)
    refusal: Refusal | None = None
    grant: Grant | None = None
    still_on_until: int | None = None


Result: TypeAlias = tuple[State, tuple[Effect, ...]]

PIN_TAKEN = frozenset({Phase.CHECKING, Phase.ACTIVATING})
"""The phases in which a PIN has been typed and counts."""


def patience_s(state: State) -> float:
    """For how long the key that left may come back to its visit, in seconds."""
    return INTERRUPTED_S if state.left_as in PIN_TAKEN else BOUNCE_S


def unused(state: State) -> tuple[Effect, ...]:
    """A right PIN that activates nothing after all: its count is taken back."""
    if state.seen is None or Phase.ACTIVATING not in {state.phase, state.left_as}:
        return ()
    return (AcceptPin(state.seen, state.known, Refusal.KEY_FAULT),)


def ended(state: State) -> tuple[Effect, ...]:
    """What is owed to the visit that ``state`` still remembers as gone."""
    if state.phase is not Phase.GONE:
        return ()
    pool = state.seen is not None and state.seen.record.kind is not KeyKind.PERSONAL
    home = state.seen is not None and state.seen.record.unit == state.station.unit
    end = EndVisit(state.seen, returned=pool and home and state.left_as is Phase.PROMPT)
    return (*unused(state), end)


def farewell(state: State) -> State:
    """The socket is empty; the receipt stays to be read, everything that could go on does not."""
    return replace(state, phase=Phase.EMPTY, entry=Entry(), submitted=False)


def forgotten(state: State) -> State:
    """Nothing left of any key; insertion and visit numbers go on."""
    return State(
        station=state.station,
        policy=state.policy,
        phase=state.phase,
        insertion=state.insertion,
        visit=state.visit,
        since_s=state.since_s,
        stroke_s=state.stroke_s,
    )


def as_stranger(state: State) -> tuple[State, tuple[Effect, ...]]:
    """The key in the socket cannot be shown to be the one that left, if one did: that one's visit is over."""
    if state.left_as is None:
        return forgotten(state), ()
    return replace(forgotten(state), visit=state.visit + 1), ended(replace(state, phase=Phase.GONE))
