"""The Protocols between what a station decides and the outside: key reader, store, central, clock.

Adapters live in ``drivers``, ``offline_cache`` and ``station.sync``; tests bring real ones or their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from station.errors import StationError
from station.records.mirror_digest import MirrorSum, ObjectName
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
    """A mirror object that the station goes by: the whole JSON object, or the last good version of it."""

    type: str
    id: int
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ReceivedObject:
    """A mirror object as central sent it, which is what count and digest are over, and what the station goes by."""

    name: ObjectName
    received: Mapping[str, Json]
    text: bytes
    """Its canonical JSON."""
    hash: bytes
    """`station.records.mirror_digest.object_hash` of it."""
    used: Mapping[str, Json] | None
    """``received`` itself, its last good version where it is refused, or None where there is none."""
    pin_tag: bytes | None = None
    """Of a permit that is used: by this its holder is found."""


@dataclass(frozen=True, slots=True)
class MirrorState:
    """What this station has last confirmed. Nothing before the first snapshot."""

    epoch: str | None = None
    cursor: str | None = None
    version: int | None = None
    """Claim 40 of the head that confirmed it: the site's change counter."""
    confirmed_at: int | None = None
    """The newest `issued` of a head that agreed with this mirror (Unix seconds): what its age counts from."""
    sum: MirrorSum = field(default_factory=MirrorSum)
    """Over all objects that are held, used or not."""


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


class KnownAs(StrEnum):
    """What a central that went back would open again."""

    BLOCKED = "blocked"
    RETURNED = "returned"
    LOCKED = "locked"
    ENDED = "ended"
    CLOSED = "closed"
    LISTED = "listed"
    """On the blocklist."""


@dataclass(frozen=True, slots=True)
class StaysRefused:
    """Something that a central restored from a backup has opened again, and this station has not."""

    type: str
    """``key``, ``holder``, ``unit`` or ``station``."""
    id: int
    was: KnownAs
    revision: int
    """The object's in the snapshot that opened it. A higher one is a coordinator's word, and ends this."""


@dataclass(frozen=True, slots=True)
class MirrorUpdate:
    """What a head has confirmed: becomes durable together, in one transaction."""

    state: MirrorState
    upserts: Sequence[ReceivedObject] = ()
    removes: Sequence[ObjectName] = ()
    whole: bool = False
    """A snapshot: the mirror is from now on what was put beside it, and ``upserts``; everything else of it goes."""
    stay_refused: Sequence[StaysRefused] | None = None
    """All that stay refused from now on; None: as before."""
    notes: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[LogEvent] = ()


@dataclass(frozen=True, slots=True)
class MirrorBundle:
    """Everything one decision needs of the mirror, read in one go: objects or None where there is none."""

    state: MirrorState
    key: MirrorObject | None = None
    key_unit: MirrorObject | None = None
    key_holder: MirrorObject | None = None
    key_holder_permits: tuple[MirrorObject, ...] = ()
    person: MirrorObject | None = None
    """The holder whose permits have one of the asked-for PIN tags."""
    pin_is_shared: bool = False
    """More than one holder has: then it is nobody's."""
    person_unit: MirrorObject | None = None
    person_permits: tuple[MirrorObject, ...] = ()
    blocklist: MirrorObject | None = None
    stay_refused: tuple[StaysRefused, ...] = ()
    """All of this station; there are few, and seldom any."""


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
    settles: Sequence[int] = ()
    """Numbers of activations whose outcome is known by now: see `Store.begin_activation`."""


class Store(Protocol):
    """The station's one database: mirror, outbox, attempts, marks. Raises `StoreFault` for every failure of it."""

    async def commit(self, change: Change) -> None:
        """Make ``change`` durable (it is on the disk when this returns)."""
        ...

    async def mirror_state(self) -> MirrorState:
        """What has last been confirmed."""
        ...

    async def take_mirror(self, update: MirrorUpdate) -> None:
        """Make what a head has confirmed durable, in one transaction."""
        ...

    async def put_beside(self, objects: Sequence[ReceivedObject], *, again: bool = False) -> int:
        """Keep objects of a mirror that is coming, in small transactions; how many of them were not there yet.

        Those that are stay as they are, or with ``again`` are replaced. Nobody sees any of it before `take_mirror`.
        """
        ...

    async def found_beside(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, ReceivedObject]:
        """Those of these objects that were put beside the mirror; ``used`` is as received, or not known here: None."""
        ...

    async def clear_beside(self) -> None:
        """Forget what was put beside the mirror, or is left of the one before it."""
        ...

    async def held_hashes(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, bytes]:
        """The hashes of those of these objects that are held, used or not."""
        ...

    async def held_objects(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, MirrorObject]:
        """Those of these objects that are used."""
        ...

    async def permits_of(self, holders: Sequence[int]) -> list[MirrorObject]:
        """The permits of these holders that are used."""
        ...

    async def bundle(self, key: int | None = None, pin_tags: Sequence[bytes] = ()) -> MirrorBundle:
        """Everything about a key, and about the holder with one of these PIN tags."""
        ...

    async def objects(self, type_: str, above: int = -1, limit: int | None = None) -> list[MirrorObject]:
        """All objects of a type that are used, by id; or as many as ``limit`` with ids ``above`` that."""
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

    async def begin_activation(self, if_interrupted: LogEvent) -> int:
        """The next number for an activation; never given twice.

        Until a `Change` settles it, ``if_interrupted`` is what `tell_interrupted` makes an event of.
        """
        ...

    async def tell_interrupted(self) -> int:
        """At a start: keep the events of what the last run began and did not settle; how many."""
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
