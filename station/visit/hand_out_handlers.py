"""Handing out a blank key: the code, what came of it, and the key that says which it is from then on.

Handlers of the table in ``station.visit.machine``, where the rules are listed.
"""

from dataclasses import replace

from station.rules.facts import Now
from station.rules.hand_out import CODE_DIGITS, HandOutTold
from station.visit import pin_handlers as visit_pin
from station.visit.effects import HandOut
from station.visit.entry import Entry
from station.visit.inputs import HandedOut, HandOutFailed, KeyBlank, KeystrokeTyped, MirrorRefreshed, TimePassed
from station.visit.state import (
    KeyIs,
    KeyLeft,
    Phase,
    RemovedKey,
    Result,
    State,
    take_for_another_key,
    unexpected,
)


def ask_for_code(state: State, received: KeyBlank, now: Now) -> Result:
    """Ask for the code that hands it out. What was typed until now was meant for a PIN."""
    # Rule 1: nothing is asked of a key that may be on.
    if state.act is not KeyIs.OFF:
        return unexpected(state, received)
    blank, ending = take_for_another_key(state)
    return replace(blank, phase=Phase.BLANK, since_s=now.mono_s), ending


def type_code(state: State, received: KeystrokeTyped, now: Now) -> Result:
    """Add to the code; ``#`` has the key handed out. What began with ``*`` is a PIN and goes nowhere."""
    # Rule 13: a PIN that is typed by mistake leaves this machine as little as any other.
    if received.stroke == "*":
        return replace(state, entry=Entry(), stroke_s=now.mono_s, hand_out=HandOutTold.PIN_BEGUN), ()
    if received.stroke == "#":
        return _send_code(replace(state, stroke_s=now.mono_s), now)
    typed = visit_pin.edited(state, received, now)
    stays = state.hand_out is HandOutTold.PIN_BEGUN or not len(typed.entry)
    return (typed if stays else replace(typed, hand_out=None)), ()


def _send_code(state: State, now: Now) -> Result:
    anew = replace(state, entry=Entry())
    if state.hand_out is HandOutTold.PIN_BEGUN or len(state.entry) not in {0, CODE_DIGITS}:
        return replace(anew, hand_out=HandOutTold.NOT_A_CODE), ()
    # Without a connection, and while central takes no code, the screen says so.
    if not len(state.entry) or not state.station.online or now.mono_s < state.hand_out_wait_until_s:
        return anew, ()
    return replace(anew, phase=Phase.HANDING_OUT, since_s=now.mono_s), (HandOut(state.insertion, state.entry),)


def clear_old_code(state: State, _received: TimePassed, now: Now) -> Result:
    """Clear digits that nobody goes on with."""
    if now.mono_s - state.stroke_s < state.policy.entry_timeout_s:
        return state, ()
    begun = state.hand_out is HandOutTold.PIN_BEGUN
    return (
        (replace(state, entry=Entry(), hand_out=None if begun else state.hand_out), ())
        if (begun or len(state.entry))
        else (state, ())
    )


def ask_again(state: State, received: HandOutFailed, now: Now) -> Result:
    """Say why the key is still blank, and ask for a code again."""
    return replace(
        state,
        phase=Phase.BLANK,
        since_s=now.mono_s,
        stroke_s=now.mono_s,
        hand_out=received.told,
        hand_out_wait_until_s=now.mono_s + received.wait_s,
    ), ()


def handed_out(state: State, received: HandedOut, now: Now) -> Result:
    """Say whose key it is now. It is off: switching it on takes a visit of its own."""
    return replace(state, phase=Phase.HANDED_OUT, since_s=now.mono_s, seen=received.seen, known=received.known), ()


def handed_out_and_out(state: State, received: HandedOut, _now: Now) -> Result:
    """Say that the key is off and handed out: it was pulled between the read-back and the word of it."""
    farewell = RemovedKey(KeyLeft.OFF, named=True)
    return replace(state, phase=Phase.HANDED_OUT, seen=received.seen, known=received.known, farewell=farewell), ()


def name_holder(state: State, received: MirrorRefreshed, _now: Now) -> Result:
    """Say whose key it is, if central has told that only now."""
    return replace(state, known=received.known), ()
