"""The record types and their claims, with the ranges that each claim may have.

Standard library only, so that ``station.rules`` can decide about records without knowing how they are signed.
Source of numbers and ranges: the signed-records contract, ``docs/reference/records.md``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from station.records.public_keys import is_public_key

MAX_UINT32 = 2**32 - 1
MAX_UINT64 = 2**64 - 1
MAX_UINT16 = 2**16 - 1
SIGNED_AHEAD_S = 300
"""How far central may have signed something ahead of a trusted clock. More, and one of the two clocks is wrong."""
CHAIN_LIMIT = 1000
"""Central keys of one site: more than a change every month would make in a lifetime."""
RECORD_LIMIT_BYTES = 4096
BLOCKLIST_LIMIT_BYTES = 16384
NUMBERS_LIMIT = 1000
WINDOWS_LIMIT = 14
BLOCKED_KEYS_LIMIT = 3000
BLOCKED_STATIONS_LIMIT = 100
MINUTES_A_DAY = 1440
EVERY_AREA = (0,)

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class KeyKind(IntEnum):
    """Whose a key is: one holder's, the pool for hourly staff, the pool for staff whose own key is gone."""

    PERSONAL = 0
    SUBSTITUTE = 1
    EMERGENCY = 2


class Category(IntEnum):
    """How a holder is employed."""

    PERMANENT = 0
    LONG_TERM = 1
    HOURLY = 2


class Role(IntEnum):
    """What a station's certificate lets it be."""

    SYNC_STATION = 0
    ACTIVATION_BOX = 1
    UPDATE_BOX = 2


class ClockSource(IntEnum):
    """What a station's time rested on when it signed."""

    SYNCED = 0
    HOLDOVER = 1
    RTC = 2


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """When a permit may be used, in the site's local time; the end minute is exclusive."""

    weekdays: int
    """Bit mask 1..127, bit 0 is Monday."""
    start_minute: int
    end_minute: int


class LogPosition(NamedTuple):
    """An entry of a key's log; of two, the greater is the later."""

    generation: int
    """Raised by each compaction of the log."""
    seq: int
    """Runs on across generations."""


class ClaimError(ValueError):
    """A claim is missing, unknown, of the wrong type or out of range."""


@dataclass(frozen=True, slots=True)
class Coding(Generic[T]):
    """How one claim looks in CBOR: ``read`` refuses what is out of range, ``write`` is its inverse."""

    read: Callable[[Any], T]
    write: Callable[[T], Any]


def _number(low: int, high: int) -> Coding[int]:
    def read(value: object) -> int:
        # bool is an int in Python, and CBOR's true must not pass for 1.
        if type(value) is not int or not low <= value <= high:
            raise ClaimError("number out of range")
        return value

    return Coding(read, read)


def _choice(kind: type[E]) -> Coding[E]:
    number = _number(0, max(kind))

    def read(value: object) -> E:
        return kind(number.read(value))

    return Coding(read, int)


def _octets(size: int) -> Coding[bytes]:
    def read(value: object) -> bytes:
        if not isinstance(value, bytes) or len(value) != size:
            raise ClaimError("byte string of the wrong size")
        return value

    return Coding(read, read)


def _read_public_key(value: object) -> bytes:
    # An activation "signed" by a key of small order opened locks, and nobody had its private key.
    if not isinstance(value, bytes) or not is_public_key(value):
        raise ClaimError("not a public key")
    return value


def _read_log_position(value: object) -> LogPosition:
    if not isinstance(value, list) or len(value) != 2:
        raise ClaimError("not a position in a log")
    return LogPosition(*map(_COUNTER.read, value))


def _write_log_position(position: LogPosition) -> list[int]:
    return [_COUNTER.read(number) for number in position]


def _ascending(low: int, limit: int) -> Coding[tuple[int, ...]]:
    """Ascending numbers, on the wire as the first value and then the differences."""

    def read(value: object) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > limit:
            raise ClaimError("not a list of numbers, or too long")
        numbers: list[int] = []
        for step in value:
            if type(step) is not int or step < (1 if numbers else low):
                raise ClaimError("numbers do not ascend")
            numbers.append(step + (numbers[-1] if numbers else 0))
        if numbers and numbers[-1] > MAX_UINT32:
            raise ClaimError("number too large")
        # 0 means "every area": beside others it would make a list with two meanings.
        if len(numbers) > 1 and numbers[0] == 0:
            raise ClaimError("every area stands alone")
        return tuple(numbers)

    def write(numbers: tuple[int, ...]) -> list[int]:
        steps = [n - before for n, before in zip(numbers, (0, *numbers), strict=False)]
        read(steps)
        return steps

    return Coding(read, write)


def _read_windows(value: object) -> tuple[Window, ...]:
    if not isinstance(value, list) or len(value) > WINDOWS_LIMIT:
        raise ClaimError("not a list of windows, or too long")
    windows = []
    for item in value:
        if not isinstance(item, list) or len(item) != 3 or any(type(n) is not int for n in item):
            raise ClaimError("not a window")
        window = Window(*item)
        in_range = 1 <= window.weekdays <= 127 and 0 <= window.start_minute < window.end_minute <= MINUTES_A_DAY
        if not in_range:
            raise ClaimError("window out of range")
        windows.append(window)
    return tuple(windows)


def _write_windows(windows: tuple[Window, ...]) -> list[list[int]]:
    value = [[w.weekdays, w.start_minute, w.end_minute] for w in windows]
    _read_windows(value)
    return value


_TIME = _number(0, MAX_UINT64)
_ID = _number(1, MAX_UINT32)
_SMALL_ID = _number(1, MAX_UINT16)
_COUNTER = _number(0, MAX_UINT64)
_PUBLIC_KEY = Coding(_read_public_key, _read_public_key)
_LOG_POSITION = Coding(_read_log_position, _write_log_position)


def _claim(number: int, coding: Coding[Any]) -> Any:
    return field(metadata={"claim": number, "coding": coding})


def _optional(number: int, coding: Coding[Any]) -> Any:
    return field(default=None, metadata={"claim": number, "coding": coding, "optional": True})


@dataclass(frozen=True)
class Claims:
    """What a record says. ``TYPE`` is the record type, bound into the signature."""

    TYPE: ClassVar[str]
    LIMIT_BYTES: ClassVar[int] = RECORD_LIMIT_BYTES

    def to_map(self) -> dict[int, Any]:
        """The payload map: claim number to CBOR value, in ascending order of the numbers.

        Raises ClaimError if a claim is out of range.
        """
        values = ((each, getattr(self, each.name)) for each in _members(type(self)))
        return {each.number: each.coding.write(value) for each, value in values if value is not None or each.required}

    @classmethod
    def from_map(cls, payload: object) -> Self:
        """The inverse of `to_map`. Raises ClaimError for anything but exactly this type's claims."""
        if not isinstance(payload, dict):
            raise ClaimError("not a map")
        values = {}
        for each in _members(cls):
            if each.number in payload:
                values[each.name] = each.coding.read(payload[each.number])
            elif each.required:
                raise ClaimError("claim missing")
        if len(values) < len(payload):
            raise ClaimError("unknown claim")
        return cls(**values)


class _Member(NamedTuple):
    name: str
    number: int
    coding: Coding[Any]
    required: bool


_MEMBERS: dict[type[Claims], tuple[_Member, ...]] = {}
"""Found once for each type: a first mirror has 80,000 records."""


def _members(kind: type[Claims]) -> tuple[_Member, ...]:
    """Of a record type, by claim number."""
    if kind not in _MEMBERS:
        said = [(each.name, each.metadata) for each in fields(kind)]
        members = [_Member(name, its["claim"], its["coding"], not its.get("optional")) for name, its in said]
        _MEMBERS[kind] = tuple(sorted(members, key=lambda each: each.number))
    return _MEMBERS[kind]


@dataclass(frozen=True)
class KeyRecord(Claims):
    """``key/1``: which key this is. Signed by central at hand-out, in force until blocked."""

    TYPE = "key/1"
    issued: int = _claim(6, _TIME)
    key: int = _claim(10, _ID)
    kind: KeyKind = _claim(11, _choice(KeyKind))
    unit: int = _claim(12, _SMALL_ID)
    holder: int | None = _optional(20, _ID)
    """On personal keys only, and required there."""
    key_public: bytes | None = _optional(36, _PUBLIC_KEY)
    """The key's own public key; None: a key that cannot prove itself."""

    def __post_init__(self) -> None:
        if (self.kind is KeyKind.PERSONAL) != (self.holder is not None):
            raise ClaimError("a personal key names its holder, a pool key none")


@dataclass(frozen=True)
class Permit(Claims):
    """``permit/1``: what a holder may open. Signed by central."""

    TYPE = "permit/1"
    expires: int = _claim(4, _TIME)
    not_before: int = _claim(5, _TIME)
    issued: int = _claim(6, _TIME)
    holder: int = _claim(20, _ID)
    revision: int = _claim(21, _COUNTER)
    areas: tuple[int, ...] = _claim(22, _ascending(0, NUMBERS_LIMIT))
    """Ascending area numbers; `EVERY_AREA` for all; may be empty."""
    locks: tuple[int, ...] = _claim(23, _ascending(1, NUMBERS_LIMIT))
    windows: tuple[Window, ...] = _claim(24, Coding(_read_windows, _write_windows))
    """Empty: always."""
    pin_tag: bytes = _claim(25, _octets(16))
    category: Category = _claim(26, _choice(Category))


@dataclass(frozen=True)
class StationCertificate(Claims):
    """``station/1``: which public key a station signs with, and in what role. Signed by central."""

    TYPE = "station/1"
    expires: int = _claim(4, _TIME)
    issued: int = _claim(6, _TIME)
    unit: int = _claim(12, _SMALL_ID)
    station: int = _claim(31, _SMALL_ID)
    public_key: bytes = _claim(34, _PUBLIC_KEY)
    role: Role = _claim(35, _choice(Role))


@dataclass(frozen=True)
class Activation(Claims):
    """``activation/1``: this key works now, for this holder. Signed by a station."""

    TYPE = "activation/1"
    expires: int = _claim(4, _TIME)
    not_before: int = _claim(5, _TIME)
    key: int = _claim(10, _ID)
    holder: int = _claim(20, _ID)
    permit_digest: bytes = _claim(30, _octets(16))
    """The first 16 bytes of SHA-256 over the whole permit record."""
    station: int = _claim(31, _SMALL_ID)
    clock: ClockSource = _claim(32, _choice(ClockSource))
    sequence: int = _claim(33, _COUNTER)


@dataclass(frozen=True)
class Sync(Claims):
    """``sync/1``: when central last confirmed a station that this key has met. Signed by a station."""

    TYPE = "sync/1"
    issued: int = _claim(6, _TIME)
    key: int = _claim(10, _ID)
    station: int = _claim(31, _SMALL_ID)


@dataclass(frozen=True)
class Blocklist(Claims):
    """``blocklist/1``: keys and stations that no lock may believe. Signed by central."""

    TYPE = "blocklist/1"
    LIMIT_BYTES = BLOCKLIST_LIMIT_BYTES
    expires: int = _claim(4, _TIME)
    issued: int = _claim(6, _TIME)
    version: int = _claim(40, _COUNTER)
    blocked_keys: tuple[int, ...] = _claim(41, _ascending(1, BLOCKED_KEYS_LIMIT))
    blocked_stations: tuple[int, ...] = _claim(42, _ascending(1, BLOCKED_STATIONS_LIMIT))


@dataclass(frozen=True)
class TimeAnswer(Claims):
    """``time/1``: central's time, for the asker of this nonce. Signed by central."""

    TYPE = "time/1"
    issued: int = _claim(6, _TIME)
    nonce: bytes = _claim(50, _octets(16))


@dataclass(frozen=True)
class Head(Claims):
    """``head/1``: what the mirror of one station is at this instant. Signed by central, for the call of this nonce."""

    TYPE = "head/1"
    issued: int = _claim(6, _TIME)
    station: int = _claim(31, _SMALL_ID)
    version: int = _claim(40, _COUNTER)
    """The site's change counter."""
    nonce: bytes = _claim(50, _octets(16))
    count: int = _claim(51, _COUNTER)
    """How many objects the station then holds."""
    mirror_digest: bytes = _claim(52, _octets(32))
    """`station.records.mirror_digest.MirrorSum.digest` of those objects."""
    key: int | None = _optional(10, _ID)
    """The key that the call named, where central has entries of its log."""
    log_seen: LogPosition | None = _optional(53, _LOG_POSITION)
    """The greatest that central has accepted from that key's log."""

    def __post_init__(self) -> None:
        if (self.key is None) != (self.log_seen is None):
            raise ClaimError("how far a log is known goes with its key")


@dataclass(frozen=True)
class CentralKey(Claims):
    """``central/1``: the site's next central key. Signed by the central key before it."""

    TYPE = "central/1"
    issued: int = _claim(6, _TIME)
    public_key: bytes = _claim(34, _PUBLIC_KEY)
    version: int = _claim(40, _COUNTER)
