"""What a station remembers of a visit: where it is, whether the key is there, what has been typed, what is owed."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from station.records.claims import KeyKind
from station.rules.facts import Attempts, Grant, KeyKnown, Policy, Refusal, StationFacts
from station.rules.hand_out import HandOutTold
from station.visit.effects import Effect, EndVisit, GiveCountBack, ReportUnexpected
from station.visit.entry import Entry
from station.visit.inputs import KeySeen, VisitInput

RETURNS_WITHIN_S = 3.0
"""A key back within this time goes on with its visit."""
RETURNS_WITHIN_AFTER_PIN_S = 5.0
"""The same for a visit whose PIN had been taken: nobody has to type it again."""


class Phase(StrEnum):
    """Where a visit is, or goes on from should the key come back."""

    EMPTY = "empty"
    """No visit."""
    CLEARING = "clearing"
    """The key is being switched off."""
    READING = "reading"
    """The key is off, and is being asked which it is."""
    PROMPT = "prompt"
    """A PIN may be typed."""
    CHECKING = "checking"
    """A PIN is being checked."""
    ACTIVATING = "activating"
    READY = "ready"
    """The key is on."""
    REFUSED = "refused"
    """The key is off; `State.refusal` says why it stays so."""
    STILL_ON = "still_on"
    """The key could not be switched off."""
    UNREADABLE = "unreadable"
    """The key is off and does not say which it is."""
    BLANK = "blank"
    """The key is off and nobody's yet; the code that hands it out may be typed."""
    HANDING_OUT = "handing_out"
    """Central is asked whose key it becomes, and that is written to it."""
    HANDED_OUT = "handed_out"
    """The key says which it is from now on, and is off."""
    SWITCHING_OFF = "switching_off"
    """The key was left in after ready, and is being switched off again."""
    LEFT_IN = "left_in"
    """The key was left in after ready, and is off again."""
    BROKEN = "broken"
    """No reader."""


class Presence(StrEnum):
    """Whether the key of the visit is in the socket."""

    IN = "in"
    OUT = "out"
    """There is no key. In a visit: it was taken out a moment ago, and may come back."""
    RETURNING = "returning"
    """A key is back in time, and has not shown yet that it is the same one."""


Place: TypeAlias = tuple[Phase, Presence]
"""A row of the machine's table."""


class KeyIs(StrEnum):
    """What is known of a key's activation (its file ``act``) in this insertion."""

    OFF = "off"
    ON = "on"
    UNSURE = "unsure"
    """Not looked at yet, or being written, or being cleared, or not to be cleared."""


class KeyLeft(StrEnum):
    """How a key was when it was taken out."""

    OFF = "off"
    ON = "on"
    TOO_EARLY = "too_early"
    """Off, while its PIN was being checked."""
    HANDING_OUT = "handing_out"
    """Off, while it was being handed out: it is still blank, or says already which it is."""
    UNSURE = "unsure"
    """Perhaps on: only the next station can tell."""


@dataclass(frozen=True, slots=True)
class RemovedKey:
    """What is said of the key that was taken out. Decided when it is, and kept until it has been read."""

    key_left: KeyLeft
    named: bool = False
    """The key had said in this insertion which it is: `State.seen`, ``known`` and ``grant`` are about it."""
    may_open_until: int | None = None
    """UNSURE: when it is off at the latest, in Unix seconds; None: nobody knows."""
    switching_on: bool = False
    """UNSURE: it was being switched on, not off."""
    unseen: bool = False
    """UNSURE: it was where a ready key had been, and has not said which it is."""
    refusal: Refusal | None = None
    """OFF: why it was refused."""
    unreadable: bool = False
    """OFF: it did not say which it is."""


@dataclass(frozen=True, slots=True)
class State:
    """All that a station remembers of the key in its socket, and of the one that just left."""

    station: StationFacts = field(default_factory=StationFacts)
    policy: Policy = field(default_factory=Policy)
    phase: Phase = Phase.EMPTY
    presence: Presence = Presence.OUT
    since_s: float = 0.0
    """When this phase began, or when the key was put in or taken out since."""
    ready_s: float = 0.0
    """READY: when it began. However often the contact bounces afterwards, a key left in is left in from then on."""
    insertion: int = 0
    """The number of the key's session, as the reader gave it."""
    visit: int = 0
    """Counts the visits."""
    act: KeyIs = KeyIs.UNSURE
    farewell: RemovedKey | None = None
    """While there is no key, and what is to be said of the last one has not been on the screen for long enough."""
    entry: Entry = field(default_factory=Entry)
    stroke_s: float = 0.0
    """When a key of the keypad was last pressed for this visit."""
    digits_lost_until_s: float | None = None
    """Until then digits belong to an entry of which some were lost: they count as little. See ``lost_digits``."""
    seen: KeySeen | None = None
    """While `presence` is not IN: the key that was taken out."""
    known: KeyKnown = field(default_factory=KeyKnown)
    attempts: Attempts = field(default_factory=Attempts)
    refusal: Refusal | None = None
    """REFUSED: why."""
    pin_was_wrong: bool = False
    """PROMPT: the PIN before was, until the next one is typed."""
    grant: Grant | None = None
    """What has been granted to this key in this visit: it is being written, or on the key."""
    begun: bool = False
    """Writing what was granted has been begun."""
    still_on_until: int | None = None
    """STILL_ON: until then, in Unix seconds; None: nobody knows."""
    hand_out: HandOutTold | None = None
    """BLANK: what came of the code before."""
    hand_out_wait_until_s: float = 0.0
    """BLANK: until then central takes no code of this station."""

    @property
    def place(self) -> Place:
        """The row of the machine's table."""
        return self.phase, self.presence


Result: TypeAlias = tuple[State, tuple[Effect, ...]]


def may_return_within_s(state: State) -> float:
    """For how long the key that was taken out may come back to its visit, in seconds."""
    return RETURNS_WITHIN_AFTER_PIN_S if state.phase in {Phase.CHECKING, Phase.ACTIVATING} else RETURNS_WITHIN_S


def describe_removed_key(state: State) -> RemovedKey:
    """What is to be said of the key in the socket when it is taken out now."""
    # Rule 11: a key that only seems to be back has no name, and nothing granted before is known to be on it.
    named = state.presence is Presence.IN and state.seen is not None
    if state.act is KeyIs.ON:
        return RemovedKey(KeyLeft.ON, named)
    if state.act is KeyIs.OFF and state.phase is Phase.HANDING_OUT:
        return RemovedKey(KeyLeft.HANDING_OUT)
    if state.act is KeyIs.OFF:
        if named and state.phase is Phase.CHECKING:
            return RemovedKey(KeyLeft.TOO_EARLY, named)
        refusal = state.refusal if named and state.phase is Phase.REFUSED else None
        unreadable = state.phase is Phase.UNREADABLE and state.presence is Presence.IN
        return RemovedKey(KeyLeft.OFF, named, refusal=refusal, unreadable=unreadable)
    granted = state.grant if named else None
    return RemovedKey(
        KeyLeft.UNSURE,
        named,
        may_open_until=granted.expires if granted is not None else state.still_on_until,
        switching_on=named and state.phase is Phase.ACTIVATING,
        unseen=not named and state.phase is Phase.READY,
    )


def forget_key(state: State) -> State:
    """Forget every key; the station, the numbers and the times stay."""
    return State(
        station=state.station,
        policy=state.policy,
        phase=state.phase,
        presence=state.presence,
        since_s=state.since_s,
        insertion=state.insertion,
        visit=state.visit,
        act=state.act,
        stroke_s=state.stroke_s,
    )


def give_count_back(state: State) -> tuple[Effect, ...]:
    """Take back the count of a right PIN that activates nothing after all, for its key went."""
    if state.seen is None or state.phase is not Phase.ACTIVATING:
        return ()
    return (GiveCountBack(state.seen, state.begun),)


def end_visit(state: State) -> tuple[Effect, ...]:
    """What is owed to the visit of the key that was taken out, now that it does not go on."""
    if state.phase is Phase.EMPTY or state.phase is Phase.BROKEN:
        return ()
    pool = state.seen is not None and state.seen.record.kind is not KeyKind.PERSONAL
    home = state.seen is not None and state.seen.record.unit == state.station.unit
    return (*give_count_back(state), EndVisit(state.seen, returned=pool and home and state.phase is Phase.PROMPT))


def take_for_another_key(state: State) -> Result:
    """The key in the socket is not known to be the one that was taken out, if one was: the visit of that one ends."""
    if state.presence is not Presence.RETURNING:
        return forget_key(state), ()
    another = replace(forget_key(state), presence=Presence.IN, visit=state.visit + 1)
    return another, end_visit(state)


def unexpected(state: State, received: VisitInput) -> Result:
    """Report an input that cannot come here; nothing else comes of it."""
    return state, (ReportUnexpected(state.phase.value, state.presence.value, type(received).__name__),)
