"""The visit machine: what a station does about the key in its socket.

``step(state, received, now) -> (state, effects)`` is synchronous, total and deterministic. Where the visit is
(`Phase`) and whether its key is there (`Presence`) are two things; for each pair that there is, `TABLE` says what each
input does. The diagrams in the documentation are generated from it.

The rules that the machine keeps; each check names the one that it is for:

 1. Insertion switches the key off, before anything else is asked of it. Whatever fails later, the key is then closed.
    (Where a ready key was a moment ago, it is first asked which it is: its contact may only have bounced.)
 2. Only what is said of the insertion that is now, or was last, and of the PIN of this visit changes anything.
 3. A key that is out for a moment goes on with its visit, once it has shown that it is the same key. What was typed for
    one key, or granted to it, never counts for another.
 4. A key that is unknown, blocked, returned or locked, or whose holder has ended, is refused before any PIN; news from
    central count while the key is in.
 5. A station that cannot activate (`OffOnlyReason`) only switches off: it asks for no PIN.
 6. Digits typed since insertion are kept, and count when the prompt comes; `*` restarts the entry; some seconds without
    the key, or 20 s without a keystroke, clear it. An entry of which a digit was lost is not looked at.
 7. A PIN is counted before it is looked at; what is shorter than the site's PINs is neither. Its verdict counts
    whenever it comes, even if its visit is over by then: a wrong one is recorded and may lock the key, a right one
    takes its count back.
 8. No PIN is taken while a wait is running. The tenth wrong one locks the key.
 9. A key is activated for a right PIN of its visit and for nothing else (an update box, which asks for no PIN: for its
    insertion).
10. Ready is said of a key whose activation was written and read back in this visit. Left in, it is switched off again.
11. Of a key that has not said which it is since it was put in, nothing is said that is known of the one before.
12. Switching off is always allowed: any key, anyone, any station.
13. A blank key is handed out for a code of ten digits, typed while it asks for one, and for nothing else: what was
    typed before, what begins with `*`, and what has another length goes nowhere. Until its record is read back it is
    blank and off. No PIN is counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from station.rules.facts import Now
from station.visit import hand_out_handlers as visit_hand_out
from station.visit import key_handlers as visit_key
from station.visit import lost_digits
from station.visit import pin_handlers as visit_pin
from station.visit.inputs import (
    ActivationCleared,
    ActivationFailed,
    Answer,
    ClearFailed,
    HandedOut,
    HandOutFailed,
    KeyActivated,
    KeyBlank,
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
    StationChanged,
    TimePassed,
    VisitInput,
)
from station.visit.state import Phase, Place, Presence, Result, State, unexpected

Handler: TypeAlias = Callable[[State, Any, Now], Result]


def step(state: State, received: VisitInput, now: Now) -> Result:
    """The next state, and what to do about it. Never raises."""
    # Rule 2: a slow answer is no answer about the next key.
    if isinstance(received, Answer) and received.insertion != state.insertion:
        return state, ()
    if isinstance(received, PinChecked | PinCheckFailed) and received.visit != state.visit:
        return NO_VISIT_WAITS[type(received)].handler(state, received, now)
    # Rule 6: all digits of an entry or none.
    if isinstance(received, KeystrokeTyped) and lost_digits.belongs_to_lost_entry(state, received, now):
        return lost_digits.drop_keystroke(state, received, now), ()
    after, effects = TABLE[state.place][type(received)].handler(state, received, now)
    return lost_digits.note_lost_digits(state, after, received, now), effects


def ignore(state: State, _received: VisitInput, _now: Now) -> Result:
    """Nothing: it may come here."""
    return state, ()


def report(state: State, received: VisitInput, _now: Now) -> Result:
    """Report it: it cannot come here, and nothing opens because of it."""
    return unexpected(state, received)


def take_station(state: State, received: StationChanged, _now: Now) -> Result:
    """Decide by the station's new facts from now on."""
    return replace(state, station=received.station), ()


@dataclass(frozen=True, slots=True)
class Row:
    """What one input does at one place, and the places that it may lead to (none named: it stays)."""

    handler: Handler
    targets: frozenset[Place] = frozenset()


_Rows: TypeAlias = Mapping[type[VisitInput], Row]


def _in(*phases: Phase) -> frozenset[Place]:
    return frozenset((phase, Presence.IN) for phase in phases)


def _out(*phases: Phase) -> frozenset[Place]:
    return frozenset((phase, Presence.OUT) for phase in phases)


def _returning(*phases: Phase) -> frozenset[Place]:
    return frozenset((phase, Presence.RETURNING) for phase in phases)


_ANSWERS: tuple[type[VisitInput], ...] = (
    ActivationCleared,
    ClearFailed,
    KeyRead,
    ReadFailed,
    KeyBlank,
    HandedOut,
    HandOutFailed,
    KeyIdentified,
    KeyActivated,
    ActivationFailed,
)
_IGNORED, _REPORTED = Row(ignore), Row(report)
_BREAKS = Row(visit_key.reader_failed, _out(Phase.BROKEN))
_BEGINS = Row(visit_key.begin_visit, _in(Phase.CLEARING))
_KEPT = Row(visit_pin.keep_keystroke)
_CLEARED_IN_TIME = Row(visit_pin.clear_old_entry)
_STILL_ON = Row(visit_key.clear_failed, _in(Phase.STILL_ON))
_NOT_UNDONE = Row(visit_key.undo_failed, _in(Phase.STILL_ON))
_UNREADABLE = Row(visit_key.read_failed, _in(Phase.UNREADABLE))
_BLANK = Row(visit_hand_out.ask_for_code, _in(Phase.BLANK))
_BEGINS_OR_GOES_ON = Row(visit_key.unidentified_key_back, _in(Phase.CLEARING))

NO_VISIT_WAITS: _Rows = {PinChecked: Row(visit_pin.count_late_verdict), PinCheckFailed: _IGNORED}
"""A verdict that no visit waits for, or not any more."""

_USUAL: _Rows = {
    KeyInserted: _REPORTED,
    KeyRemoved: _REPORTED,
    ReaderFailed: _BREAKS,
    ReaderRecovered: _REPORTED,
    **dict.fromkeys(_ANSWERS, _REPORTED),
    MirrorRefreshed: _IGNORED,
    **NO_VISIT_WAITS,
    KeystrokeTyped: _IGNORED,
    TimePassed: _IGNORED,
    StationChanged: Row(take_station),
}
"""What each input does where nothing else is said below."""
_LATE_ANSWERS: _Rows = dict.fromkeys(_ANSWERS, _IGNORED)
"""Without a key: the answers of an insertion that has just ended still come in."""

_READ = _in(Phase.PROMPT, Phase.REFUSED, Phase.CHECKING, Phase.ACTIVATING)
_JUDGED = (Phase.PROMPT, Phase.REFUSED, Phase.ACTIVATING)

_NO_VISIT: Mapping[Phase, _Rows] = {
    Phase.EMPTY: {KeyInserted: _BEGINS, TimePassed: Row(visit_key.clear_removed_key)},
    Phase.BROKEN: {
        KeyInserted: _BEGINS,
        ReaderFailed: _IGNORED,
        ReaderRecovered: Row(visit_key.reader_recovered, _out(Phase.EMPTY)),
    },
}
_KEY_IN: Mapping[Phase, _Rows] = {
    Phase.CLEARING: {
        ActivationCleared: Row(visit_key.read_cleared_key, _in(Phase.READING)),
        ClearFailed: _STILL_ON,
        KeystrokeTyped: _KEPT,
        TimePassed: _CLEARED_IN_TIME,
    },
    Phase.READING: {
        KeyRead: Row(visit_key.key_read, _READ),
        ReadFailed: _UNREADABLE,
        KeyBlank: _BLANK,
        ClearFailed: _STILL_ON,
        KeystrokeTyped: _KEPT,
        TimePassed: _CLEARED_IN_TIME,
    },
    Phase.PROMPT: {
        MirrorRefreshed: Row(visit_key.take_news, _in(Phase.REFUSED, Phase.READING)),
        KeystrokeTyped: Row(visit_pin.type_at_prompt, _in(Phase.CHECKING)),
        TimePassed: _CLEARED_IN_TIME,
    },
    Phase.CHECKING: {
        PinChecked: Row(visit_pin.take_verdict, _in(*_JUDGED)),
        PinCheckFailed: Row(visit_pin.take_failed_check, _in(Phase.REFUSED)),
    },
    Phase.ACTIVATING: {
        KeyActivated: Row(visit_key.key_activated, _in(Phase.READY, Phase.SWITCHING_OFF)),
        ActivationFailed: Row(visit_key.activation_failed, _in(Phase.REFUSED)),
        ClearFailed: _NOT_UNDONE,
    },
    Phase.READY: {TimePassed: Row(visit_key.switch_off_if_left_in, _in(Phase.SWITCHING_OFF))},
    Phase.REFUSED: {MirrorRefreshed: Row(visit_key.take_news, _in(Phase.PROMPT, Phase.READING))},
    Phase.STILL_ON: {},
    Phase.UNREADABLE: {},
    Phase.BLANK: {
        KeystrokeTyped: Row(visit_hand_out.type_code, _in(Phase.HANDING_OUT)),
        TimePassed: Row(visit_hand_out.clear_old_code),
    },
    Phase.HANDING_OUT: {
        HandedOut: Row(visit_hand_out.handed_out, _in(Phase.HANDED_OUT)),
        HandOutFailed: Row(visit_hand_out.ask_again, _in(Phase.BLANK)),
    },
    Phase.HANDED_OUT: {MirrorRefreshed: Row(visit_hand_out.name_holder)},
    Phase.SWITCHING_OFF: {
        ActivationCleared: Row(visit_key.left_in_is_off, _in(Phase.LEFT_IN)),
        ClearFailed: _NOT_UNDONE,
    },
    Phase.LEFT_IN: {},
}
_KEY_OUT: Mapping[Phase, _Rows] = {
    **{phase: {} for phase in _KEY_IN},
    Phase.CLEARING: {KeyInserted: _BEGINS_OR_GOES_ON},
    Phase.READING: {KeyInserted: _BEGINS_OR_GOES_ON},
    # Rule 3: any blank key may be another one. What was typed for this one is gone.
    Phase.BLANK: {KeyInserted: _BEGINS_OR_GOES_ON},
    Phase.HANDING_OUT: {
        KeyInserted: _BEGINS_OR_GOES_ON,
        HandedOut: Row(visit_hand_out.handed_out_and_out, _out(Phase.HANDED_OUT)),
    },
    Phase.STILL_ON: {KeyInserted: _BEGINS},
    Phase.UNREADABLE: {KeyInserted: _BEGINS},
    # Rule 6: the contact bounces, the hand goes on typing.
    Phase.PROMPT: {KeystrokeTyped: _KEPT},
    Phase.CHECKING: {
        PinChecked: Row(visit_pin.take_verdict, _out(*_JUDGED)),
        PinCheckFailed: Row(visit_pin.take_failed_check, _out(Phase.REFUSED)),
    },
    Phase.ACTIVATING: {KeyActivated: Row(visit_key.activated_and_out, _out(Phase.READY))},
}
_READ_AGAIN: _Rows = {
    ActivationCleared: Row(visit_key.read_returned_key),
    ClearFailed: _STILL_ON,
    KeyRead: Row(visit_key.read_again, _READ),
    ReadFailed: _UNREADABLE,
    KeyBlank: _BLANK,
}
_TYPED_AHEAD: _Rows = {KeystrokeTyped: _KEPT, TimePassed: _CLEARED_IN_TIME}
_KEY_RETURNING: Mapping[Phase, _Rows] = {
    Phase.PROMPT: {**_READ_AGAIN, **_TYPED_AHEAD},
    # With a PIN under way there is no prompt to type ahead for.
    Phase.CHECKING: {
        **_READ_AGAIN,
        KeyRead: Row(visit_key.read_again_while_checking, _READ),
        PinChecked: Row(visit_pin.take_verdict, _returning(*_JUDGED)),
        PinCheckFailed: Row(visit_pin.take_failed_check, _returning(Phase.REFUSED)),
    },
    Phase.ACTIVATING: {**_READ_AGAIN, KeyRead: Row(visit_key.read_again_while_activating, _READ - _in(Phase.CHECKING))},
    Phase.READY: {KeyIdentified: Row(visit_key.ready_key_identified, _in(Phase.READY, Phase.CLEARING))},
    Phase.REFUSED: {**_READ_AGAIN, **_TYPED_AHEAD},
    Phase.SWITCHING_OFF: {**_READ_AGAIN, **_TYPED_AHEAD},
    Phase.LEFT_IN: {**_READ_AGAIN, **_TYPED_AHEAD},
    Phase.HANDED_OUT: {**_READ_AGAIN, **_TYPED_AHEAD},
}


def _with_key_in(phase: Phase, rows: _Rows) -> _Rows:
    return {**_USUAL, KeyRemoved: Row(visit_key.key_out, _out(phase)), **rows}


def _with_key_out(phase: Phase, rows: _Rows) -> _Rows:
    back = Row(visit_key.key_back, _returning(phase) | _in(Phase.CLEARING))
    over = Row(visit_key.end_if_out_for_long, _out(Phase.EMPTY))
    return {**_USUAL, **_LATE_ANSWERS, KeyInserted: back, TimePassed: over, **rows}


TABLE: Mapping[Place, _Rows] = {
    **{(phase, Presence.OUT): {**_USUAL, **_LATE_ANSWERS, **rows} for phase, rows in _NO_VISIT.items()},
    **{(phase, Presence.IN): _with_key_in(phase, rows) for phase, rows in _KEY_IN.items()},
    **{(phase, Presence.OUT): _with_key_out(phase, rows) for phase, rows in _KEY_OUT.items()},
    **{(phase, Presence.RETURNING): _with_key_in(phase, rows) for phase, rows in _KEY_RETURNING.items()},
}
"""Every place that there is × every input."""
