"""The PIN in a visit: keystrokes, what ``#`` asks for, and the verdict.

Handlers of the table in ``station.visit.machine``, where the rules are listed.
"""

from dataclasses import replace

from station.rules import access, attempts
from station.rules.facts import Attempts, Grant, KeyKnown, Now, Refusal, WrongPin
from station.visit.effects import (
    AcceptPin,
    ActivateKey,
    CheckPin,
    Effect,
    GiveCountBack,
    PrepareKey,
    RecordRefusal,
    RejectPin,
    SyncDuty,
)
from station.visit.entry import Entry
from station.visit.inputs import KeySeen, KeystrokeTyped, PinChecked, PinCheckFailed, TimePassed
from station.visit.state import KeyIs, Phase, Presence, Result, State


def keep_keystroke(state: State, received: KeystrokeTyped, now: Now) -> Result:
    """Keep a digit, or ``#`` itself, for the prompt that is to come."""
    # Rule 6: nobody has to wait before typing.
    return edited(state, received, now), ()


def type_at_prompt(state: State, received: KeystrokeTyped, now: Now) -> Result:
    """Add to the PIN at the prompt; ``#`` has it checked, unless a wait is running."""
    if received.stroke == "#":
        return check_entry(replace(state, stroke_s=now.mono_s), now)
    typed = edited(state, received, now)
    return (replace(typed, pin_was_wrong=False) if len(typed.entry) else typed), ()


def edited(state: State, received: KeystrokeTyped, now: Now) -> State:
    """``state`` with the keystroke taken into its entry."""
    match received.stroke:
        case "*":
            entry = Entry()
        case "#":
            entry = state.entry.completed()
        case "\b":
            entry = state.entry.shortened()
        case digit if digit in set("0123456789"):
            entry = state.entry.typed(digit)
        case _:
            entry = state.entry
    return replace(state, entry=entry, stroke_s=now.mono_s)


def check_entry(state: State, now: Now) -> Result:
    """Have the PIN that was typed checked, unless none was or a wait is running."""
    if not len(state.entry) or state.seen is None:
        return state, ()
    # Rule 7: what is too short for a PIN is a slip of the hand, no try.
    if len(state.entry) < state.station.pin_digits:
        return replace(state, entry=Entry(), pin_was_wrong=False, digits_lost_until_s=now.mono_s), ()
    # Rule 8: a PIN typed during the wait is not even counted.
    if now.mono_s < state.attempts.wait_until_s:
        return replace(state, entry=Entry()), ()
    checking = replace(state, phase=Phase.CHECKING, since_s=now.mono_s, entry=Entry(), pin_was_wrong=False)
    return checking, (CheckPin(state.insertion, state.visit, state.entry, state.seen, state.known),)


def clear_old_entry(state: State, _received: TimePassed, now: Now) -> Result:
    """Clear digits that nobody goes on with."""
    # Rule 6: not for the next one in the queue.
    if now.mono_s - state.stroke_s < state.policy.entry_timeout_s or not len(state.entry):
        return state, ()
    return replace(state, entry=Entry()), ()


def take_verdict(state: State, received: PinChecked, now: Now) -> Result:
    """Activate, prompt again, or refuse; with the key out or returning, that is how its visit goes on."""
    seen = state.seen
    if seen is None or not seen.is_same_key(received.seen):
        # Rule 3: a verdict on another key's PIN opens nothing.
        return count_late_verdict(state, received, now)
    state = replace(state, known=received.known)
    before = refusal_at_pin(seen, received.known, received.attempts)
    if before is not None:
        # Rule 4: news that came in with the verdict. This PIN is not judged, so its count stands.
        refused = _refused(replace(state, attempts=received.attempts), before, now)
        return refused, (RecordRefusal(seen, before), *_clear_sync(state, seen, before))
    verdict = _judged(state, received, now)
    if isinstance(verdict, Grant):
        # Rule 9: a right PIN of this visit.
        granted = _gone_on(replace(state, grant=verdict, begun=False), Phase.ACTIVATING, now)
        if state.presence is not Presence.IN:
            # Rule 3: written once the key has shown that it is the same one.
            return granted, ()
        activate = ActivateKey(state.insertion, seen, received.known, verdict)
        return replace(granted, act=KeyIs.UNSURE, begun=True), (activate,)
    if isinstance(verdict, Refusal):
        return _refused(state, verdict, now), (AcceptPin(seen, verdict),)
    rejected = RejectPin(seen, verdict, locked=received.attempts.locked)
    wrong = replace(state, attempts=received.attempts)
    if received.attempts.locked:
        # Rule 8: the tenth.
        locked = _refused(wrong, Refusal.LOCKED, now)
        return locked, (rejected, *_clear_sync(wrong, seen, Refusal.LOCKED))
    again = replace(wrong, pin_was_wrong=True, stroke_s=now.mono_s)
    return _gone_on(again, Phase.PROMPT, now), (rejected,)


def take_failed_check(state: State, _received: PinCheckFailed, now: Now) -> Result:
    """Refuse: the PIN could not be counted, so it was not looked at."""
    # Rule 7: what is not counted is not looked at.
    return _refused(state, Refusal.STATION, now), ()


def count_late_verdict(state: State, received: PinChecked, now: Now) -> Result:
    """Count a wrong PIN, or give a right one its count back, though no visit waits for the verdict any more."""
    # Rule 7: the key was swapped, or the reader is gone; that must not buy a free try.
    if refusal_at_pin(received.seen, received.known, received.attempts) is not None:
        return state, ()
    verdict = _judged(state, received, now)
    if isinstance(verdict, WrongPin):
        return state, (RejectPin(received.seen, verdict, locked=received.attempts.locked),)
    if isinstance(verdict, Grant):
        return state, (GiveCountBack(received.seen, begun=False),)
    return state, (AcceptPin(received.seen, verdict),)


def _judged(state: State, received: PinChecked, now: Now) -> Grant | WrongPin | Refusal:
    return access.decide(
        received.known, received.person, received.pin_tags, received.own_permit, state.station, state.policy, now
    )


def _refused(state: State, refusal: Refusal, now: Now) -> State:
    return _gone_on(replace(state, refusal=refusal), Phase.REFUSED, now)


def _gone_on(state: State, phase: Phase, now: Now) -> State:
    # With the key out, the time since it was taken out runs on.
    return replace(state, phase=phase, since_s=now.mono_s if state.presence is Presence.IN else state.since_s)


def _clear_sync(state: State, seen: KeySeen, refusal: Refusal) -> tuple[Effect, ...]:
    """Clear what an activation box would go by, on a key that is found not to qualify only now, if it is still in."""
    if state.presence is not Presence.IN:
        return ()
    return (PrepareKey(state.insertion, seen, state.known, sync_duty(refusal, seen, state.known, cannot=False)),)


def refusal_at_pin(seen: KeySeen, known: KeyKnown, readiness: Attempts) -> Refusal | None:
    """As before the PIN, but the attempt that would lock the key if it is wrong does not stand in its own way."""
    locked = attempts.locked_by_central(known.key) or readiness.failures > attempts.LOCK_AT
    return access.refusal_before_pin(seen.record, known, replace(readiness, locked=locked))


def sync_duty(refusal: Refusal | None, seen: KeySeen, known: KeyKnown, *, cannot: bool) -> SyncDuty:
    """What becomes of ``sync`` on the key; ``cannot``: this station may activate no key now."""
    # A station that cannot activate may still know that a key does not qualify: then no box may activate it either.
    if refusal not in {None, Refusal.UNKNOWN, Refusal.STATION}:
        return SyncDuty.CLEAR
    if refusal is Refusal.UNKNOWN and known.key is not None and known.key.record.issued > seen.record.issued:
        # Central has signed another record since: this one's holder no longer has the key.
        return SyncDuty.CLEAR
    return SyncDuty.LEAVE if cannot or refusal is not None else SyncDuty.WRITE
