"""The Protocols between what a station decides and the outside: key reader, store, central, clock.

Adapters live in ``drivers``, ``offline_cache`` and ``station.sync``; tests bring real ones or their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from station.errors import StationError
from station.rules.attempts import AttemptCount
from station.rules.facts import KeyClock, Now

Json: TypeAlias = Any


class KeyFile(StrEnum):
    """The files on a key (the key link's table)."""

    ID = "id"
    PERMIT = "permit"
    CERT = "cert"
    SYNC = "sync"
    BOXCERT = "boxcert"
    ACT = "act"
    BLOCK = "block"
    LOG = "log"
    ACK = "ack"


class KeyLost(StationError):
    """The key no longer answers: pulled, asleep, a bad contact, a torn answer. One thing to the caller."""


class KeyRefused(StationError):
    """The key answered with an error: a full file system, an unsupported command."""


class ReaderLost(StationError):
    """The key reader itself is gone or cannot be opened."""


class KeySession(Protocol):
    """One key being there once, from the moment it answers until it goes; for ever over after that.

    It is over when the key is taken out, when an answer is lost, when another key answers in its place, or after
    `end`. From then on every method raises KeyLost: what waited for the disk or for central when the key was pulled can
    not go on with the next person's. One transfer runs at a time; others wait for their turn.
    """

    @property
    def over(self) -> bool:
        """Whether the key is gone."""
        ...

    @property
    def id_record(self) -> bytes | None:
        """The ``id`` that the key has shown, or was given with `replace`; None before it was read."""
        ...

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions in this session."""
        ...

    async def gone(self) -> None:
        """Watch the key, and return when the session is over. Transfers may run meanwhile."""
        ...

    def end(self) -> None:
        """Have nothing more to do with this key."""
        ...

    async def read(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """The whole file; empty where it is missing or has at most one byte.

        Raises KeyLost, KeyRefused (``too_large`` when there is more than ``limit_bytes``).
        """
        ...

    async def read_from(self, file: KeyFile, offset: int) -> bytes:
        """Some bytes from ``offset`` on, as many as come at once; empty at the end. Errors as `read`.

        For a key's log: raises KeyLost (``another_key``) too, where the key could have been swapped unnoticed.
        """
        ...

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """Whether the file is exactly ``content``. Errors as `read`."""
        ...

    async def write(self, file: KeyFile, content: bytes) -> None:
        """Write the file anew. It is torn when that is interrupted. Errors as `read`.

        ``ack`` makes a key forget: as for `read_from`, it is first made sure that it is still this key.
        """
        ...

    async def replace(self, file: KeyFile, content: bytes) -> None:
        """Replace the file at one stroke, and read it back: interrupted, it is the old one or the new, never torn.

        Errors as `read_from`; KeyRefused also ``not_at_one_stroke`` (then it is as it was) and ``write_differs``.
        """
        ...

    async def clear(self, file: KeyFile) -> None:
        """Make the file empty. Errors as `read`."""
        ...

    async def clock(self) -> KeyClock:
        """The key's clock. Errors as `read`."""
        ...

    async def set_clock(self, unix_s: int) -> None:
        """Set the key's clock (UTC). Errors as `read`."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Where the key reader is, and how to talk to keys in it (``[key_reader]`` of station.toml)."""

    port: str
    baud: int = 115200
    folder: str = "/lfs1"


class KeyReader(Protocol):
    """What keys are put into, one at a time."""

    @property
    def looked_at_s(self) -> float:
        """When it last looked whether there is a key (the event loop's time): a reader that hangs stops looking."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it takes what is sent to it, with a key in it or without."""
        ...

    async def next_key(self) -> KeySession:
        """Wait until a key is there. Ends the session before, if that is not over. Raises ReaderLost."""
        ...

    async def use(self, settings: ReaderSettings) -> None:
        """Go over to other settings between two keys. Whoever waits for a key goes on waiting, at the new place."""
        ...

    async def close(self) -> None:
        """Let go of it for good: whoever waits for a key gets ReaderLost (``closed``)."""
        ...


@dataclass(frozen=True, slots=True)
class MirrorObject:
    """A mirror object as central sent it: ``body`` is the whole JSON object, `type`, `id` and `revision` included."""

    type: str
    id: int
    revision: int
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class MirrorState:
    """How far the mirror has come. All None before the first snapshot."""

    epoch: str | None = None
    cursor: str | None = None
    confirmed_at: int | None = None
    """When central last said that this mirror is up to date (trusted Unix seconds)."""


@dataclass(frozen=True, slots=True)
class MirrorBundle:
    """Everything one decision needs of the mirror, read in one go: objects or None where there is none."""

    state: MirrorState
    key: MirrorObject | None = None
    key_unit: MirrorObject | None = None
    key_holder: MirrorObject | None = None
    key_holder_permits: tuple[MirrorObject, ...] = ()
    person: MirrorObject | None = None
    """The holder whose permits have the asked-for PIN tag."""
    person_unit: MirrorObject | None = None
    person_permits: tuple[MirrorObject, ...] = ()
    blocklist: MirrorObject | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event to be kept. Without an id it gets a UUIDv7; with one (log entries) a second time is not kept again."""

    type: str
    at: int
    clock: int | str
    """0..2 as `ClockSource`, or ``unknown``."""
    key: int | None = None
    holder: int | None = None
    lock: int | None = None
    data: Mapping[str, Json] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in the outbox; ``body`` is what central is sent."""

    seq: int
    id: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far a key's log has been read and stored here."""

    key: int
    generation: int
    seq: int
    offset: int
    """Bytes of this generation that have been read."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes durable together: all of it in one transaction, or nothing."""

    events: Sequence[LogEvent] = ()
    attempts: AttemptCount | None = None
    log_mark: LogMark | None = None


class Store(Protocol):
    """The station's one database: mirror, outbox, attempts, marks. Raises `StoreFault` for every failure of it."""

    async def commit(self, change: Change) -> None:
        """Make ``change`` durable (it is on the disk when this returns)."""
        ...

    async def mirror_state(self) -> MirrorState:
        """How far the mirror has come."""
        ...

    async def replace_mirror(self, state: MirrorState, objects: Sequence[MirrorObject]) -> None:
        """A snapshot: everything else of the mirror goes, in one transaction."""
        ...

    async def apply_page(
        self, state: MirrorState, upserts: Sequence[MirrorObject], removes: Sequence[tuple[str, int]]
    ) -> None:
        """A page of changes and its cursor, in one transaction. An object of a lower revision than ours stays out."""
        ...

    async def mirror_digest(self) -> tuple[int, str]:
        """Count and SHA-256 (hex) over the lines ``type:id:revision\\n``, sorted as ASCII bytes."""
        ...

    async def bundle(self, key: int | None = None, pin_tag: bytes | None = None) -> MirrorBundle:
        """Everything about a key, and about the holder with that PIN tag."""
        ...

    async def objects(self, type_: str) -> list[MirrorObject]:
        """All objects of a type, by id."""
        ...

    async def attempts(self, key: int) -> AttemptCount:
        """The wrong PINs of a key; zero where none are kept."""
        ...

    async def log_mark(self, key: int) -> LogMark | None:
        """How far this key's log has been read."""
        ...

    async def pending(self, limit: int, after: int = 0) -> list[StoredEvent]:
        """The oldest events numbered above ``after`` that central has not acknowledged and that were not set aside."""
        ...

    async def pending_count(self) -> int:
        """How many there are."""
        ...

    async def take_answers(self, done: Sequence[str], set_aside: Mapping[str, str]) -> None:
        """Forget the events that central has (``done``); keep those that it refused, with its reason, unsent."""
        ...

    async def note(self, name: str, value: str | None = None) -> str | None:
        """A small durable fact by name (clock floor, certificate sequence): set it if a value is given; return it."""
        ...

    async def next_sequence(self) -> int:
        """The next number for an activation; never given twice."""
        ...

    async def alive(self) -> None:
        """Return once everything that was asked of it before has been done."""
        ...

    async def close(self) -> None:
        """Finish and let go of the file."""
        ...


class StoreFault(StationError):
    """The database cannot be read or written (code ``disk_full``, ``store_broken``, ``store_io``)."""


class Clock(Protocol):
    """Reads the clocks once."""

    def now(self) -> Now:
        """Monotonic and wall time, and what the latter rests on."""
        ...
