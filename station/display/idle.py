"""What an empty station shows when somebody types without a key: help, the technician's page, or nothing at all.

A key in the socket ends all of it; nothing here has a say in any visit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from station.visit.entry import Entry

HELP_S = 60.0
"""Without a keystroke, help goes away."""
CODE_S = 20.0
"""A code that nobody goes on typing is forgotten."""
TECHNICIAN_S = 60.0
"""Without a keystroke it closes: nobody leaves it standing open."""
WRONG_CODE_WAIT_S = 5.0
"""For so long it is said that a code was wrong, and none is taken."""
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
    WRONG_CODE = "wrong_code"
    TECHNICIAN = "technician"


class HelpTopic(StrEnum):
    """What help is about. The values are those of central's ``site`` object, where a site may have its own texts."""

    WAKE = "wake"
    CONTACT = "contact"
    KEY_RED = "key_red"
    GREEN_STUCK = "green_stuck"
    FROZEN = "frozen"
    LOST = "lost"
    PIN = "pin"
    STATION_DEAD = "station_dead"
    ALL_DEAD = "all_dead"
    WEAR = "wear"
    LOGGED = "logged"


HELP_KEYS: Mapping[str, HelpTopic] = dict(zip("1234567890*", HelpTopic, strict=True))
"""The key of the keypad beside each topic in the list of them."""


@dataclass(frozen=True, slots=True)
class IdleState:
    """What is shown without a key, and what has been typed at it. Changed by the functions of this module only."""

    view: View = View.NONE
    topic: HelpTopic | None = None
    """None: the list of topics."""
    part: int = 0
    """How often somebody went on to what a small screen has no room for."""
    entry: Entry = field(default_factory=Entry)
    since_s: float = 0.0
    """The last keystroke, or the opening of the technician's page."""
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
            return replace(idle_now, view=View.HELP), None
        case View.HELP:
            return _turned(idle_now, stroke), None
        case View.TECHNICIAN if stroke == "*":
            return replace(idle_now, part=idle.part + 1), None
        case _:
            return closed(idle_now), None


def _turned(idle: IdleState, stroke: str) -> IdleState:
    """Help after a keystroke: a topic has a key of its own, ``*`` goes on in a topic, others go back."""
    if idle.topic is not None and stroke == "*":
        return replace(idle, part=idle.part + 1)
    if stroke in HELP_KEYS:
        return replace(idle, topic=HELP_KEYS[stroke], part=0)
    return replace(idle, topic=None, part=0) if idle.topic is not None else closed(idle)


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
    return replace(closed(idle), view=View.WRONG_CODE, since_s=now_s, not_before_s=now_s + WRONG_CODE_WAIT_S)


def aged(idle: IdleState, now_s: float, *, standby_s: float | None) -> IdleState:
    """Close what nobody has used for its time, or go dark. ``standby_s``: when the screen does; None: never."""
    idle_s = now_s - idle.since_s
    limits = {
        View.HELP: HELP_S,
        View.CODE: CODE_S,
        View.WRONG_CODE: WRONG_CODE_WAIT_S,
        View.TECHNICIAN: TECHNICIAN_S,
    }
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
    return replace(idle, view=View.NONE, topic=None, part=0, entry=Entry())
