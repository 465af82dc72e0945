"""From the visit's state to what the screen shows: one snapshot, without words."""

import math
from typing import assert_never

from station.core.facts import Grant, Now
from station.core.screen import Line, Receipt, Screen, Status
from station.core.visit import Phase, State
from station.records.claims import EVERY_AREA


def screen(state: State, now: Now) -> Screen:
    """What to show for ``state`` at ``now``."""
    line = _line(state, now)
    wait_s = math.ceil(state.attempts.wait_until_s - now.mono_s) if line is Line.WAIT else None
    refusal = state.refusal if line in {Line.REFUSED, Line.WRONG_PIN, Line.WAIT} else None
    holder = state.grant.holder if state.grant else state.known.holder
    return Screen(
        line=line,
        status=status(state, now),
        digits=len(state.entry),
        key=state.seen.record.key if state.seen else None,
        holder_name=holder.name if holder else None,
        language=holder.language if holder else None,
        refusal=refusal,
        wait_s=wait_s,
        still_on_until=_still_on_until(state, line),
        receipt=_receipt(state, state.grant) if line in {Line.READY, Line.OUT_READY} and state.grant else None,
        clock_was_unset=state.seen is not None and state.seen.clock_was_unset,
    )


def status(state: State, now: Now) -> Status:
    """How the station itself is doing."""
    station = state.station
    return Status(
        station=station.station,
        online=station.online,
        mirror_age_s=station.mirror_age_s,
        hindrance=station.hindrance,
        unix_s=now.unix_s,
        clock_trusted=now.trust is not None,
        time_zone=str(station.zone),
    )


def _line(state: State, now: Now) -> Line:
    match state.phase:
        case Phase.EMPTY | Phase.GONE:
            return _out(state.pulled_in)
        case Phase.CLEARING | Phase.READING | Phase.SWITCHING_OFF:
            return Line.READING
        case Phase.PROMPT:
            return _prompt(state, now)
        case Phase.CHECKING:
            return Line.CHECKING
        case Phase.ACTIVATING:
            return Line.ACTIVATING
        case Phase.READY | Phase.IDENTIFYING:
            return Line.READY
        case Phase.REFUSED:
            return Line.REFUSED
        case Phase.STILL_ON:
            return Line.STILL_ON
        case Phase.UNREADABLE:
            return Line.UNREADABLE
        case Phase.LEFT_IN:
            return Line.LEFT_IN
        case Phase.BROKEN:
            return Line.READER_BROKEN
        case never:  # pragma: no cover
            assert_never(never)


def _prompt(state: State, now: Now) -> Line:
    if now.mono_s < state.attempts.wait_until_s:
        return Line.WAIT
    return Line.WRONG_PIN if state.refusal is not None else Line.PROMPT


def _out(pulled_in: Phase | None) -> Line:
    """What the person who has just taken a key out should know."""
    match pulled_in:
        case None:
            return Line.EMPTY
        case Phase.READY | Phase.IDENTIFYING:
            return Line.OUT_READY
        case Phase.CHECKING:
            return Line.OUT_EARLY
        case Phase.CLEARING | Phase.ACTIVATING | Phase.STILL_ON | Phase.SWITCHING_OFF:
            # Pulled while `act` was being written or cleared: only the next station can tell.
            return Line.OUT_UNSURE
        case _:
            return Line.OUT_OFF


def _still_on_until(state: State, line: Line) -> int | None:
    if line not in {Line.STILL_ON, Line.OUT_UNSURE}:
        return None
    # Where writing or clearing what was granted here was cut short. A key pulled before that may be any key.
    if state.grant is not None and state.pulled_in in {Phase.ACTIVATING, Phase.SWITCHING_OFF}:
        return state.grant.expires
    return state.still_on_until


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
