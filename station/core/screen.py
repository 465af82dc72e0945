"""What the screen shows, as codes and numbers. The words are in ``ui``; nothing here is for people to read."""

from dataclasses import dataclass
from enum import StrEnum

from station.core.facts import Hindrance, Refusal, Shortened


class Line(StrEnum):
    """What the person should know and do now: one big line."""

    EMPTY = "empty"
    """Press the key's button and put it in."""
    READING = "reading"
    """A key is being switched off and read: hold still."""
    PROMPT = "prompt"
    """The key is OFF. Going home: take it out. Starting: PIN and #."""
    WRONG_PIN = "wrong_pin"
    """As PROMPT, after a wrong PIN."""
    WAIT = "wait"
    """Too many wrong PINs: `Screen.wait_s` more seconds."""
    CHECKING = "checking"
    ACTIVATING = "activating"
    """Leave the key in."""
    READY = "ready"
    """`Screen.receipt` says until when. Take it out."""
    REFUSED = "refused"
    """`Screen.refusal` says why; the key is OFF."""
    STILL_ON = "still_on"
    """The key could not be switched off; it works until `Screen.still_on_until`."""
    UNREADABLE = "unreadable"
    """The key is OFF but does not say which it is."""
    LEFT_IN = "left_in"
    """Left in after ready: it was switched off again."""
    OUT_OFF = "out_off"
    """Taken out: the key is OFF."""
    OUT_READY = "out_ready"
    """Taken out: the key is ON until `Screen.receipt.expires`."""
    OUT_EARLY = "out_early"
    """Taken out too early: the key is OFF; put it back."""
    OUT_UNSURE = "out_unsure"
    """Taken out before it could be switched off: it may still be ON until it is put back or expires."""
    READER_BROKEN = "reader_broken"
    """The station cannot talk to keys."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a person takes along from a visit that ended in ready."""

    expires: int
    shortened: Shortened | None
    every_area: bool
    areas: tuple[int, ...]
    area_names: tuple[str, ...]
    locks: int
    mirror_age_s: int
    online: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The quiet strip: how the station itself is doing."""

    station: int
    online: bool
    mirror_age_s: int | None
    hindrance: Hindrance | None
    unix_s: int
    clock_trusted: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One snapshot: everything that ``ui`` needs to draw, and nothing secret (digits are only counted)."""

    line: Line
    status: Status
    digits: int = 0
    key: int | None = None
    holder_name: str | None = None
    language: str | None = None
    """The holder's, None: the station's own."""
    refusal: Refusal | None = None
    wait_s: int | None = None
    still_on_until: int | None = None
    receipt: Receipt | None = None
    clock_was_unset: bool = False
    """The key had lost power: its clock has been set anew."""
