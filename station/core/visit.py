"""The visit machine: what a station does about the key in its socket.

``step(state, event, now) -> (state, effects)`` is synchronous, total and deterministic. Every phase × event pair stands
in `TABLE`; the diagram in the documentation is generated from it. Performing the effects, and feeding back what came
of them, is the work of ``station.services.visits``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

from station.core import access, attempts
from station.core.entry import Entry
from station.core.events import (
    AcceptPin,
    ActivateKey,
    ActivationCleared,
    ActivationFailed,
    Answer,
    CheckPin,
    ClearActivation,
    ClearFailed,
    Effect,
    EndVisit,
    Event,
    IdentifyKey,
    KeyActivated,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeySeen,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
    PinCheckFailed,
    PrepareKey,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    ReadKey,
    RecordRefusal,
    RefreshMirror,
    RejectPin,
    ReportUnexpected,
    Ring,
    StationChanged,
    SyncDuty,
    TimePassed,
)
from station.core.facts import Attempts, Grant, KeyKnown, Now, Policy, Refusal, StationFacts
from station.records.claims import KeyKind, Role

BOUNCE_S = 3.0
"""A key back within this time goes on with its visit."""
INTERRUPTED_S = 5.0
"""The same for a visit whose PIN had been taken: nobody has to type it again."""

EARLY_S = 30.0
"""What a key that was pulled too early needs is said for at least so long."""


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


_PULLED_EARLY = frozenset({Phase.CLEARING, Phase.CHECKING, Phase.ACTIVATING, Phase.SWITCHING_OFF, Phase.STILL_ON})
_PIN_TAKEN = frozenset({Phase.CHECKING, Phase.ACTIVATING})
_STAND = frozenset({Refusal.PERMIT_EXPIRED, Refusal.OUTSIDE_WINDOW})
"""What a bounced contact does not turn back into a prompt. (After a key fault, putting it in anew is the mend.)"""

Result: TypeAlias = tuple[State, tuple[Effect, ...]]
Handler: TypeAlias = Callable[[State, Any, Now], Result]


def step(state: State, event: Event, now: Now) -> Result:
    """The next state, and what to do about it. Never raises."""
    if isinstance(event, Answer) and event.insertion != state.insertion:
        return state, ()
    if isinstance(event, PinChecked | PinCheckFailed) and event.visit != state.visit:
        return state, ()
    return TABLE[state.phase][type(event)].handler(state, event, now)


# --- insertion and removal ----------------------------------------------------------------------------------------


def _inserted(state: State, _event: KeyInserted, now: Now) -> Result:
    """A new visit: the key is switched off before anything is known about it."""
    fresh = State(
        station=state.station,
        policy=state.policy,
        phase=Phase.CLEARING,
        insertion=state.insertion + 1,
        visit=state.visit + 1,
        since_s=now.mono_s,
        stroke_s=now.mono_s,
    )
    ending = _ended(state)
    return fresh, (*ending, RefreshMirror(), ClearActivation(fresh.insertion))


def _back(state: State, event: KeyInserted, now: Now) -> Result:
    """A key came back: perhaps a bounced contact, perhaps another key."""
    # A key that had not said which it is cannot be known to be back.
    if state.seen is None or now.mono_s - state.since_s > _patience_s(state):
        return _inserted(state, event, now)
    again = replace(state, insertion=state.insertion + 1, since_s=now.mono_s)
    if state.left_as is Phase.READY:
        return replace(again, phase=Phase.IDENTIFYING), (IdentifyKey(again.insertion),)
    return replace(again, phase=Phase.CLEARING), (ClearActivation(again.insertion),)


def _removed(state: State, _event: KeyRemoved, now: Now) -> Result:
    """The key is out: what it left as is kept for a moment, its contact may only have bounced."""
    # While a returned key is being cleared and read, what it left as before still stands.
    returning = state.left_as is not None and state.phase in {Phase.CLEARING, Phase.READING, Phase.IDENTIFYING}
    left_as = state.left_as if returning else state.phase
    return replace(state, phase=Phase.GONE, left_as=left_as, pulled_in=state.phase, since_s=now.mono_s), ()


def _patience_s(state: State) -> float:
    return INTERRUPTED_S if state.left_as in _PIN_TAKEN else BOUNCE_S


def _ended(state: State) -> tuple[Effect, ...]:
    """What is owed to the visit that ``state`` still remembers as gone."""
    if state.phase is not Phase.GONE:
        return ()
    pool = state.seen is not None and state.seen.record.kind is not KeyKind.PERSONAL
    home = state.seen is not None and state.seen.record.unit == state.station.unit
    end = EndVisit(state.seen, returned=pool and home and state.left_as is Phase.PROMPT)
    return (*_unused(state), end)


def _unused(state: State) -> tuple[Effect, ...]:
    """A right PIN that activates nothing after all: its count is taken back."""
    if state.seen is None or Phase.ACTIVATING not in {state.phase, state.left_as}:
        return ()
    return (AcceptPin(state.seen, state.known, Refusal.KEY_FAULT),)


def _farewell(state: State) -> State:
    """The socket is empty; the receipt stays to be read, everything that could go on does not."""
    return replace(state, phase=Phase.EMPTY, entry=Entry(), submitted=False)


def _reader_failed(state: State, _event: ReaderFailed, now: Now) -> Result:
    """The visit, if there is one, is over: nothing can be said to the key any more."""
    if state.phase in {Phase.EMPTY, Phase.GONE}:
        return replace(_farewell(state), phase=Phase.BROKEN, since_s=now.mono_s), _ended(state)
    broken = replace(
        _farewell(state), phase=Phase.BROKEN, left_as=state.phase, pulled_in=state.phase, since_s=now.mono_s
    )
    return broken, (*_unused(state), EndVisit(state.seen, returned=False))


def _reader_recovered(state: State, _event: ReaderRecovered, now: Now) -> Result:
    """The socket is taken to be empty until a key answers."""
    return replace(state, phase=Phase.EMPTY, since_s=now.mono_s), ()


# --- answers about the key ----------------------------------------------------------------------------------------


def _cleared(state: State, _event: ActivationCleared, now: Now) -> Result:
    """The key is off; now it may say which it is."""
    return replace(state, phase=Phase.READING, since_s=now.mono_s), (ReadKey(state.insertion),)


def _clear_failed(state: State, event: ClearFailed, now: Now) -> Result:
    """The key stays on, and the screen says until when."""
    stranger, ended = _as_stranger(state)
    still_on = replace(stranger, phase=Phase.STILL_ON, since_s=now.mono_s, still_on_until=event.still_on_until)
    return still_on, (*ended, Ring())


def _not_off_again(state: State, event: ClearFailed, now: Now) -> Result:
    """What was written here cannot be cleared: even if it cannot be read either, this station knows its end."""
    if event.still_on_until is None and state.grant is not None:
        event = replace(event, still_on_until=state.grant.expires)
    still_on, effects = _clear_failed(state, event, now)
    return still_on, (*_unused(state), *effects)


def _left_in_off(state: State, _event: ActivationCleared, now: Now) -> Result:
    """The key that was left in after ready is off again."""
    return replace(state, phase=Phase.LEFT_IN, since_s=now.mono_s, grant=None), (Ring(),)


def _read_failed(state: State, _event: ReadFailed, now: Now) -> Result:
    """The key is off but does not say which it is."""
    stranger, ended = _as_stranger(state)
    return replace(stranger, phase=Phase.UNREADABLE, since_s=now.mono_s), (*ended, Ring())


def _read(state: State, event: KeyRead, now: Now) -> Result:
    """Which key it is: the prompt, a refusal, or on with what a pulled key was in the middle of."""
    if state.left_as is None:
        return _known(state, event, now, ())
    if state.seen is None or state.seen.id_record != event.seen.id_record:
        # Nothing typed for the key that left may count for another one.
        stranger, ended = _as_stranger(state)
        return _known(stranger, event, now, ended)
    if state.left_as is Phase.CHECKING:
        return replace(state, phase=Phase.CHECKING, left_as=None, seen=event.seen, since_s=now.mono_s), ()
    if state.left_as is Phase.ACTIVATING and state.grant is not None and _may_go_on(state, event):
        going_on = replace(
            state, phase=Phase.ACTIVATING, left_as=None, seen=event.seen, known=event.known, since_s=now.mono_s
        )
        return going_on, (ActivateKey(state.insertion, event.seen, event.known, state.grant),)
    return _known(state, event, now, _unused(state))


def _may_go_on(state: State, event: KeyRead) -> bool:
    """Whether what was granted before the key was pulled still holds for what is known of it now."""
    return state.station.hindrance is None and _refusal_at_pin(event.seen, event.known, event.attempts) is None


def _refusal_at_pin(seen: KeySeen, known: KeyKnown, standing: Attempts) -> Refusal | None:
    """As before the PIN, but the attempt that would lock the key if it is wrong does not stand in its own way."""
    locked = attempts.locked_by_central(known.key) or standing.failures > attempts.LOCK_AT
    return access.refusal_before_pin(seen.record, known, replace(standing, locked=locked))


def _as_stranger(state: State) -> tuple[State, tuple[Effect, ...]]:
    """The key in the socket cannot be shown to be the one that left, if one did: that one's visit is over."""
    if state.left_as is None:
        return _forgotten(state), ()
    return replace(_forgotten(state), visit=state.visit + 1), _ended(replace(state, phase=Phase.GONE))


def _known(state: State, event: KeyRead, now: Now, before: tuple[Effect, ...]) -> Result:
    """The key has said which it is: prompt, or the reason why there is none."""
    # What a PIN was told before the key was out for a moment is still to be read.
    heard = state.refusal
    state = replace(
        state,
        left_as=None,
        seen=event.seen,
        known=event.known,
        attempts=event.attempts,
        grant=None,
        since_s=now.mono_s,
    )
    refusal = access.refusal_before_pin(event.seen.record, event.known, event.attempts)
    cannot = state.station.hindrance is not None
    prepare = PrepareKey(state.insertion, event.seen, event.known, _sync_duty(refusal, cannot=cannot))
    if refusal is None and cannot:
        refusal = Refusal.STATION
    if refusal is None and heard in _STAND:
        refusal = heard
    if refusal is not None:
        told: tuple[Effect, ...] = (RecordRefusal(event.seen, refusal), Ring()) if refusal is not heard else ()
        refused = replace(state, phase=Phase.REFUSED, refusal=refusal, entry=Entry(), submitted=False)
        return refused, (*before, prepare, *told)
    prompt = replace(state, phase=Phase.PROMPT, refusal=heard if heard in access.COUNTED else None)
    if state.station.role is Role.UPDATE_BOX:
        return _renewed(replace(prompt, refusal=heard), event, now, (*before, prepare))
    if not state.submitted:
        return prompt, (*before, prepare)
    checking, effects = _submitted(replace(prompt, submitted=False), now)
    return checking, (*before, prepare, *effects)


def _renewed(state: State, event: KeyRead, now: Now, before: tuple[Effect, ...]) -> Result:
    """At an update box the insertion itself asks for an activation: nobody types anything."""
    heard = state.refusal
    state = replace(state, refusal=None, entry=Entry(), submitted=False)
    verdict = access.renew(event.known, event.own_permit, state.station, state.policy, now)
    if isinstance(verdict, Refusal):
        told = (RecordRefusal(event.seen, verdict), Ring()) if verdict is not heard else ()
        return replace(state, phase=Phase.REFUSED, refusal=verdict), (*before, *told)
    activate = ActivateKey(state.insertion, event.seen, event.known, verdict)
    # What the key is owed beside, its log above all, goes on once it is on: nobody waits for that.
    rest = PrepareKey(state.insertion, event.seen, event.known, SyncDuty.WRITE)
    return replace(state, phase=Phase.ACTIVATING, grant=verdict), (*before, activate, rest)


def _sync_duty(refusal: Refusal | None, *, cannot: bool) -> SyncDuty:
    # A station that cannot activate may still know that a key does not qualify: then no box may activate it either.
    if refusal not in {None, Refusal.UNKNOWN}:
        return SyncDuty.CLEAR
    return SyncDuty.LEAVE if cannot or refusal is not None else SyncDuty.WRITE


def _identified(state: State, event: KeyIdentified, now: Now) -> Result:
    """The ready key is back and stays ready; any other is cleared as a new visit."""
    if state.seen is not None and event.id_record == state.seen.id_record:
        return replace(state, phase=Phase.READY, left_as=None), ()
    return _inserted(replace(state, phase=Phase.GONE), KeyInserted(), now)


def _refreshed(state: State, event: MirrorRefreshed, now: Now) -> Result:
    """News from central about the key in the socket: it may have been blocked, unlocked or handed out just now."""
    if state.seen is None:
        return state, ()
    refusal = access.refusal_before_pin(state.seen.record, event.known, event.attempts)
    news = replace(state, known=event.known, attempts=event.attempts)
    cannot = state.station.hindrance is not None
    prepare = PrepareKey(state.insertion, state.seen, event.known, _sync_duty(refusal, cannot=cannot))
    if refusal is not None:
        if refusal is state.refusal:
            return news, ()
        refused = replace(news, phase=Phase.REFUSED, refusal=refusal, entry=Entry(), since_s=now.mono_s)
        return refused, (prepare, RecordRefusal(state.seen, refusal), Ring())
    # Where there is no PIN to wait for, the key is looked at again when it is put in again.
    if state.phase is Phase.PROMPT or state.refusal in access.AFTER_PIN or state.station.role is Role.UPDATE_BOX:
        return news, ()
    if cannot:
        return replace(news, refusal=Refusal.STATION), ()
    return replace(news, phase=Phase.PROMPT, refusal=None, since_s=now.mono_s, stroke_s=now.mono_s), (prepare,)


def _activated(state: State, _event: KeyActivated, now: Now) -> Result:
    """The activation is on the key, read back: ready."""
    return replace(state, phase=Phase.READY, since_s=now.mono_s), (Ring(),)


def _activated_gone(state: State, _event: KeyActivated, _now: Now) -> Result:
    """Pulled between the read-back and the word of it: the key is on, and its person may know."""
    if state.pulled_in is not Phase.ACTIVATING:
        return state, ()
    return replace(state, left_as=Phase.READY, pulled_in=Phase.READY), ()


def _activation_failed(state: State, event: ActivationFailed, now: Now) -> Result:
    """The key is off, and the screen says why."""
    failed = replace(state, phase=Phase.REFUSED, refusal=event.refusal, grant=None, since_s=now.mono_s)
    return failed, (*_unused(state), Ring())


# --- the PIN ------------------------------------------------------------------------------------------------------


def _typed_ahead(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """Digits, and ``#`` itself, are kept for the prompt."""
    # With a PIN under way there is no prompt to type ahead for.
    return (state, ()) if state.left_as in _PIN_TAKEN else (_edited(state, event, now), ())


def _typed_while_out(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """The contact bounces, the hand goes on typing: it counts if the same key comes back to its prompt."""
    return (_edited(state, event, now), ()) if state.left_as is Phase.PROMPT else (state, ())


def _typed(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """A PIN is typed at the prompt; ``#`` has it checked, unless a wait is running."""
    if event.stroke == "#":
        return _submitted(replace(state, stroke_s=now.mono_s), now)
    edited = _edited(state, event, now)
    return (replace(edited, refusal=None) if len(edited.entry) else edited), ()


def _edited(state: State, event: KeystrokeTyped, now: Now) -> State:
    state = replace(state, stroke_s=now.mono_s)
    match event.stroke:
        case "*":
            return replace(state, entry=Entry(), submitted=False)
        case "#":
            return replace(state, submitted=len(state.entry) > 0)
        case "\b":
            return replace(state, entry=state.entry.shortened(), submitted=False)
        case digit if digit in set("0123456789") and not state.submitted:
            return replace(state, entry=state.entry.typed(digit))
        case _:
            return state


def _submitted(state: State, now: Now) -> Result:
    if not len(state.entry) or state.seen is None:
        return state, ()
    if now.mono_s < state.attempts.wait_until_s:
        return replace(state, entry=Entry()), ()
    checking = replace(state, phase=Phase.CHECKING, since_s=now.mono_s, entry=Entry(), refusal=None)
    return checking, (CheckPin(state.visit, state.entry, state.seen, state.known),)


def _checked(state: State, event: PinChecked, now: Now) -> Result:
    """The verdict, whether the key is still in or out for a moment: activate, prompt again, or refuse."""
    seen = state.seen
    if seen is None or Phase.CHECKING not in {state.phase, state.left_as}:
        return state, ()
    present = state.phase is Phase.CHECKING
    state = replace(state, known=event.known)
    before = _refusal_at_pin(seen, event.known, event.attempts)
    if before is not None:
        # News that came in with the verdict: this PIN is not judged, so its count stands.
        counted = replace(state, attempts=event.attempts)
        told = RecordRefusal(seen, before)
        return _refused_after_pin(counted, before, now, present=present), (told, *_unsynced(counted, before), Ring())
    verdict = access.decide(
        event.known, event.person, event.pin_tag, event.own_permit, state.station, state.policy, now
    )
    if isinstance(verdict, Grant):
        granted = replace(state, grant=verdict)
        if not present:
            return replace(granted, left_as=Phase.ACTIVATING), ()
        activate = ActivateKey(state.insertion, seen, event.known, verdict)
        return replace(granted, phase=Phase.ACTIVATING, since_s=now.mono_s), (activate,)
    if verdict not in access.COUNTED:
        accepted = AcceptPin(seen, event.known, verdict)
        return _refused_after_pin(state, verdict, now, present=present), (accepted, Ring())
    rejected = RejectPin(seen, event.known, verdict, locked=event.attempts.locked)
    wrong = replace(state, attempts=event.attempts)
    if event.attempts.locked:
        locked = _refused_after_pin(wrong, Refusal.LOCKED, now, present=present)
        return locked, (rejected, *_unsynced(wrong, Refusal.LOCKED), Ring())
    effects = (rejected, Ring())
    again = replace(wrong, refusal=verdict, stroke_s=now.mono_s)
    if not present:
        return replace(again, left_as=Phase.PROMPT), effects
    return replace(again, phase=Phase.PROMPT, since_s=now.mono_s), effects


def _unsynced(state: State, refusal: Refusal) -> tuple[Effect, ...]:
    """Found not to qualify only now: what an activation box would go by is cleared, if the key is still in."""
    if state.seen is None or state.phase is not Phase.CHECKING:
        return ()
    return (PrepareKey(state.insertion, state.seen, state.known, _sync_duty(refusal, cannot=False)),)


def _check_failed(state: State, _event: PinCheckFailed, now: Now) -> Result:
    """The PIN could not be counted, so it was not looked at: no activation here."""
    if Phase.CHECKING not in {state.phase, state.left_as}:
        return state, ()
    return _refused_after_pin(state, Refusal.STATION, now, present=state.phase is Phase.CHECKING), (Ring(),)


def _refused_after_pin(state: State, refusal: Refusal, now: Now, *, present: bool) -> State:
    if not present:
        return replace(state, left_as=Phase.REFUSED, refusal=refusal)
    return replace(state, phase=Phase.REFUSED, refusal=refusal, since_s=now.mono_s)


def late_verdict(state: State, event: PinChecked, seen: KeySeen, now: Now) -> tuple[Effect, ...]:
    """What is owed for a PIN whose visit ended before it was judged: the key was swapped, or the reader is gone.

    A wrong one is recorded and locks like any other, a right one gets its count back. Nothing for a verdict that the
    visit still waits for: that is for `step`.
    """
    awaited = TABLE[state.phase][PinChecked].handler is _checked and Phase.CHECKING in {state.phase, state.left_as}
    if event.visit == state.visit and awaited:
        return ()
    if _refusal_at_pin(seen, event.known, event.attempts) is not None:
        return ()
    verdict = access.decide(
        event.known, event.person, event.pin_tag, event.own_permit, state.station, state.policy, now
    )
    if isinstance(verdict, Refusal) and verdict in access.COUNTED:
        return (RejectPin(seen, event.known, verdict, locked=event.attempts.locked),)
    return (AcceptPin(seen, event.known, Refusal.KEY_FAULT if isinstance(verdict, Grant) else verdict),)


# --- time and station ---------------------------------------------------------------------------------------------


def _entry_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """Digits that nobody goes on with are cleared."""
    if now.mono_s - state.stroke_s < state.policy.entry_timeout_s or not len(state.entry):
        return state, ()
    return replace(state, entry=Entry(), submitted=False), ()


def _ready_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """A key left in for too long after ready is switched off again."""
    if now.mono_s - state.since_s < state.policy.left_in_s:
        return state, ()
    off = replace(state, phase=Phase.SWITCHING_OFF, since_s=now.mono_s)
    return off, (ClearActivation(state.insertion),)


def _gone_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """A key that does not come back has ended its visit."""
    if now.mono_s - state.since_s <= _patience_s(state):
        return state, ()
    return _farewell(state), _ended(state)


def _farewell_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """The receipt has been on the screen for long enough."""
    early = state.pulled_in in _PULLED_EARLY
    stays_s = max(state.policy.receipt_s, EARLY_S) if early else state.policy.receipt_s
    if state.left_as is None or now.mono_s - state.since_s < stays_s:
        return state, ()
    return replace(_forgotten(state), phase=Phase.EMPTY), ()


def _station_changed(state: State, event: StationChanged, _now: Now) -> Result:
    """The new standing holds from the next decision on."""
    return replace(state, station=event.station), ()


def _forgotten(state: State) -> State:
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


# --- the table ----------------------------------------------------------------------------------------------------


def _no_matter(state: State, _event: Event, _now: Now) -> Result:
    """It may happen here and changes nothing."""
    return state, ()


def _unexpected(state: State, event: Event, _now: Now) -> Result:
    """It cannot happen here; if it does, nothing opens because of it, and the log says so."""
    return state, (ReportUnexpected(state.phase.value, type(event).__name__),)


@dataclass(frozen=True, slots=True)
class Row:
    """What one event does in one phase, and the phases it may lead to (none named: it stays)."""

    handler: Handler
    targets: frozenset[Phase] = frozenset()


def _row(handler: Handler, *targets: Phase) -> Row:
    return Row(handler, frozenset(targets))


_BREAK = _row(_reader_failed, Phase.BROKEN)
_STAYS = _row(_no_matter)
_NEVER = _row(_unexpected)

_ANSWERS: tuple[type[Event], ...] = (
    ActivationCleared,
    ClearFailed,
    KeyRead,
    ReadFailed,
    KeyIdentified,
    KeyActivated,
    ActivationFailed,
)
_Rows: TypeAlias = dict[type[Event], Row]

_PRESENT: _Rows = {
    KeyInserted: _NEVER,
    KeyRemoved: _row(_removed, Phase.GONE),
    ReaderFailed: _BREAK,
    ReaderRecovered: _NEVER,
    **dict.fromkeys(_ANSWERS, _NEVER),
    MirrorRefreshed: _STAYS,
    PinChecked: _STAYS,
    PinCheckFailed: _STAYS,
    KeystrokeTyped: _STAYS,
    TimePassed: _STAYS,
    StationChanged: _row(_station_changed),
}
# Without a key, the answers of the insertion that has just ended still come in, too late.
_ABSENT: _Rows = _PRESENT | {KeyRemoved: _NEVER, **dict.fromkeys(_ANSWERS, _STAYS)}

_CHECKED = _row(_checked, Phase.PROMPT, Phase.REFUSED, Phase.ACTIVATING)
_CHECK_FAILED = _row(_check_failed, Phase.REFUSED)
# The verdict on a PIN may come in while the key is out for a moment, or on its way back.
_RETURNING: _Rows = {PinChecked: _row(_checked), PinCheckFailed: _row(_check_failed)}

TABLE: Mapping[Phase, Mapping[type[Event], Row]] = {
    Phase.EMPTY: _ABSENT | {KeyInserted: _row(_inserted, Phase.CLEARING), TimePassed: _row(_farewell_ages)},
    Phase.CLEARING: _PRESENT
    | _RETURNING
    | {
        ActivationCleared: _row(_cleared, Phase.READING),
        ClearFailed: _row(_clear_failed, Phase.STILL_ON),
        KeystrokeTyped: _row(_typed_ahead),
        TimePassed: _row(_entry_ages),
    },
    Phase.READING: _PRESENT
    | _RETURNING
    | {
        KeyRead: _row(_read, Phase.PROMPT, Phase.REFUSED, Phase.CHECKING, Phase.ACTIVATING),
        ReadFailed: _row(_read_failed, Phase.UNREADABLE),
        KeystrokeTyped: _row(_typed_ahead),
        TimePassed: _row(_entry_ages),
    },
    Phase.PROMPT: _PRESENT
    | {
        MirrorRefreshed: _row(_refreshed, Phase.REFUSED),
        KeystrokeTyped: _row(_typed, Phase.CHECKING),
        TimePassed: _row(_entry_ages),
    },
    Phase.CHECKING: _PRESENT | {PinChecked: _CHECKED, PinCheckFailed: _CHECK_FAILED},
    Phase.ACTIVATING: _PRESENT
    | {
        KeyActivated: _row(_activated, Phase.READY),
        ActivationFailed: _row(_activation_failed, Phase.REFUSED),
        ClearFailed: _row(_not_off_again, Phase.STILL_ON),
    },
    Phase.READY: _PRESENT | {TimePassed: _row(_ready_ages, Phase.SWITCHING_OFF)},
    Phase.REFUSED: _PRESENT | {MirrorRefreshed: _row(_refreshed, Phase.PROMPT)},
    Phase.STILL_ON: _PRESENT,
    Phase.UNREADABLE: _PRESENT,
    Phase.SWITCHING_OFF: _PRESENT
    | {
        ActivationCleared: _row(_left_in_off, Phase.LEFT_IN),
        ClearFailed: _row(_not_off_again, Phase.STILL_ON),
    },
    Phase.LEFT_IN: _PRESENT,
    Phase.GONE: _ABSENT
    | _RETURNING
    | {
        KeyInserted: _row(_back, Phase.CLEARING, Phase.IDENTIFYING),
        KeyActivated: _row(_activated_gone),
        KeystrokeTyped: _row(_typed_while_out),
        TimePassed: _row(_gone_ages, Phase.EMPTY),
    },
    Phase.IDENTIFYING: _PRESENT | {KeyIdentified: _row(_identified, Phase.READY, Phase.CLEARING)},
    Phase.BROKEN: _ABSENT
    | {
        KeyInserted: _row(_inserted, Phase.CLEARING),
        ReaderFailed: _STAYS,
        ReaderRecovered: _row(_reader_recovered, Phase.EMPTY),
    },
}
