"""What the screen shows, as codes and numbers. The words are in ``ui``; nothing here is for people to read."""

from dataclasses import dataclass
from enum import StrEnum

from station.display.idle import HelpTopic, View
from station.records.claims import ClockSource, KeyKind, Role
from station.rules.clock import ClockDoubt
from station.rules.facts import LookUps, OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold
from station.rules.support import Neighbour, SupportLine


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
    BLANK = "blank"
    """The key is OFF and nobody's yet: the code and # hand it out. `Screen.hand_out` says why the last one did not."""
    HANDING_OUT = "handing_out"
    """Leave the key in."""
    HANDED_OUT = "handed_out"
    """The key is OFF and says from now on which it is. Take it out."""
    LEFT_IN = "left_in"
    """Left in after ready: it was switched off again."""
    OUT_OFF = "out_off"
    """Taken out: the key is OFF, and perhaps refused: `Screen.refusal`, `Screen.unreadable`."""
    OUT_READY = "out_ready"
    """Taken out: the key is ON until `Screen.receipt.expires`."""
    OUT_EARLY = "out_early"
    """Taken out too early: the key is OFF; put it back."""
    OUT_UNSURE = "out_unsure"
    """Taken out before it could be switched off: it may still be ON until it is put back or expires."""
    OUT_HANDING_OUT = "out_handing_out"
    """Taken out while it was being handed out: the key is OFF; put it back."""
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
class Changes:
    """How a permit differs from the one that was on the key before."""

    every_area_added: bool = False
    every_area_removed: bool = False
    added: tuple[int, ...] = ()
    """Areas."""
    removed: tuple[int, ...] = ()
    boxes_added: int = 0
    boxes_removed: int = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """What the holder should hear before leaving; None or False: nothing of the kind."""

    battery_percent: int | None = None
    """The key's battery is low."""
    permit_ends: int | None = None
    """The permit ends soon: then."""
    lost_power: bool = False
    """The key had been without power, so that its clock had to be set anew."""
    changes: Changes | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the writing has come, in bytes of the records that are to be on the key."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit as a technician may see it: without a name, without a key's number."""

    unix_s: int
    """When it began."""
    kind: KeyKind | None = None
    outcome: str | None = None
    """How it stands or ended, in the one word that `station status` has for it."""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Technician:
    """The technician's page."""

    reader: str
    """The serial port."""
    reader_works: bool
    central: str
    """The central server's address."""
    clock: ClockSource | ClockDoubt
    """What the time rests on, or why it rests on nothing."""
    mirror_objects: int | None
    """None: the database cannot be read."""
    outbox_events: int | None
    config_version: str
    version: str
    certificate_expires: int
    visits: tuple[PastVisit, ...] = ()
    """The last ones, newest first."""


@dataclass(frozen=True, slots=True)
class OutsideHelp:
    """Where to go and whom to call when this station does not help."""

    neighbours: tuple[Neighbour, ...] = ()
    """Nearest first."""
    support: SupportLine | None = None
    """The line of this hour."""
    others: tuple[SupportLine, ...] = ()
    """The site's other lines, each once, for whoever reads help: it may send them to any of these."""


@dataclass(frozen=True, slots=True)
class IdlePage:
    """What an empty station shows instead of asking for a key."""

    view: View
    topic: HelpTopic | None = None
    """Of help; None: the list of topics."""
    part: int = 0
    """How often somebody went on to what there is no room for: the same page counts round."""
    digits: int = 0
    """Of the technician's code."""
    site_texts: tuple[tuple[str, str], ...] = ()
    """The site's own help on the topic in place of the program's, by language."""
    privacy: tuple[tuple[str, str], ...] = ()
    """The site's notice, by language."""
    log_days: int | None = None
    """How long what is logged is kept; None: the site does not say."""
    look_ups: LookUps | None = None
    technician: Technician | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The quiet strip: how the station itself is doing."""

    station: int
    online: bool
    mirror_age_s: int | None
    off_only: OffOnlyReason | None
    unix_s: int
    clock_trusted: bool
    time_zone: str
    offline_since: int | None = None
    """When central was last reached, if it is not now (None: not since the station's start, or no clock to tell)."""
    central_fault: str | None = None
    """Why central is of no use although something answers, as its own word for a refusal; None without a network."""
    role: Role = Role.SYNC_STATION
    name: str = ""
    """What the station is called, as people find it."""
    pin_digits: int = 0
    """How many digits the site's PINs have; 0: that is not known."""
    config_rejected: bool = False
    """The configuration file that is there is broken: for whoever pushed it, and of no matter to anybody with a key."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One snapshot: everything that ``ui`` needs to draw, and nothing secret (digits are only counted)."""

    line: Line
    status: Status
    digits: int = 0
    digits_lost: bool = False
    """The PIN has to be typed from its beginning: not all that was typed got through."""
    tries_left: int | None = None
    """So many wrong PINs more lock the key; None: not soon."""
    key: int | None = None
    holder_name: str | None = None
    language: str | None = None
    """The holder's, None: the station's own."""
    refusal: Refusal | None = None
    """REFUSED, and OUT_OFF of a key that was: why."""
    blocked_at: int | None = None
    """Since when a key that is refused as blocked is so; None: that is not known."""
    unreadable: bool = False
    """OUT_OFF: the key did not say which it is."""
    hand_out: HandOutTold | None = None
    wait_s: int | None = None
    still_on_until: int | None = None
    halfway: bool = False
    """OUT_UNSURE: taken out while it was being switched ON, not OFF."""
    unseen: bool = False
    """OUT_UNSURE: it came where a ready key had been, and has not said which it is: it may be another one."""
    off_in_s: int | None = None
    """READY: so many seconds until a key that is left in is switched off again; None: not soon."""
    receipt: Receipt | None = None
    kind: KeyKind | None = None
    """The key's."""
    unit_name: str | None = None
    """Whose a substitute or emergency key is: there it must be returned."""
    area_names: tuple[tuple[int, str], ...] = ()
    """Of the areas in `notes`."""
    notes: Notes = Notes()
    progress: Progress | None = None
    flickering: bool = False
    """The contact comes and goes: the key should be held."""
    outside_help: OutsideHelp = OutsideHelp()
    idle_page: IdlePage | None = None
