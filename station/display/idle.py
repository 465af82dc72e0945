"""What an empty station shows when somebody types without a key: help, the technician's page, or nothing at all.

A key in the socket ends all of it; nothing here has a say in any visit.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from station.visit.entry import Entry

HELP_S = 60.0
"""Without a keystroke, help goes away."""
CODE_S = 20.0
"""A code that nobody goes on typing is forgotten."""
TECHNICIAN_S = 60.0
"""From its opening on; nobody leaves it standing open."""
WRONG_CODE_WAIT_S = 5.0
SEQUENCE = "*0*"
"""Typed at the empty station, it asks for the technician's code. (A terminal cannot tell that two keys are held.)"""
SEQUENCE_S = 3.0


class View(StrEnum):
    """What is shown instead of the empty screen."""

    NONE = "none"
    STANDBY = "standby"
    """Dark. Any key or keystroke wakes it."""
    HELP = "help"
    CODE = "code"
    """The technician's code is being typed."""
    TECHNICIAN = "technician"


class HelpPage(IntEnum):
    """The pages of help, in their order."""

    KEY_LIGHTS = 0
    LOCK_LIGHTS = 1
    RED_LIGHT = 2
    TEST_LOCK = 3
    LOGGED = 4


@dataclass(frozen=True, slots=True)
class IdleState:
    """What is shown without a key, and what has been typed at it. Changed by the functions of this module only."""

    view: View = View.NONE
    page: HelpPage = HelpPage.KEY_LIGHTS
    entry: Entry = field(default_factory=Entry)
    since_s: float = 0.0
    """The last keystroke; the technician's page: its opening."""
    strokes: str = field(default="", repr=False)
    """The last few, to find `SEQUENCE` in."""
    not_before_s: float = 0.0
    """No code is taken before: one was wrong."""


def typed(idle: IdleState, stroke: str, now_s: float, *, has_code: bool) -> tuple[IdleState, Entry | None]:
    """Take a keystroke at the empty station; gives the technician's code too, if it is complete now."""
    strokes = (idle.strokes if now_s - idle.since_s <= SEQUENCE_S else "") + stroke
    idle_now = replace(idle, since_s=now_s, strokes=strokes[-len(SEQUENCE) :])
    match idle.view:
        case View.CODE:
            return _code_typed(idle_now, stroke)
        case View.NONE | View.HELP if idle_now.strokes == SEQUENCE and has_code and now_s >= idle.not_before_s:
            return replace(idle_now, view=View.CODE, entry=Entry(), strokes=""), None
        case View.NONE if stroke == "*":
            return replace(idle_now, view=View.HELP, page=HelpPage.KEY_LIGHTS), None
        case View.HELP if stroke == "*" and idle.page < max(HelpPage):
            return replace(idle_now, page=HelpPage(idle.page + 1)), None
        case _:
            return closed(idle_now), None


def _code_typed(idle: IdleState, stroke: str) -> tuple[IdleState, Entry | None]:
    match stroke:
        case "#" if len(idle.entry):
            return closed(idle), idle.entry
        case "#" | "*":
            return closed(idle), None
        case "\b":
            return replace(idle, entry=idle.entry.shortened()), None
        case _:
            return replace(idle, entry=idle.entry.typed(stroke)), None


def code_checked(idle: IdleState, now_s: float, *, right: bool) -> IdleState:
    """Open the technician's page if the code was right, or begin the wait before the next try."""
    if right:
        return replace(closed(idle), view=View.TECHNICIAN, since_s=now_s)
    return replace(closed(idle), not_before_s=now_s + WRONG_CODE_WAIT_S)


def aged(idle: IdleState, now_s: float, *, standby_s: float | None) -> IdleState:
    """Close what nobody has used for its time, or go dark. ``standby_s``: when the screen does; None: never."""
    idle_s = now_s - idle.since_s
    limits = {View.HELP: HELP_S, View.CODE: CODE_S, View.TECHNICIAN: TECHNICIAN_S}
    if idle.view in limits and idle_s >= limits[idle.view]:
        return replace(closed(idle), since_s=now_s)
    if idle.view is View.NONE and standby_s is not None and idle_s >= standby_s:
        return replace(idle, view=View.STANDBY)
    if idle.view is View.STANDBY and standby_s is None:
        return closed(idle)
    return idle


def disturbed(idle: IdleState, now_s: float) -> IdleState:
    """A key is in the socket, or was until now: there is nothing beside it."""
    return replace(closed(idle), since_s=now_s, strokes="")


def closed(idle: IdleState) -> IdleState:
    """The empty screen again."""
    return replace(idle, view=View.NONE, page=HelpPage.KEY_LIGHTS, entry=Entry())
