"""Either all digits of an entry count or none: what goes on after a digit was lost is no PIN.

Digits are lost where nobody takes them: before a key is noticed whose contact bounces as it goes in, while it has not
said which it is, while the PIN before is being checked. The rest of such an entry would be a wrong PIN that nobody
typed.
"""

from dataclasses import replace

from station.rules.facts import Now
from station.visit.inputs import KeystrokeTyped, TimePassed, VisitInput
from station.visit.state import Phase, Presence, State

GOES_ON_WITHIN_S = 3.0
"""A digit so soon after a lost one belongs to the same entry."""
SAID_FOR_S = 5.0
"""After `#` of such an entry, the screen still says so."""
_DIGITS = frozenset("0123456789")
_UNIDENTIFIED = frozenset({Phase.CLEARING, Phase.READING})


def belongs_to_lost_entry(state: State, received: VisitInput, now: Now) -> bool:
    """Whether it is a keystroke of an entry of which a digit was lost. `*` begins another."""
    lost_until_s = state.digits_lost_until_s
    typed = isinstance(received, KeystrokeTyped) and received.stroke != "*"
    return typed and lost_until_s is not None and now.mono_s < lost_until_s


def drop_keystroke(state: State, received: KeystrokeTyped, now: Now) -> State:
    """Take no notice of it; `#` ends the entry, and nothing is checked."""
    until_s = now.mono_s if received.stroke == "#" else max(state.digits_lost_until_s or 0, _goes_on_until(state, now))
    return replace(state, digits_lost_until_s=until_s, stroke_s=now.mono_s)


def note_lost_digits(before: State, after: State, received: VisitInput, now: Now) -> State:
    """``after``, with whether a digit that was typed before or just now was lost on the way from ``before``."""
    until_s = before.digits_lost_until_s if after.digits_lost_until_s is None else after.digits_lost_until_s
    if isinstance(received, KeystrokeTyped):
        if received.stroke == "*" or len(after.entry) > len(before.entry):
            until_s = None
        elif received.stroke in _DIGITS and not len(before.entry):
            after, until_s = replace(after, stroke_s=now.mono_s), _goes_on_until(before, now)
    elif len(before.entry) and not before.entry.complete and not len(after.entry):
        # The same visit begins again: where it was cleared, they would have counted for as long.
        anew = after.visit == before.visit and after.phase is Phase.CLEARING
        timed_out = isinstance(received, TimePassed) and before.presence is not Presence.OUT
        within_s = before.policy.entry_timeout_s if anew else GOES_ON_WITHIN_S
        until_s = None if timed_out else before.stroke_s + within_s
    elif until_s is not None and after.visit != before.visit:
        until_s = min(until_s, before.stroke_s + GOES_ON_WITHIN_S)
    return after if after.digits_lost_until_s == until_s else replace(after, digits_lost_until_s=until_s)


def said(state: State, now: Now) -> bool:
    """Whether the screen should say that the PIN has to be typed from its beginning."""
    until_s = state.digits_lost_until_s
    return until_s is not None and now.mono_s < until_s + SAID_FOR_S and not len(state.entry)


def _goes_on_until(state: State, now: Now) -> float:
    bounces = state.phase in _UNIDENTIFIED and state.presence is not Presence.IN
    return now.mono_s + (state.policy.entry_timeout_s if bounces else GOES_ON_WITHIN_S)
