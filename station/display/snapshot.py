"""From the visit's state to what the screen shows: one snapshot, without words."""

import math
from dataclasses import dataclass, field, replace

from station.display.idle import HelpTopic, IdleState, View
from station.display.key_findings import KeyFindings, notes
from station.display.screen import IdlePage, Line, Notes, OutsideHelp, Progress, Receipt, Screen, Status, Technician
from station.records.claims import EVERY_AREA
from station.rules.attempts import LOCK_AT
from station.rules.facts import Grant, KeyKnown, Now, OffOnlyReason, Refusal
from station.rules.support import first_of, line_at, others_than
from station.visit import lost_digits
from station.visit.state import KeyLeft, Phase, Presence, State

IDLE_LINES = frozenset({Line.EMPTY, Line.READER_BROKEN})
"""Only where nobody waits for anything else is there room for help."""
FLICKER_LINES = frozenset(
    {
        Line.READING,
        Line.CHECKING,
        Line.ACTIVATING,
        Line.OUT_OFF,
        Line.OUT_EARLY,
        Line.OUT_UNSURE,
        Line.PROMPT,
        Line.BLANK,
        Line.HANDING_OUT,
        Line.OUT_HANDING_OUT,
    }
)
"""A receipt stays a receipt, also while the contact flickers."""
NOTES_LINES = frozenset({Line.PROMPT, Line.READY, Line.OUT_READY, Line.OUT_OFF, Line.LEFT_IN})
HELPLESS_LINES = frozenset({Line.READER_BROKEN, Line.REFUSED, Line.STILL_ON, Line.UNREADABLE})
NEIGHBOURS_SHOWN = 4
TOLD_FROM = 7
"""From so many wrong PINs on the screen says how many are left."""
REMINDER_S = 15.0
"""A key left in is told so long before it is switched off again, and the bell rings."""
FLICKERS = 3
"""So many losses within `FLICKERS_WITHIN_S` are no hand that changes its mind."""
FLICKERS_WITHIN_S = 6.0


@dataclass(frozen=True, slots=True)
class Contact:
    """When the contact between key and socket was lost, lately: a hand that wavers is told how to hold the key."""

    lost_s: tuple[float, ...] = ()

    def lost(self, now_s: float) -> "Contact":
        """Note that it was lost once more."""
        return Contact((*self.lost_s, now_s)[-FLICKERS:])

    def flickers(self, now_s: float) -> bool:
        """Whether the key should be held."""
        return len(self.lost_s) == FLICKERS and now_s - self.lost_s[0] <= FLICKERS_WITHIN_S


@dataclass(frozen=True, slots=True)
class ScreenExtras:
    """What is shown besides the visit's own state; none of it decides anything."""

    findings: KeyFindings = field(default_factory=KeyFindings)
    progress: Progress | None = None
    contact: Contact = field(default_factory=Contact)
    idle: IdleState = field(default_factory=IdleState)
    technician: Technician | None = None


NO_EXTRAS = ScreenExtras()


def screen(state: State, now: Now, extras: ScreenExtras = NO_EXTRAS) -> Screen:
    """What to show for ``state`` at ``now``."""
    line = _line(state, now)
    named = _named(state)
    holder = named.grant.holder if named.grant else named.known.holder
    told = _notes(named, line, now, extras.findings)
    idle_page = _idle_page(state, line, extras)
    return Screen(
        line=line,
        status=status(state, now),
        digits=len(state.entry),
        digits_lost=line in {Line.PROMPT, Line.WRONG_PIN, Line.BLANK} and lost_digits.said(state, now),
        tries_left=_tries_left(state, line),
        key=named.seen.record.key if named.seen else None,
        holder_name=(holder.name or None) if holder else None,
        language=holder.language if holder else None,
        refusal=_refusal(state, line),
        blocked_at=_blocked_at(named, line),
        unreadable=line is Line.OUT_OFF and state.farewell is not None and state.farewell.unreadable,
        hand_out=state.hand_out if line is Line.BLANK else None,
        wait_s=_wait_s(state, line, now),
        still_on_until=_still_on_until(state, line),
        halfway=line is Line.OUT_UNSURE and state.farewell is not None and state.farewell.switching_on,
        unseen=line is Line.OUT_UNSURE and state.farewell is not None and state.farewell.unseen,
        off_in_s=_off_in_s(state, now),
        receipt=_receipt(state, named.grant) if line in {Line.READY, Line.OUT_READY} and named.grant else None,
        kind=named.seen.record.kind if named.seen else None,
        unit_name=named.known.unit.name if named.known.unit else None,
        area_names=_area_names(named, told),
        notes=told,
        progress=extras.progress if line is Line.ACTIVATING else None,
        flickering=line in FLICKER_LINES and extras.contact.flickers(now.mono_s),
        outside_help=_outside_help(state, line, now, asked=idle_page is not None and idle_page.view is View.HELP),
        idle_page=idle_page,
    )


def may_sleep(state: State, now: Now) -> bool:
    """Whether the screen may go dark: nothing is on it that anybody must know."""
    return _line(state, now) is Line.EMPTY and state.station.off_only is None


def is_free(state: State, now: Now) -> bool:
    """Whether keystrokes are for help and the like, not for a key or for a receipt that is still to be read."""
    return _line(state, now) in IDLE_LINES


def _named(state: State) -> State:
    """``state`` with nothing of the key before, where the one that is or was in the socket has not said which it is."""
    unnamed = state.farewell is not None and not state.farewell.named
    if not unnamed and state.presence is not Presence.RETURNING:
        return state
    return replace(state, seen=None, known=KeyKnown(), grant=None)


def _notes(state: State, line: Line, now: Now, findings: KeyFindings) -> Notes:
    if line not in NOTES_LINES:
        return Notes()
    entry = state.grant.permit if state.grant else state.known.permit
    return notes(findings, entry.permit if entry else None, now)


def _area_names(state: State, told: Notes) -> tuple[tuple[int, str], ...]:
    if told.changes is None:
        return ()
    names = state.station.area_names
    return tuple((area, names[area]) for area in (*told.changes.added, *told.changes.removed) if area in names)


def _outside_help(state: State, line: Line, now: Now, *, asked: bool) -> OutsideHelp:
    """``asked``: somebody reads the pages of help."""
    station = state.station
    empty = line is Line.EMPTY and station.off_only not in {None, OffOnlyReason.STARTING}
    left = state.farewell if line is Line.OUT_OFF else None
    refused = left is not None and (left.refusal is not None or left.unreadable)
    if not asked and not empty and not refused and line not in HELPLESS_LINES:
        return OutsideHelp()
    # An hour that nothing vouches for would name the wrong line: then all that is known is who answers at any time.
    always = [line for line in station.support if line.holidays]
    lines = station.support if now.trust is not None else always or station.support
    line_now = line_at(lines, now.unix_s, station.zone, station.is_holiday)
    others = others_than(line_now, station.support) if asked else ()
    return OutsideHelp(first_of(station.neighbours, NEIGHBOURS_SHOWN), line_now, others)


def _idle_page(state: State, line: Line, extras: ScreenExtras) -> IdlePage | None:
    idle = extras.idle
    sleeping = idle.view is View.STANDBY and (line is not Line.EMPTY or state.station.off_only is not None)
    if idle.view is View.NONE or line not in IDLE_LINES or sleeping:
        return None
    return IdlePage(
        view=idle.view,
        topic=idle.topic,
        part=idle.part,
        digits=len(idle.entry),
        site_texts=state.station.help_texts.get(idle.topic, ()) if idle.topic is not None else (),
        privacy=state.station.privacy if idle.topic is HelpTopic.LOGGED else (),
        log_days=state.station.log_days if idle.topic is HelpTopic.LOGGED else None,
        look_ups=state.station.look_ups if idle.topic is HelpTopic.LOGGED else None,
        technician=extras.technician if idle.view is View.TECHNICIAN else None,
    )


def status(state: State, now: Now) -> Status:
    """How the station itself is doing."""
    station = state.station
    return Status(
        station=station.station,
        online=station.online,
        central_fault=station.central_fault,
        mirror_age_s=station.mirror_age_s,
        off_only=station.off_only,
        unix_s=now.unix_s,
        clock_trusted=now.trust is not None,
        time_zone=str(station.zone),
        offline_since=None if station.online else station.offline_since,
        role=station.role,
        name=station.name,
        pin_digits=station.pin_digits,
        config_rejected=station.config_rejected,
    )


def _line(state: State, now: Now) -> Line:
    if state.phase is Phase.BROKEN:
        return Line.READER_BROKEN
    if state.presence is Presence.OUT:
        return _OUT[state.farewell.key_left] if state.farewell is not None else Line.EMPTY
    return Line.READING if state.presence is Presence.RETURNING else _line_with_key(state, now)


def _line_with_key(state: State, now: Now) -> Line:
    if state.phase is Phase.PROMPT:
        return _prompt(state, now)
    # In a moment it is known whether this station can do more.
    cannot = state.phase is Phase.BLANK or (state.phase is Phase.REFUSED and state.refusal is Refusal.STATION)
    starting = cannot and state.station.off_only is OffOnlyReason.STARTING
    return Line.READING if starting else _WITH_KEY[state.phase]


_WITH_KEY = {
    Phase.EMPTY: Line.EMPTY,
    Phase.BROKEN: Line.EMPTY,
    Phase.CLEARING: Line.READING,
    Phase.READING: Line.READING,
    Phase.CHECKING: Line.CHECKING,
    Phase.ACTIVATING: Line.ACTIVATING,
    Phase.READY: Line.READY,
    Phase.REFUSED: Line.REFUSED,
    Phase.STILL_ON: Line.STILL_ON,
    Phase.UNREADABLE: Line.UNREADABLE,
    Phase.BLANK: Line.BLANK,
    Phase.HANDING_OUT: Line.HANDING_OUT,
    Phase.HANDED_OUT: Line.HANDED_OUT,
    Phase.SWITCHING_OFF: Line.READING,
    Phase.LEFT_IN: Line.LEFT_IN,
}
"""Where the phase says it all. (That none is missing is tested.)"""


def _prompt(state: State, now: Now) -> Line:
    if now.mono_s < state.attempts.wait_until_s:
        return Line.WAIT
    return Line.WRONG_PIN if state.pin_was_wrong else Line.PROMPT


_OUT = {
    KeyLeft.ON: Line.OUT_READY,
    KeyLeft.OFF: Line.OUT_OFF,
    KeyLeft.TOO_EARLY: Line.OUT_EARLY,
    KeyLeft.HANDING_OUT: Line.OUT_HANDING_OUT,
    KeyLeft.UNSURE: Line.OUT_UNSURE,
}
"""What the person who has just taken a key out should know."""


def _refusal(state: State, line: Line) -> Refusal | None:
    if line is Line.REFUSED:
        return state.refusal
    if line is Line.OUT_OFF and state.farewell is not None:
        return state.farewell.refusal
    return Refusal.WRONG_PIN if state.pin_was_wrong and line in {Line.WRONG_PIN, Line.WAIT} else None


def _blocked_at(state: State, line: Line) -> int | None:
    key = state.known.key
    return key.blocked_at if key is not None and _refusal(state, line) is Refusal.BLOCKED else None


def _wait_s(state: State, line: Line, now: Now) -> int | None:
    if line is Line.WAIT:
        return math.ceil(state.attempts.wait_until_s - now.mono_s)
    waits = line is Line.BLANK and now.mono_s < state.hand_out_wait_until_s
    return math.ceil(state.hand_out_wait_until_s - now.mono_s) if waits else None


def _tries_left(state: State, line: Line) -> int | None:
    told = line in {Line.PROMPT, Line.WRONG_PIN, Line.WAIT} and TOLD_FROM <= state.attempts.failures < LOCK_AT
    return LOCK_AT - state.attempts.failures if told else None


def _still_on_until(state: State, line: Line) -> int | None:
    if line is Line.OUT_UNSURE and state.farewell is not None:
        return state.farewell.may_open_until
    return state.still_on_until if line is Line.STILL_ON else None


def _off_in_s(state: State, now: Now) -> int | None:
    if state.place != (Phase.READY, Presence.IN):
        return None
    left_s = state.ready_s + state.policy.left_in_s - now.mono_s
    return max(math.ceil(left_s), 0) if left_s <= REMINDER_S else None


def _receipt(state: State, grant: Grant) -> Receipt:
    permit = grant.permit.permit
    every = permit.areas == EVERY_AREA
    names = state.station.area_names
    return Receipt(
        expires=grant.expires,
        shortened=grant.shortened,
        every_area=every,
        areas=() if every else permit.areas,
        area_names=() if every else tuple(names[a] for a in permit.areas if a in names),
        locks=len(permit.locks),
        mirror_age_s=state.station.mirror_age_s or 0,
        online=state.station.online,
    )
