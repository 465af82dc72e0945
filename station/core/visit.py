"""The visit machine: what a station does about the key in its socket.

``step(state, event, now) -> (state, effects)`` is synchronous, total and deterministic. Every phase × event pair stands
in `TABLE`; the diagram in the documentation is generated from it. Performing the effects, and feeding back what came
of them, is the work of ``station.runtime.loop``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from station.core import access, visit_key, visit_pin
from station.core.events import (
    AcceptPin,
    ActivationCleared,
    ActivationFailed,
    Answer,
    ClearFailed,
    Effect,
    Event,
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
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    RejectPin,
    ReportUnexpected,
    StationChanged,
    TimePassed,
)
from station.core.facts import Grant, Now, Refusal
from station.core.visit_state import Phase, Result, State

Handler: TypeAlias = Callable[[State, Any, Now], Result]


def step(state: State, event: Event, now: Now) -> Result:
    """The next state, and what to do about it. Never raises."""
    if isinstance(event, Answer) and event.insertion != state.insertion:
        return state, ()
    if isinstance(event, PinChecked | PinCheckFailed) and event.visit != state.visit:
        return state, ()
    return TABLE[state.phase][type(event)].handler(state, event, now)


def late_verdict(state: State, event: PinChecked, seen: KeySeen, now: Now) -> tuple[Effect, ...]:
    """What is owed for a PIN whose visit ended before it was judged: the key was swapped, or the reader is gone.

    A wrong one is recorded and locks like any other, a right one gets its count back. Nothing for a verdict that the
    visit still waits for: that is for `step`.
    """
    awaited = TABLE[state.phase][PinChecked].handler is visit_pin.checked and Phase.CHECKING in {
        state.phase,
        state.left_as,
    }
    if event.visit == state.visit and awaited:
        return ()
    if visit_pin.refusal_at_pin(seen, event.known, event.attempts) is not None:
        return ()
    verdict = access.decide(
        event.known, event.person, event.pin_tag, event.own_permit, state.station, state.policy, now
    )
    if isinstance(verdict, Refusal) and verdict in access.COUNTED:
        return (RejectPin(seen, event.known, verdict, locked=event.attempts.locked),)
    return (AcceptPin(seen, event.known, Refusal.KEY_FAULT if isinstance(verdict, Grant) else verdict),)


def _station_changed(state: State, event: StationChanged, _now: Now) -> Result:
    """The new standing holds from the next decision on."""
    return replace(state, station=event.station), ()


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


_BREAK = _row(visit_key.reader_failed, Phase.BROKEN)
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
    KeyRemoved: _row(visit_key.removed, Phase.GONE),
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

_CHECKED = _row(visit_pin.checked, Phase.PROMPT, Phase.REFUSED, Phase.ACTIVATING)
_CHECK_FAILED = _row(visit_pin.check_failed, Phase.REFUSED)
# The verdict on a PIN may come in while the key is out for a moment, or on its way back.
_RETURNING: _Rows = {PinChecked: _row(visit_pin.checked), PinCheckFailed: _row(visit_pin.check_failed)}

TABLE: Mapping[Phase, Mapping[type[Event], Row]] = {
    Phase.EMPTY: _ABSENT
    | {KeyInserted: _row(visit_key.inserted, Phase.CLEARING), TimePassed: _row(visit_key.farewell_ages)},
    Phase.CLEARING: _PRESENT
    | _RETURNING
    | {
        ActivationCleared: _row(visit_key.cleared, Phase.READING),
        ClearFailed: _row(visit_key.clear_failed, Phase.STILL_ON),
        KeystrokeTyped: _row(visit_pin.typed_ahead),
        TimePassed: _row(visit_pin.entry_ages),
    },
    Phase.READING: _PRESENT
    | _RETURNING
    | {
        KeyRead: _row(visit_key.read, Phase.PROMPT, Phase.REFUSED, Phase.CHECKING, Phase.ACTIVATING),
        ReadFailed: _row(visit_key.read_failed, Phase.UNREADABLE),
        ClearFailed: _row(visit_key.clear_failed, Phase.STILL_ON),
        KeystrokeTyped: _row(visit_pin.typed_ahead),
        TimePassed: _row(visit_pin.entry_ages),
    },
    Phase.PROMPT: _PRESENT
    | {
        MirrorRefreshed: _row(visit_key.refreshed, Phase.REFUSED),
        KeystrokeTyped: _row(visit_pin.typed, Phase.CHECKING),
        TimePassed: _row(visit_pin.entry_ages),
    },
    Phase.CHECKING: _PRESENT | {PinChecked: _CHECKED, PinCheckFailed: _CHECK_FAILED},
    Phase.ACTIVATING: _PRESENT
    | {
        KeyActivated: _row(visit_key.activated, Phase.READY),
        ActivationFailed: _row(visit_key.activation_failed, Phase.REFUSED),
        ClearFailed: _row(visit_key.not_off_again, Phase.STILL_ON),
    },
    Phase.READY: _PRESENT | {TimePassed: _row(visit_key.ready_ages, Phase.SWITCHING_OFF)},
    Phase.REFUSED: _PRESENT | {MirrorRefreshed: _row(visit_key.refreshed, Phase.PROMPT)},
    Phase.STILL_ON: _PRESENT,
    Phase.UNREADABLE: _PRESENT,
    Phase.SWITCHING_OFF: _PRESENT
    | {
        ActivationCleared: _row(visit_key.left_in_off, Phase.LEFT_IN),
        ClearFailed: _row(visit_key.not_off_again, Phase.STILL_ON),
    },
    Phase.LEFT_IN: _PRESENT,
    Phase.GONE: _ABSENT
    | _RETURNING
    | {
        KeyInserted: _row(visit_key.back, Phase.CLEARING, Phase.IDENTIFYING),
        KeyActivated: _row(visit_key.activated_gone),
        KeystrokeTyped: _row(visit_pin.typed_while_out),
        TimePassed: _row(visit_key.gone_ages, Phase.EMPTY),
    },
    Phase.IDENTIFYING: _PRESENT | {KeyIdentified: _row(visit_key.identified, Phase.READY, Phase.CLEARING)},
    Phase.BROKEN: _ABSENT
    | {
        KeyInserted: _row(visit_key.inserted, Phase.CLEARING),
        ReaderFailed: _STAYS,
        ReaderRecovered: _row(visit_key.reader_recovered, Phase.EMPTY),
    },
}
