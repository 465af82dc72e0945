"""What can happen to a visit, in the past tense: the inputs of the visit machine."""

from dataclasses import dataclass, field
from typing import TypeAlias

from station.records.claims import KeyRecord
from station.rules.facts import Attempts, KeyKnown, PermitEntry, Person, Refusal, StationFacts
from station.rules.hand_out import HandOutTold


@dataclass(frozen=True, slots=True)
class KeySeen:
    """What was read from the key itself."""

    id_record: bytes
    record: KeyRecord

    def is_same_key(self, other: "KeySeen") -> bool:
        """Whether both say that they are the same key, whichever of central's records of it they carry."""
        ours, theirs = self.record, other.record
        return (ours.key, ours.kind, ours.unit, ours.holder) == (theirs.key, theirs.kind, theirs.unit, theirs.holder)


@dataclass(frozen=True, slots=True)
class KeyInserted:
    """A key answered for the first time."""

    insertion: int
    """The number of the key's session: higher with each."""


@dataclass(frozen=True, slots=True)
class KeyRemoved:
    """The key no longer answers."""


@dataclass(frozen=True, slots=True)
class ReaderFailed:
    """The serial port is gone."""


@dataclass(frozen=True, slots=True)
class ReaderRecovered:
    """The serial port is back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Something was done with the key of one insertion."""

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
class KeyBlank(Answer):
    """``id`` is empty: the key is nobody's yet, and this station may hand it out."""


@dataclass(frozen=True, slots=True)
class HandedOut(Answer):
    """The record that central signed is on the key, read back; what the mirror knows of the key by now."""

    seen: KeySeen
    known: KeyKnown


@dataclass(frozen=True, slots=True)
class HandOutFailed(Answer):
    """The key is still blank."""

    told: HandOutTold | None
    wait_s: float = 0.0
    """So long central takes no code of this station."""


@dataclass(frozen=True, slots=True)
class KeyIdentified(Answer):
    """Which key it is that came back; None: it does not say."""

    seen: KeySeen | None


@dataclass(frozen=True, slots=True)
class KeyActivated(Answer):
    """``act`` was written, read back, and the event of it is durable."""


@dataclass(frozen=True, slots=True)
class ActivationFailed(Answer):
    """``act`` was not written, and ``act`` has been cleared again (where that fails too: `ClearFailed`)."""

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
    seen: KeySeen
    """The key that the PIN was typed for."""
    known: KeyKnown
    person: Person | None
    pin_tags: tuple[bytes, ...] = field(repr=False)
    """One under each pepper; none where two people have this PIN, which is then nobody's."""
    own_permit: PermitEntry | None
    attempts: Attempts
    """As they stand if this PIN is wrong."""


@dataclass(frozen=True, slots=True)
class PinCheckFailed:
    """The attempt could not be counted, so the PIN was not looked at."""

    visit: int
    seen: KeySeen
    """The key that the PIN was typed for."""


@dataclass(frozen=True, slots=True)
class KeystrokeTyped:
    """One of ``0-9``, ``*``, ``#`` or backspace."""

    stroke: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is a moment later: waits and deadlines are looked at."""


@dataclass(frozen=True, slots=True)
class StationChanged:
    """What the station itself can do has changed: clock, mirror, network."""

    station: StationFacts


VisitInput: TypeAlias = (
    KeyInserted
    | KeyRemoved
    | ReaderFailed
    | ReaderRecovered
    | ActivationCleared
    | ClearFailed
    | KeyRead
    | ReadFailed
    | KeyBlank
    | HandedOut
    | HandOutFailed
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
