"""The key in a visit: put in, cleared, read, activated, pulled, left in.

Handlers of the table in ``station.core.visit``.
"""

from dataclasses import replace

from station.core import access, visit_pin
from station.core.entry import Entry
from station.core.events import (
    ActivateKey,
    ActivationCleared,
    ActivationFailed,
    ClearActivation,
    ClearFailed,
    Effect,
    EndVisit,
    IdentifyKey,
    KeyActivated,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    MirrorRefreshed,
    PrepareKey,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    ReadKey,
    RecordRefusal,
    RefreshMirror,
    Ring,
    SyncDuty,
    TimePassed,
)
from station.core.facts import Now, Refusal
from station.core.visit_state import (
    Phase,
    Result,
    State,
    as_stranger,
    ended,
    farewell,
    forgotten,
    patience_s,
    unused,
)
from station.records.claims import Role

EARLY_S = 30.0
"""What a key that was pulled too early needs is said for at least so long."""
_PULLED_EARLY = frozenset({Phase.CLEARING, Phase.CHECKING, Phase.ACTIVATING, Phase.SWITCHING_OFF, Phase.STILL_ON})
_STAND = frozenset({Refusal.PERMIT_EXPIRED, Refusal.OUTSIDE_WINDOW})
"""What a bounced contact does not turn back into a prompt. (After a key fault, putting it in anew is the mend.)"""


def inserted(state: State, _event: KeyInserted, now: Now) -> Result:
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
    ending = ended(state)
    return fresh, (*ending, RefreshMirror(), ClearActivation(fresh.insertion))


_NAMELESS = frozenset({Phase.CLEARING, Phase.READING})


def back(state: State, event: KeyInserted, now: Now) -> Result:
    """A key came back: perhaps a bounced contact, perhaps another key."""
    if now.mono_s - state.since_s > patience_s(state):
        return inserted(state, event, now)
    if state.seen is None:
        # A key that had not said which it is cannot be known to be back: from the beginning. But a contact that bounces
        # while a key is being put in is one visit.
        anew, effects = inserted(state, event, now)
        if state.left_as not in _NAMELESS:
            return anew, effects
        return replace(anew, visit=state.visit), (ClearActivation(anew.insertion),)
    again = replace(state, insertion=state.insertion + 1, since_s=now.mono_s)
    if state.left_as is Phase.READY:
        return replace(again, phase=Phase.IDENTIFYING), (IdentifyKey(again.insertion),)
    return replace(again, phase=Phase.CLEARING), (ClearActivation(again.insertion),)


def removed(state: State, _event: KeyRemoved, now: Now) -> Result:
    """The key is out: what it left as is kept for a moment, its contact may only have bounced."""
    # While a returned key is being cleared and read, what it left as before still stands.
    returning = state.left_as is not None and state.phase in {Phase.CLEARING, Phase.READING, Phase.IDENTIFYING}
    left_as = state.left_as if returning else state.phase
    return replace(state, phase=Phase.GONE, left_as=left_as, pulled_in=state.phase, since_s=now.mono_s), ()


def reader_failed(state: State, _event: ReaderFailed, now: Now) -> Result:
    """The visit, if there is one, is over: nothing can be said to the key any more."""
    if state.phase in {Phase.EMPTY, Phase.GONE}:
        return replace(farewell(state), phase=Phase.BROKEN, since_s=now.mono_s), ended(state)
    broken = replace(
        farewell(state), phase=Phase.BROKEN, left_as=state.phase, pulled_in=state.phase, since_s=now.mono_s
    )
    return broken, (*unused(state), EndVisit(state.seen, returned=False))


def reader_recovered(state: State, _event: ReaderRecovered, now: Now) -> Result:
    """The socket is taken to be empty until a key answers. What was true of a key then, need not be true now."""
    stale = now.mono_s - state.since_s >= state.policy.receipt_s
    return replace(forgotten(state) if stale else state, phase=Phase.EMPTY, since_s=now.mono_s), ()


def cleared(state: State, _event: ActivationCleared, now: Now) -> Result:
    """The key is off; now it may say which it is."""
    return replace(state, phase=Phase.READING, since_s=now.mono_s), (ReadKey(state.insertion),)


def clear_failed(state: State, event: ClearFailed, now: Now) -> Result:
    """The key stays on, and the screen says until when."""
    stranger, ended = as_stranger(state)
    still_on = replace(stranger, phase=Phase.STILL_ON, since_s=now.mono_s, still_on_until=event.still_on_until)
    return still_on, (*ended, Ring())


def not_off_again(state: State, event: ClearFailed, now: Now) -> Result:
    """What was written here cannot be cleared: even if it cannot be read either, this station knows its end."""
    if event.still_on_until is None and state.grant is not None:
        event = replace(event, still_on_until=state.grant.expires)
    still_on, effects = clear_failed(state, event, now)
    return still_on, (*unused(state), *effects)


def left_in_off(state: State, _event: ActivationCleared, now: Now) -> Result:
    """The key that was left in after ready is off again."""
    return replace(state, phase=Phase.LEFT_IN, since_s=now.mono_s, grant=None), (Ring(),)


def read_failed(state: State, _event: ReadFailed, now: Now) -> Result:
    """The key is off but does not say which it is."""
    stranger, ended = as_stranger(state)
    return replace(stranger, phase=Phase.UNREADABLE, since_s=now.mono_s), (*ended, Ring())


def read(state: State, event: KeyRead, now: Now) -> Result:
    """Which key it is: the prompt, a refusal, or on with what a pulled key was in the middle of."""
    if state.left_as is None:
        return _known(state, event, now, ())
    if state.seen is None or not state.seen.is_same_key(event.seen):
        # Nothing typed for the key that left may count for another one.
        stranger, ended = as_stranger(state)
        return _known(stranger, event, now, ended)
    if state.left_as is Phase.CHECKING:
        return replace(state, phase=Phase.CHECKING, left_as=None, seen=event.seen, since_s=now.mono_s), ()
    if state.left_as is Phase.ACTIVATING and state.grant is not None and _may_go_on(state, event):
        going_on = replace(
            state, phase=Phase.ACTIVATING, left_as=None, seen=event.seen, known=event.known, since_s=now.mono_s
        )
        return going_on, (ActivateKey(state.insertion, event.seen, event.known, state.grant),)
    return _known(state, event, now, unused(state))


def _may_go_on(state: State, event: KeyRead) -> bool:
    """Whether what was granted before the key was pulled still holds for what is known of it now."""
    return state.station.hindrance is None and visit_pin.refusal_at_pin(event.seen, event.known, event.attempts) is None


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
    prepare = PrepareKey(state.insertion, event.seen, event.known, visit_pin.sync_duty(refusal, cannot=cannot))
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
    checking, effects = visit_pin.submitted(replace(prompt, submitted=False), now)
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


def identified(state: State, event: KeyIdentified, now: Now) -> Result:
    """The ready key is back and stays ready; any other is cleared as a new visit."""
    if state.seen is not None and event.seen is not None and event.seen.is_same_key(state.seen):
        return replace(state, phase=Phase.READY, left_as=None), ()
    return inserted(replace(state, phase=Phase.GONE), KeyInserted(), now)


def refreshed(state: State, event: MirrorRefreshed, now: Now) -> Result:
    """News from central about the key in the socket: it may have been blocked, unlocked or handed out just now."""
    if state.seen is None:
        return state, ()
    refusal = access.refusal_before_pin(state.seen.record, event.known, event.attempts)
    news = replace(state, known=event.known, attempts=event.attempts)
    cannot = state.station.hindrance is not None
    prepare = PrepareKey(state.insertion, state.seen, event.known, visit_pin.sync_duty(refusal, cannot=cannot))
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


def activated(state: State, _event: KeyActivated, now: Now) -> Result:
    """The activation is on the key, read back: ready."""
    return replace(state, phase=Phase.READY, since_s=now.mono_s), (Ring(),)


def activated_gone(state: State, _event: KeyActivated, _now: Now) -> Result:
    """Pulled between the read-back and the word of it: the key is on, and its person may know."""
    if state.pulled_in is not Phase.ACTIVATING:
        return state, ()
    return replace(state, left_as=Phase.READY, pulled_in=Phase.READY), ()


def activation_failed(state: State, event: ActivationFailed, now: Now) -> Result:
    """The key is off, and the screen says why."""
    failed = replace(state, phase=Phase.REFUSED, refusal=event.refusal, grant=None, since_s=now.mono_s)
    return failed, (*unused(state), Ring())


def ready_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """A key left in for too long after ready is switched off again."""
    if now.mono_s - state.since_s < state.policy.left_in_s:
        return state, ()
    off = replace(state, phase=Phase.SWITCHING_OFF, since_s=now.mono_s)
    return off, (ClearActivation(state.insertion),)


def gone_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """A key that does not come back has ended its visit."""
    if now.mono_s - state.since_s <= patience_s(state):
        return state, ()
    return farewell(state), ended(state)


def farewell_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """The receipt has been on the screen for long enough."""
    early = state.pulled_in in _PULLED_EARLY
    stays_s = max(state.policy.receipt_s, EARLY_S) if early else state.policy.receipt_s
    if state.left_as is None or now.mono_s - state.since_s < stays_s:
        return state, ()
    return replace(forgotten(state), phase=Phase.EMPTY), ()
