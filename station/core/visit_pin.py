"""The PIN in a visit: keystrokes, what ``#`` asks for, and the verdict.

Handlers of the table in ``station.core.visit``.
"""

from dataclasses import replace

from station.core import access, attempts
from station.core.entry import Entry
from station.core.events import (
    AcceptPin,
    ActivateKey,
    CheckPin,
    Effect,
    KeySeen,
    KeystrokeTyped,
    PinChecked,
    PinCheckFailed,
    PrepareKey,
    RecordRefusal,
    RejectPin,
    Ring,
    SyncDuty,
    TimePassed,
)
from station.core.facts import Attempts, Grant, KeyKnown, Now, Refusal
from station.core.visit_state import PIN_TAKEN, Phase, Result, State


def typed_ahead(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """Digits, and ``#`` itself, are kept for the prompt."""
    # With a PIN under way there is no prompt to type ahead for.
    return (state, ()) if state.left_as in PIN_TAKEN else (_edited(state, event, now), ())


def typed_while_out(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """The contact bounces, the hand goes on typing: it counts if the same key comes back to its prompt."""
    return (_edited(state, event, now), ()) if state.left_as is Phase.PROMPT else (state, ())


def typed(state: State, event: KeystrokeTyped, now: Now) -> Result:
    """A PIN is typed at the prompt; ``#`` has it checked, unless a wait is running."""
    if event.stroke == "#":
        return submitted(replace(state, stroke_s=now.mono_s), now)
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


def submitted(state: State, now: Now) -> Result:
    """``#``: what was typed is checked, unless nothing was or a wait is running."""
    if not len(state.entry) or state.seen is None:
        return state, ()
    if now.mono_s < state.attempts.wait_until_s:
        return replace(state, entry=Entry()), ()
    checking = replace(state, phase=Phase.CHECKING, since_s=now.mono_s, entry=Entry(), refusal=None)
    return checking, (CheckPin(state.visit, state.entry, state.seen, state.known),)


def checked(state: State, event: PinChecked, now: Now) -> Result:
    """The verdict, whether the key is still in or out for a moment: activate, prompt again, or refuse."""
    seen = state.seen
    if seen is None or Phase.CHECKING not in {state.phase, state.left_as}:
        return state, ()
    present = state.phase is Phase.CHECKING
    state = replace(state, known=event.known)
    before = refusal_at_pin(seen, event.known, event.attempts)
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
    return (PrepareKey(state.insertion, state.seen, state.known, sync_duty(refusal, cannot=False)),)


def check_failed(state: State, _event: PinCheckFailed, now: Now) -> Result:
    """The PIN could not be counted, so it was not looked at: no activation here."""
    if Phase.CHECKING not in {state.phase, state.left_as}:
        return state, ()
    return _refused_after_pin(state, Refusal.STATION, now, present=state.phase is Phase.CHECKING), (Ring(),)


def _refused_after_pin(state: State, refusal: Refusal, now: Now, *, present: bool) -> State:
    if not present:
        return replace(state, left_as=Phase.REFUSED, refusal=refusal)
    return replace(state, phase=Phase.REFUSED, refusal=refusal, since_s=now.mono_s)


def refusal_at_pin(seen: KeySeen, known: KeyKnown, standing: Attempts) -> Refusal | None:
    """As before the PIN, but the attempt that would lock the key if it is wrong does not stand in its own way."""
    locked = attempts.locked_by_central(known.key) or standing.failures > attempts.LOCK_AT
    return access.refusal_before_pin(seen.record, known, replace(standing, locked=locked))


def sync_duty(refusal: Refusal | None, *, cannot: bool) -> SyncDuty:
    """What becomes of ``sync`` on the key; ``cannot``: this station may activate no key now."""
    # A station that cannot activate may still know that a key does not qualify: then no box may activate it either.
    if refusal not in {None, Refusal.UNKNOWN}:
        return SyncDuty.CLEAR
    return SyncDuty.LEAVE if cannot or refusal is not None else SyncDuty.WRITE


def entry_ages(state: State, _event: TimePassed, now: Now) -> Result:
    """Digits that nobody goes on with are cleared."""
    if now.mono_s - state.stroke_s < state.policy.entry_timeout_s or not len(state.entry):
        return state, ()
    return replace(state, entry=Entry(), submitted=False), ()
