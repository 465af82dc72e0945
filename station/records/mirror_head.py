"""Whether a ``head/1`` confirms what a station holds: the one thing that makes a mirror fresh.

An unsigned "nothing new" let whoever sits between central and a station withhold a block for ever. Source: the central
API, "Confirming the mirror".
"""

from dataclasses import dataclass
from enum import StrEnum

from station.records.claims import SIGNED_AHEAD_S, Head
from station.records.envelope import verified
from station.records.keys import PublicKey


class HeadRefusal(StrEnum):
    """Why a head confirms nothing; the first that holds, in this order."""

    BAD_HEAD = "bad_head"
    """Not signed by the current key, no record of this form, or about a key that the call did not name."""
    WRONG_STATION = "wrong_station"
    WRONG_NONCE = "wrong_nonce"
    FROM_THE_FUTURE = "from_the_future"
    """The time is to be asked, before anything else."""
    OLDER_THAN_CONFIRMED = "older_than_confirmed"
    DISAGREES = "disagrees"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a head answers."""

    station: int
    nonce: bytes
    """16 bytes, used for this call only."""
    key: int | None = None
    """The key that it named."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a station would hold with the answer applied, and what it has confirmed before."""

    count: int
    digest: bytes
    """Of `station.records.mirror_digest.MirrorSum`, as the count."""
    newest_confirmed: int | None = None
    """Claim 40 of the newest head confirmed; None: none yet, or the answer is a snapshot."""
    now_s: int | None = None
    """Unix seconds of a trusted clock; None without one."""


def readable_head(record: bytes, signer: PublicKey | None, call: Call) -> Head | HeadRefusal:
    """The head, when it is central's answer to ``call``: then what it says of a key's log counts, and nothing else.

    For an answer to a ``since`` that is the station's cursor no longer. ``signer``: `CentralChain.head_signer` of the
    chain with this answer's own objects.
    """
    head = verified(Head, record, [signer]) if signer is not None else None
    if head is None or head.key not in {None, call.key}:
        return HeadRefusal.BAD_HEAD
    if head.station != call.station:
        return HeadRefusal.WRONG_STATION
    return head if head.nonce == call.nonce else HeadRefusal.WRONG_NONCE


def confirming_head(record: bytes, signer: PublicKey | None, call: Call, holding: Holding) -> Head | HeadRefusal:
    """The head, when it confirms ``holding``: its ``issued`` is then the age of the mirror. Arguments as above."""
    head = readable_head(record, signer, call)
    if isinstance(head, HeadRefusal):
        return head
    if holding.now_s is not None and head.issued > holding.now_s + SIGNED_AHEAD_S:
        return HeadRefusal.FROM_THE_FUTURE
    if holding.newest_confirmed is not None and head.version < holding.newest_confirmed:
        return HeadRefusal.OLDER_THAN_CONFIRMED
    agrees = (head.count, head.mirror_digest) == (holding.count, holding.digest)
    return head if agrees else HeadRefusal.DISAGREES
