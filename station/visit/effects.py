"""What a visit wants done, in the imperative: the effects of the visit machine."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from station.rules.facts import Grant, KeyKnown, Refusal, WrongPin
from station.visit.entry import Entry
from station.visit.inputs import KeySeen


@dataclass(frozen=True, slots=True)
class ClearActivation:
    """Read ``act``, clear it, read it back; answer `ActivationCleared` or `ClearFailed`."""

    insertion: int


@dataclass(frozen=True, slots=True)
class ReadKey:
    """Read ``id`` and the clock, ask the mirror; answer `KeyRead` or `ReadFailed`."""

    insertion: int
    refresh: bool
    """Once a visit: ask central for news of this key, in parallel with everything else."""


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

    insertion: int
    visit: int
    entry: Entry
    seen: KeySeen
    known: KeyKnown


@dataclass(frozen=True, slots=True)
class RejectPin:
    """Record the wrong PIN, whose it is if somebody's, and the lock if that was the tenth."""

    seen: KeySeen
    wrong: WrongPin
    locked: bool = False
    """It was the tenth."""


@dataclass(frozen=True, slots=True)
class AcceptPin:
    """The PIN was right, but nothing is activated: take its count back and record why."""

    seen: KeySeen
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class GiveCountBack:
    """The PIN was right, but its key went, or was another one by then: take its count back; nothing was refused."""

    seen: KeySeen
    begun: bool
    """`ActivateKey` was given, and how far that came is recorded by whoever does it; else that nothing was written."""


@dataclass(frozen=True, slots=True)
class ActivateKey:
    """Finish the writes, reread ``id``, write ``act``, read it back, take the count back, record; then answer."""

    insertion: int
    seen: KeySeen
    known: KeyKnown
    grant: Grant


@dataclass(frozen=True, slots=True)
class HandOut:
    """Ask central whose key the code makes this one, write that to it, read it back; `HandedOut` or `HandOutFailed`."""

    insertion: int
    code: Entry


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    """Record why a key gets no prompt."""

    seen: KeySeen
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class EndVisit:
    """The key is out for good, or another one is in its place."""

    seen: KeySeen | None
    """None: it did not say which key it is."""
    returned: bool
    """A pool key, taken out without a PIN at its own unit's station."""


@dataclass(frozen=True, slots=True)
class ReportUnexpected:
    """An input that cannot come here came: for the log."""

    phase: str
    presence: str
    received: str
    """The name of the input's class."""


Effect: TypeAlias = (
    ClearActivation
    | ReadKey
    | IdentifyKey
    | PrepareKey
    | CheckPin
    | RejectPin
    | AcceptPin
    | GiveCountBack
    | ActivateKey
    | HandOut
    | RecordRefusal
    | EndVisit
    | ReportUnexpected
)
