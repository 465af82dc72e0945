"""What can happen to a visit (past tense) and what it then wants done (imperative)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from station.core.entry import Entry
from station.core.facts import Attempts, Grant, KeyKnown, PermitEntry, Person, Refusal, StationFacts
from station.records.claims import KeyRecord


@dataclass(frozen=True, slots=True)
class KeySeen:
    """What was read from the key itself."""

    id_record: bytes
    record: KeyRecord
    clock_was_unset: bool = False

    def is_same_key(self, other: "KeySeen") -> bool:
        """Whether both say that they are the same key, whichever of central's records of it they carry."""
        ours, theirs = self.record, other.record
        return (ours.key, ours.kind, ours.unit, ours.holder) == (theirs.key, theirs.kind, theirs.unit, theirs.holder)


# --- events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyInserted:
    """A key answered for the first time."""


@dataclass(frozen=True, slots=True)
class KeyRemoved:
    """It no longer answers."""


@dataclass(frozen=True, slots=True)
class ReaderFailed:
    """The serial port is gone."""


@dataclass(frozen=True, slots=True)
class ReaderRecovered:
    """The serial port is back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Something was done with the key of this insertion; answers about an earlier one are stale."""

    insertion: int


@dataclass(frozen=True, slots=True)
class ActivationCleared(Answer):
    """``act`` is empty, read back."""


@dataclass(frozen=True, slots=True)
class ClearFailed(Answer):
    """``act`` could not be cleared; the key opens until then (None: its activation cannot be read)."""

    still_on_until: int | None


@dataclass(frozen=True, slots=True)
class KeyRead(Answer):
    """``id`` verified, the clock read, the mirror asked."""

    seen: KeySeen
    known: KeyKnown
    attempts: Attempts
    own_permit: PermitEntry | None = None
    """The verified permit on the key, where that has been read: an update box does, which asks for no PIN."""


@dataclass(frozen=True, slots=True)
class ReadFailed(Answer):
    """``id`` does not verify: the key does not say which it is."""


@dataclass(frozen=True, slots=True)
class KeyIdentified(Answer):
    """Which key it is that came back; None: it does not say."""

    seen: KeySeen | None


@dataclass(frozen=True, slots=True)
class KeyActivated(Answer):
    """``act`` was written, read back, and the event of it is durable."""


@dataclass(frozen=True, slots=True)
class ActivationFailed(Answer):
    """It was not, and ``act`` has been cleared again (where that fails too: `ClearFailed`)."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class MirrorRefreshed(Answer):
    """Central has been asked meanwhile: what the mirror knows of the key now."""

    known: KeyKnown
    attempts: Attempts


@dataclass(frozen=True, slots=True)
class PinChecked:
    """The attempt is counted on disk, the PIN's tag computed, its person looked up in the refreshed mirror."""

    visit: int
    known: KeyKnown
    person: Person | None
    pin_tag: bytes = field(repr=False)
    own_permit: PermitEntry | None
    attempts: Attempts
    """As they stand if this PIN is wrong."""


@dataclass(frozen=True, slots=True)
class PinCheckFailed:
    """It could not be counted, so it was not looked at."""

    visit: int


@dataclass(frozen=True, slots=True)
class KeystrokeTyped:
    """One of ``0-9``, ``*``, ``#`` or backspace."""

    stroke: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A moment later; waits and deadlines are looked at."""


@dataclass(frozen=True, slots=True)
class StationChanged:
    """The station's own standing: clock, mirror, network."""

    station: StationFacts


Event: TypeAlias = (
    KeyInserted
    | KeyRemoved
    | ReaderFailed
    | ReaderRecovered
    | ActivationCleared
    | ClearFailed
    | KeyRead
    | ReadFailed
    | KeyIdentified
    | KeyActivated
    | ActivationFailed
    | MirrorRefreshed
    | PinChecked
    | PinCheckFailed
    | KeystrokeTyped
    | TimePassed
    | StationChanged
)

# --- effects ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefreshMirror:
    """Ask central for news, in parallel with everything else."""


@dataclass(frozen=True, slots=True)
class ClearActivation:
    """Read ``act``, clear it, read it back; answer `ActivationCleared` or `ClearFailed`."""

    insertion: int


@dataclass(frozen=True, slots=True)
class ReadKey:
    """Read ``id`` and the clock, ask the mirror; answer `KeyRead` or `ReadFailed`."""

    insertion: int


@dataclass(frozen=True, slots=True)
class IdentifyKey:
    """Read ``id`` and nothing else; answer `KeyIdentified`."""

    insertion: int


class SyncDuty(Enum):
    """What to do about the key's ``sync``."""

    WRITE = "write"
    CLEAR = "clear"
    """The key is known not to qualify: no box may activate it."""
    LEAVE = "leave"
    """This station cannot tell."""


@dataclass(frozen=True, slots=True)
class PrepareKey:
    """While the person types: log, clock, ``sync``, ``cert``, ``permit``, ``block``, ``ack`` where they differ."""

    insertion: int
    seen: KeySeen
    known: KeyKnown
    sync: SyncDuty


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Count the attempt, then compute the tag and look its person up; answer `PinChecked` or `PinCheckFailed`."""

    visit: int
    entry: Entry
    seen: KeySeen
    known: KeyKnown


@dataclass(frozen=True, slots=True)
class RejectPin:
    """Record the wrong PIN (and the lock, if that was the tenth)."""

    seen: KeySeen
    known: KeyKnown
    refusal: Refusal
    locked: bool = False
    """It was the tenth."""


@dataclass(frozen=True, slots=True)
class AcceptPin:
    """The PIN was right, but nothing is activated: take its count back and record why."""

    seen: KeySeen
    known: KeyKnown
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ActivateKey:
    """Finish the writes, reread ``id``, write ``act``, read it back, take the count back, record; then answer."""

    insertion: int
    seen: KeySeen
    known: KeyKnown
    grant: Grant


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    """A key that got no prompt."""

    seen: KeySeen
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class EndVisit:
    """The key is out for good. ``returned``: a pool key, taken out without a PIN at its own unit's station."""

    seen: KeySeen | None
    returned: bool


@dataclass(frozen=True, slots=True)
class Ring:
    """The bell, for those who do not look."""


@dataclass(frozen=True, slots=True)
class ReportUnexpected:
    """An event that cannot happen here happened: for the log."""

    phase: str
    event: str


Effect: TypeAlias = (
    RefreshMirror
    | ClearActivation
    | ReadKey
    | IdentifyKey
    | PrepareKey
    | CheckPin
    | RejectPin
    | AcceptPin
    | ActivateKey
    | RecordRefusal
    | EndVisit
    | Ring
    | ReportUnexpected
)
