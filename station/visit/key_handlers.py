"""The key in a visit: put in, switched off, read, switched on, taken out, back again, left in.

Handlers of the table in ``station.visit.machine``, where the rules are listed.
"""

from dataclasses import replace

from station.records.claims import Role
from station.rules import access
from station.rules.facts import Now, OffOnlyReason, Refusal
from station.visit import pin_handlers as visit_pin
from station.visit.effects import (
    AcceptPin,
    ActivateKey,
    ClearActivation,
    Effect,
    EndVisit,
    IdentifyKey,
    PrepareKey,
    ReadKey,
    RecordRefusal,
    SyncDuty,
)
from station.visit.entry import Entry
from station.visit.inputs import (
    ActivationCleared,
    ActivationFailed,
    ClearFailed,
    KeyActivated,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeySeen,
    MirrorRefreshed,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    TimePassed,
)
from station.visit.state import (
    KeyIs,
    KeyLeft,
    Phase,
    Presence,
    RemovedKey,
    Result,
    State,
    describe_removed_key,
    end_visit,
    forget_key,
    give_count_back,
    may_return_within_s,
    take_for_another_key,
    unexpected,
)

TROUBLE_SHOWN_FOR_S = 30.0
"""What is to be done about a key that was pulled too early, or refused, is said for at least so long."""
_OUTLAST_A_BOUNCE = frozenset({Refusal.PERMIT_EXPIRED, Refusal.OUTSIDE_WINDOW})
"""What a bounced contact does not turn back into a prompt. (After a key fault, putting it in anew is the mend.)"""


# --- put in and taken out


def begin_visit(state: State, received: KeyInserted, now: Now) -> Result:
    """Begin a visit: the key is switched off before anything is known about it."""
    return _begin(state, received.insertion, now)


def _begin(state: State, insertion: int, now: Now) -> Result:
    fresh = State(
        station=state.station,
        policy=state.policy,
        phase=Phase.CLEARING,
        presence=Presence.IN,
        since_s=now.mono_s,
        insertion=insertion,
        visit=state.visit + 1,
        stroke_s=now.mono_s,
    )
    # Rules 1 and 12: whatever key it is, and whatever the station can do.
    return fresh, (*end_visit(state), ClearActivation(insertion))


def key_back(state: State, received: KeyInserted, now: Now) -> Result:
    """Go on with the visit if the key is back in time: is it the same one? Later, begin another visit."""
    # Rule 3: later it is a new visit, whichever key it is.
    if now.mono_s - state.since_s > may_return_within_s(state):
        return begin_visit(state, received, now)
    back = replace(
        state,
        presence=Presence.RETURNING,
        insertion=received.insertion,
        since_s=now.mono_s,
        act=KeyIs.UNSURE,
        farewell=None,
    )
    # Rule 1, and its exception.
    if state.phase is Phase.READY:
        return back, (IdentifyKey(received.insertion),)
    return back, (ClearActivation(received.insertion),)


def unidentified_key_back(state: State, received: KeyInserted, now: Now) -> Result:
    """Begin from the beginning: the key had not said which it is. A contact that bounces so early is one visit."""
    anew, effects = begin_visit(state, received, now)
    if now.mono_s - state.since_s > may_return_within_s(state):
        return anew, effects
    return replace(anew, visit=state.visit), (ClearActivation(received.insertion),)


def key_out(state: State, _received: KeyRemoved, now: Now) -> Result:
    """Keep for a moment where the visit was, its contact may only have bounced; say how the key left."""
    return replace(state, presence=Presence.OUT, since_s=now.mono_s, farewell=describe_removed_key(state)), ()


def end_if_out_for_long(state: State, _received: TimePassed, now: Now) -> Result:
    """End the visit of a key that does not come back."""
    # Rules 3 and 6: until then it goes on, with its digits.
    if now.mono_s - state.since_s <= may_return_within_s(state):
        return state, ()
    return replace(state, phase=Phase.EMPTY, entry=Entry()), end_visit(state)


def clear_removed_key(state: State, _received: TimePassed, now: Now) -> Result:
    """Clear what is said of the last key once it has been on the screen for long enough."""
    if state.farewell is None:
        return state, ()
    left = state.farewell
    trouble = (
        left.key_left in {KeyLeft.TOO_EARLY, KeyLeft.HANDING_OUT, KeyLeft.UNSURE}
        or left.refusal is not None
        or left.unreadable
    )
    stays_s = max(state.policy.receipt_s, TROUBLE_SHOWN_FOR_S) if trouble else state.policy.receipt_s
    return (state, ()) if now.mono_s - state.since_s < stays_s else (forget_key(state), ())


# --- the reader


def reader_failed(state: State, _received: ReaderFailed, now: Now) -> Result:
    """End the visit, if there is one: nothing can be said to the key any more."""
    broken = replace(state, phase=Phase.BROKEN, presence=Presence.OUT, since_s=now.mono_s, entry=Entry())
    if state.presence is Presence.OUT:
        return broken, end_visit(state)
    ending = (*give_count_back(state), EndVisit(state.seen, returned=False))
    return replace(broken, farewell=describe_removed_key(state)), ending


def reader_recovered(state: State, _received: ReaderRecovered, now: Now) -> Result:
    """Take the socket to be empty until a key answers. What was true of a key then, need not be true now."""
    stale = now.mono_s - state.since_s >= state.policy.receipt_s
    return replace(forget_key(state) if stale else state, phase=Phase.EMPTY, since_s=now.mono_s), ()


# --- switched off


def read_cleared_key(state: State, _received: ActivationCleared, now: Now) -> Result:
    """Ask the key which it is, now that it is off."""
    reading = replace(state, phase=Phase.READING, since_s=now.mono_s, act=KeyIs.OFF)
    return reading, (ReadKey(state.insertion, refresh=True),)


def read_returned_key(state: State, received: ActivationCleared, now: Now) -> Result:
    """Ask the key that is back which it is, now that it is off."""
    if state.act is KeyIs.OFF:
        return unexpected(state, received)
    return replace(state, since_s=now.mono_s, act=KeyIs.OFF), (ReadKey(state.insertion, refresh=False),)


def clear_failed(state: State, received: ClearFailed, now: Now) -> Result:
    """Say until when the key stays on. It cannot be shown to be one that was taken out before."""
    unidentified, ending = take_for_another_key(state)
    still_on = replace(
        unidentified,
        phase=Phase.STILL_ON,
        since_s=now.mono_s,
        act=KeyIs.UNSURE,
        still_on_until=received.still_on_until,
    )
    return still_on, ending


def undo_failed(state: State, received: ClearFailed, now: Now) -> Result:
    """Say until when the key stays on: even if it cannot be read, this station knows the end of what it wrote."""
    if received.still_on_until is None and state.grant is not None:
        received = replace(received, still_on_until=state.grant.expires)
    still_on, effects = clear_failed(state, received, now)
    return still_on, (*give_count_back(state), *effects)


# --- which key it is


def key_read(state: State, received: KeyRead, now: Now) -> Result:
    """Prompt, or refuse the key with a reason."""
    return _prompt_or_refuse(state, received, now, ())


def read_failed(state: State, received: ReadFailed, now: Now) -> Result:
    """Say that the key is off but does not say which it is."""
    # Rule 1: nothing is asked of a key that may be on.
    if state.act is not KeyIs.OFF:
        return unexpected(state, received)
    unidentified, ending = take_for_another_key(state)
    return replace(unidentified, phase=Phase.UNREADABLE, since_s=now.mono_s), ending


def read_again(state: State, received: KeyRead, now: Now) -> Result:
    """Go on with the visit if it is the same key; what a PIN was told before it was out for a moment still stands."""
    return _returned(state, received, now) or _prompt_or_refuse(state, received, now, ())


def read_again_while_checking(state: State, received: KeyRead, now: Now) -> Result:
    """Wait on for the verdict if it is the same key; the next PIN may depend on what is on it now."""
    refusal = access.refusal_before_pin(received.seen.record, received.known, received.attempts)
    cannot = state.station.off_only is not None
    duty = visit_pin.sync_duty(refusal, received.seen, received.known, cannot=cannot)
    still_checking = replace(state, presence=Presence.IN, seen=received.seen, since_s=now.mono_s)
    prepare = PrepareKey(state.insertion, received.seen, received.known, duty)
    return _returned(state, received, now) or (still_checking, (prepare,))


def read_again_while_activating(state: State, received: KeyRead, now: Now) -> Result:
    """Activate the same key after all, if what was granted still holds for what is known of it now."""
    another = _returned(state, received, now)
    if another is not None:
        return another
    # Rules 4 and 5: the key may have been blocked, or the station gone off-only, since it was granted.
    refused = visit_pin.refusal_at_pin(received.seen, received.known, received.attempts) is not None
    if refused or state.grant is None or state.station.off_only is not None:
        return _prompt_or_refuse(state, received, now, give_count_back(state))
    going_on = replace(
        state,
        presence=Presence.IN,
        seen=received.seen,
        known=received.known,
        since_s=now.mono_s,
        act=KeyIs.UNSURE,
        begun=True,
    )
    return going_on, (ActivateKey(state.insertion, received.seen, received.known, state.grant),)


def _returned(state: State, received: KeyRead, now: Now) -> Result | None:
    """What comes of a key that is not the one that was taken out; None: it is the same one."""
    # Rule 1: nothing is asked of a key that may be on.
    if state.act is not KeyIs.OFF:
        return unexpected(state, received)
    # Rule 3: nothing typed for the key that left may count for another one.
    if _is_same_key(state, received.seen):
        return None
    another, ending = take_for_another_key(state)
    return _prompt_or_refuse(another, received, now, ending)


def _is_same_key(state: State, seen: KeySeen | None) -> bool:
    return state.seen is not None and seen is not None and state.seen.is_same_key(seen)


def _prompt_or_refuse(state: State, received: KeyRead, now: Now, before: tuple[Effect, ...]) -> Result:
    told = state.refusal
    state = replace(
        state,
        presence=Presence.IN,
        seen=received.seen,
        known=received.known,
        attempts=received.attempts,
        refusal=None,
        grant=None,
        begun=False,
        since_s=now.mono_s,
    )
    # Rule 4: before any PIN is asked for.
    refusal = _refusal_before_pin(state, received)
    cannot = state.station.off_only is not None
    duty = visit_pin.sync_duty(refusal, received.seen, received.known, cannot=cannot)
    prepare = PrepareKey(state.insertion, received.seen, received.known, duty)
    if refusal is None and cannot:
        # Rule 5: second to what is wrong with the key itself.
        refusal = Refusal.STATION
    if refusal is None and told in _OUTLAST_A_BOUNCE:
        refusal = told
    if refusal is not None:
        return _refuse(state, refusal, told, (*before, prepare))
    if state.station.role is Role.UPDATE_BOX:
        return _renew(state, received, told, now, (*before, prepare))
    prompt = replace(state, phase=Phase.PROMPT)
    if not state.entry.complete:
        return prompt, (*before, prepare)
    # Rule 6: the whole PIN was typed before the prompt.
    checking, effects = visit_pin.check_entry(prompt, now)
    return checking, (*before, prepare, *effects)


def _refusal_before_pin(state: State, received: KeyRead | MirrorRefreshed) -> Refusal | None:
    assert state.seen is not None
    refusal = access.refusal_before_pin(state.seen.record, received.known, received.attempts)
    # Its ``id`` is genuine: it is the station that knows nothing, and the key must not be handed in for that.
    return Refusal.STATION if refusal is Refusal.UNKNOWN and not state.station.knows_keys else refusal


def _refuse(state: State, refusal: Refusal, told: Refusal | None, before: tuple[Effect, ...]) -> Result:
    """Refuse the key that has just been read; what it was told before a bounce is not recorded again."""
    refused = replace(state, phase=Phase.REFUSED, refusal=refusal, pin_was_wrong=False, entry=Entry())
    starting = refusal is Refusal.STATION and state.station.off_only is OffOnlyReason.STARTING
    if state.seen is None or refusal is told or starting:
        return refused, before
    return refused, (*before, RecordRefusal(state.seen, refusal))


def _renew(state: State, received: KeyRead, told: Refusal | None, now: Now, before: tuple[Effect, ...]) -> Result:
    """Activate without a PIN: at an update box the insertion itself asks for that."""
    # Rule 9: the update box's part.
    verdict = access.renew(received.known, received.own_permit, state.station, state.policy, now)
    if isinstance(verdict, Refusal):
        return _refuse(state, verdict, told, before)
    activating = replace(state, phase=Phase.ACTIVATING, grant=verdict, begun=True, entry=Entry(), act=KeyIs.UNSURE)
    activate = ActivateKey(state.insertion, received.seen, received.known, verdict)
    # What the key is owed beside, its log above all, goes on once it is on: nobody waits for that.
    rest = PrepareKey(state.insertion, received.seen, received.known, SyncDuty.WRITE)
    return activating, (*before, activate, rest)


def ready_key_identified(state: State, received: KeyIdentified, now: Now) -> Result:
    """Leave the ready key that is back as it is; switch any other off, in a visit of its own."""
    # Rules 3 and 10: what is ready is this key, not any that is put in where it was.
    if _is_same_key(state, received.seen):
        return replace(state, presence=Presence.IN, act=KeyIs.ON), ()
    return _begin(state, state.insertion, now)


def take_news(state: State, received: MirrorRefreshed, now: Now) -> Result:
    """Refuse or prompt by what central says now: the key may just have been blocked, unlocked or handed out."""
    if state.seen is None:
        return state, ()
    if access.handed_on(state.seen.record, received.known) is not None:
        # Rule 3: handed on to somebody else, whose record it gets when it is read. Nothing typed goes on to them.
        reading = replace(forget_key(state), phase=Phase.READING, since_s=now.mono_s)
        return reading, (ReadKey(state.insertion, refresh=False),)
    # Rule 4: news from central.
    refusal = _refusal_before_pin(state, received)
    news = replace(state, known=received.known, attempts=received.attempts)
    cannot = state.station.off_only is not None
    duty = visit_pin.sync_duty(refusal, state.seen, received.known, cannot=cannot)
    prepare = PrepareKey(state.insertion, state.seen, received.known, duty)
    if refusal is not None:
        if refusal is state.refusal:
            return news, ()
        return _refuse(replace(news, since_s=now.mono_s), refusal, None, (prepare,))
    # Where there is no PIN to wait for, the key is looked at again when it is put in again.
    if state.phase is Phase.PROMPT or state.refusal in access.AFTER_PIN or state.station.role is Role.UPDATE_BOX:
        return news, ()
    if cannot:
        # Rule 5: no prompt by news either.
        return replace(news, refusal=Refusal.STATION), ()
    return replace(news, phase=Phase.PROMPT, refusal=None, since_s=now.mono_s, stroke_s=now.mono_s), (prepare,)


# --- switched on, and off again


def key_activated(state: State, _received: KeyActivated, now: Now) -> Result:
    """Say ready: the activation is on the key, read back."""
    if _has_ended(state, now):
        return _switch_off(state, now)
    # Rule 10: nothing but this answer leads to ready.
    return replace(state, phase=Phase.READY, since_s=now.mono_s, ready_s=now.mono_s, act=KeyIs.ON), ()


def activated_and_out(state: State, _received: KeyActivated, now: Now) -> Result:
    """Say that the key is on: it was pulled between the read-back and the word of it."""
    # A grant that came while the key was out has not been written.
    if state.farewell is None or not state.farewell.switching_on or _has_ended(state, now):
        return state, ()
    farewell = RemovedKey(KeyLeft.ON, named=True)
    return replace(state, phase=Phase.READY, ready_s=now.mono_s, act=KeyIs.ON, farewell=farewell), ()


def activation_failed(state: State, received: ActivationFailed, now: Now) -> Result:
    """Say why the key is off again."""
    failed = replace(
        state, phase=Phase.REFUSED, refusal=received.refusal, grant=None, since_s=now.mono_s, act=KeyIs.OFF
    )
    return failed, () if state.seen is None else (AcceptPin(state.seen, received.refusal),)


def switch_off_if_left_in(state: State, _received: TimePassed, now: Now) -> Result:
    """Switch a key off again that is left in for too long after ready."""
    # Rule 10: somebody else may come for it.
    if now.mono_s - state.ready_s < state.policy.left_in_s:
        return state, ()
    return _switch_off(state, now)


def _has_ended(state: State, now: Now) -> bool:
    """Whether what was granted is over before there is word of it: the program stood still, or the clock was set."""
    return state.grant is not None and state.grant.expires <= now.unix_s


def _switch_off(state: State, now: Now) -> Result:
    off = replace(state, phase=Phase.SWITCHING_OFF, since_s=now.mono_s, act=KeyIs.UNSURE)
    return off, (ClearActivation(state.insertion),)


def left_in_is_off(state: State, _received: ActivationCleared, now: Now) -> Result:
    """Say that the key that was left in is off again."""
    return replace(state, phase=Phase.LEFT_IN, since_s=now.mono_s, grant=None, act=KeyIs.OFF), ()
