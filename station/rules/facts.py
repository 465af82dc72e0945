"""What the visit machine is told about keys, people and the station: plain values, verified by whoever tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import Enum, StrEnum

from station.records.claims import Category, ClockSource, KeyKind, KeyRecord, Permit, Role
from station.rules.support import IsHoliday, Neighbour, SupportLine, no_holidays


@dataclass(frozen=True, slots=True)
class Now:
    """The one reading of the clocks that a decision uses."""

    mono_s: float
    """Counts on steadily (CLOCK_BOOTTIME); for waits and deadlines."""
    unix_s: int
    """Whole seconds since 1970; only to be signed with when `trust` is not None."""
    trust: ClockSource | None
    """What the time rests on, None: nothing that could be trusted."""


class KeyClockState(Enum):
    """What a key says of its own clock."""

    SET = "set"
    UNSET = "unset"
    """New, or it lost power since its clock was set."""
    ABSENT = "absent"
    """It has none (ENOTSUP)."""


@dataclass(frozen=True, slots=True)
class KeyClock:
    """A reading of the key's clock; ``unix_s`` is None unless it is set."""

    state: KeyClockState
    unix_s: int | None = None


class KeyStatus(StrEnum):
    """What central says of a key."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key as the mirror has it; number, kind, unit and holder come from its verified record."""

    record: KeyRecord
    status: KeyStatus
    locked_at: int | None = None
    unlocked_at: int | None = None
    blocked_at: int | None = None
    """Since when, of a blocked one: for people, and only where central says it."""
    id_record: bytes = field(default=b"", repr=False)
    """The signed bytes of ``record``; empty where nothing has been mirrored (at an activation box)."""

    @property
    def kind(self) -> KeyKind:
        """Personal, substitute or emergency."""
        return self.record.kind


@dataclass(frozen=True, slots=True)
class HolderEntry:
    """A holder as the mirror has them; ``name`` is what the screen may show, empty for somebody who has left."""

    holder: int
    name: str
    category: Category
    unit: int
    ended: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit as the mirror has it. A closed one keeps its keys and its people to itself."""

    unit: int
    name: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class PermitEntry:
    """A verified permit, its signed bytes, and the unit it is for (hourly holders have one for each)."""

    permit: Permit
    record: bytes
    unit: int | None = None


class Refusal(StrEnum):
    """Why a key is not activated. The first group is decided before any PIN."""

    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    RETURNED = "returned"
    LOCKED = "locked"
    HOLDER_ENDED = "holder_ended"

    WRONG_PIN = "wrong_pin"
    PERMIT_EXPIRED = "permit_expired"
    OUTSIDE_WINDOW = "outside_window"
    STATION = "station"
    """An `OffOnlyReason` of this station."""
    KEY_FAULT = "key_fault"
    """The key did not take what it was to be given."""

    CLOCK_UNSET = "clock_unset"
    """This and the next seven: at an activation box, which has nothing but what is on the key."""
    BAD_KEY_RECORD = "bad_key_record"
    NOT_GENUINE = "not_genuine"
    BAD_STATION_CERTIFICATE = "bad_station_certificate"
    NEVER_SYNCED = "never_synced"
    SYNCED_TOO_LONG_AGO = "synced_too_long_ago"
    BAD_PERMIT = "bad_permit"
    WRONG_HOLDER = "wrong_holder"

    NOT_PERSONAL = "not_personal"
    """This and the next two: at an update box, which renews the personal keys of its own unit."""
    OTHER_UNIT = "other_unit"
    NO_PERMIT = "no_permit"


class Unfit(StrEnum):
    """Why a right PIN may not use a pool key. The screen says no more of it than of a PIN that nobody has."""

    NOT_HOURLY = "not_hourly"
    NOT_PERMANENT = "not_permanent"
    CLOSED_UNIT = "closed_unit"
    NO_PERMIT = "no_permit"


@dataclass(frozen=True, slots=True)
class WrongPin:
    """A PIN that counts as wrong on this key. Where somebody has it, central is told who, and why it may not."""

    holder: int | None = None
    unfit: Unfit | None = None


@dataclass(frozen=True, slots=True)
class BoxDecision:
    """What an activation box does with a key: it refuses, asks for the PIN (no ``refusal``) or ``activates``."""

    refusal: Refusal | None
    key: KeyRecord | None = None
    """This and the next are there once everything but the PIN holds."""
    permit: Permit | None = None
    failures: int | None = None
    """Wrong PINs of this key on this box, once this one has been judged; None where none was."""
    activates: bool = False
    """Everything holds, and the PIN is the right one."""


@dataclass(frozen=True, slots=True)
class Carried:
    """All that an activation box goes by: what the key itself carries, and what the box makes of it."""

    files: Mapping[str, bytes] = field(repr=False, hash=False)
    """By name, as for `station.rules.box.decide`."""
    clock_s: int | None
    """The key's clock in Unix seconds when it was read; None: it says that it is unset, or has none."""
    decision: BoxDecision
    """As of the latest look: at the key's insertion without a PIN, after a PIN with it."""


@dataclass(frozen=True, slots=True)
class KeyKnown:
    """What the mirror knows of the key in the socket. ``holder`` and ``permit`` are those of a personal key."""

    key: KeyEntry | None = None
    unit: UnitEntry | None = None
    holder: HolderEntry | None = None
    permit: PermitEntry | None = None
    on_blocklist: bool = False
    carried: Carried | None = None
    """At an activation box, which has no mirror: then this decides, and ``permit`` is the key's own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a PIN tag belongs to, with all their permits."""

    holder: HolderEntry
    unit: UnitEntry | None
    permits: tuple[PermitEntry, ...]


@dataclass(frozen=True, slots=True)
class Attempts:
    """What the wrong PINs on a key mean just now."""

    failures: int = 0
    wait_until_s: float = 0.0
    """On `Now.mono_s`: no PIN is taken before."""
    locked: bool = False
    """Locked here or by central, and not unlocked since."""


class OffOnlyReason(StrEnum):
    """Why a station can only switch keys off."""

    CLOCK = "clock"
    NO_MIRROR = "no_mirror"
    MIRROR_TOO_OLD = "mirror_too_old"
    CERTIFICATE = "certificate"
    NOT_ENROLLED = "not_enrolled"
    DISK = "disk"
    BLOCKED = "blocked"
    """Its own number is on a blocklist that central has signed: no lock believes it."""
    STARTING = "starting"
    """It has just been started, and central has not answered yet: one of the others, or in a moment none."""


class Shortened(StrEnum):
    """Why an activation ends before the policy's active time is over."""

    WINDOW = "window"
    PERMIT = "permit"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the station is about to sign: this key, for this holder, until then."""

    key: int
    holder: HolderEntry
    permit: PermitEntry
    not_before: int
    expires: int
    clock: ClockSource
    shortened: Shortened | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that a site may set (``[policy]`` of station.toml), within the bounds of its models."""

    active_minutes: int = 660
    mirror_max_age_days: int = 10
    refresh_deadline_s: float = 0.8
    receipt_s: float = 30.0
    left_in_s: float = 120.0
    entry_timeout_s: float = 20.0


class LookUpReason(StrEnum):
    """Why somebody at central has read the opening log, in central's words."""

    INCIDENT = "incident"
    CLIENT_ASKED = "client_asked"
    KEY_LOST = "key_lost"
    ACCESS_CHECK = "access_check"
    TECHNICAL = "technical"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LookUps:
    """How often somebody at central has read the opening log."""

    years: Mapping[int, Mapping[LookUpReason, int]] = field(hash=False)
    """By year, as far as central tells of it, then by reason: only those that there were."""


@dataclass(frozen=True, slots=True)
class StationFacts:
    """Who this station is, and whether it can activate at all."""

    station: int = 0
    unit: int = 0
    role: Role = Role.SYNC_STATION
    off_only: OffOnlyReason | None = OffOnlyReason.NOT_ENROLLED
    certificate_expires: int = 0
    mirror_age_s: int | None = None
    online: bool = False
    central_fault: str | None = None
    """Why central is of no use although something answers; None without a network."""
    zone: tzinfo = UTC
    """The site's time zone; its name is ``str(zone)``."""
    area_names: Mapping[int, str] = field(default_factory=dict, hash=False)
    offline_since: int | None = None
    """When central was last reached, if it is not now; None where that is not known."""
    neighbours: tuple[Neighbour, ...] = ()
    """Other stations, nearest first."""
    support: tuple[SupportLine, ...] = ()
    is_holiday: IsHoliday = no_holidays
    privacy: tuple[tuple[str, str], ...] = ()
    """The site's privacy notice, by language."""
    help_texts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict, hash=False)
    """The site's own help in place of the program's: by topic, then by language."""
    log_days: int | None = None
    """How long central keeps what is logged; None: it does not say."""
    look_ups: LookUps | None = None
    """None: central does not say."""
    knows_keys: bool = True
    """Whether it has what central says of keys, and can read it: without, it cannot call a key unknown."""
    name: str = ""
    """What the station is called."""
    pin_digits: int = 0
    """How many digits a PIN of this site has; 0: that is not known."""
    config_rejected: bool = False
    """The station.toml that is there is broken; the last good one runs."""
