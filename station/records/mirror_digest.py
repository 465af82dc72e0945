"""The digest of a mirror: what central signs in ``head/1``, and what a station computes from the objects it holds.

A sum over the objects, so that both ends keep it up at the cost of the change and not of the site (LtHash, Lewi et al.
2019, "Securing Update Propagation with Homomorphic Hashing"): each object's hash is stretched to 1,024 lanes of 16
bits, and lanes are added modulo 2^16. A plain sum of hashes would fall to Wagner's generalised birthday attack; this
is wide enough. Source: the central API, "Confirming the mirror".
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from station.records.strict_json import JsonRefused, canonical

HASH_BYTES = 32
STATE_BYTES = 2048
_LANE_PAIRS = STATE_BYTES // 4
_EVEN = int.from_bytes(b"\xff\xff\0\0" * _LANE_PAIRS, "little")
"""Every second lane: beside each there is room for a carry of 16 bits."""
_BORROW = int.from_bytes(b"\0\0\1\0" * _LANE_PAIRS, "little")
"""2^16 in every second lane: less an element it is that element's negative, without a borrow from the next lane."""
_ROOM = 2**16 - 1
"""So many elements of at most 2^16 a lane fit on top of a lane that is full."""


class ObjectName(NamedTuple):
    """What a mirror object is known by."""

    type: str
    id: int


class MirrorChange(NamedTuple):
    """What an answer changes in the mirror."""

    upserts: Mapping[ObjectName, Mapping[str, Any]]
    """Each object whole, as received."""
    removes: Sequence[ObjectName]


def object_hash(mirror_object: Mapping[str, Any]) -> bytes:
    """SHA-256 of the object's canonical JSON, all members included; kept beside the object at both ends.

    Raises JsonRefused.
    """
    return hashlib.sha256(canonical(mirror_object)).digest()


def change_of(upserts: Any, removes: Any) -> MirrorChange:
    """What a page's ``upserts`` and ``removes`` change, as read by `strict_json`.

    Raises JsonRefused for what is no list of objects with a type and an id, and for an object that is named twice:
    65,536 copies of one lie would vanish from the sum.
    """
    if type(upserts) is not list or type(removes) is not list:
        raise JsonRefused("object_lists")
    changed = {name_of(each): each for each in upserts}
    removed = [name_of(each) for each in removes]
    named = {*changed, *removed}
    if len(named) != len(upserts) + len(removed):
        raise JsonRefused("object_named_twice")
    return MirrorChange(changed, removed)


def name_of(each: Any) -> ObjectName:
    """Of an object as received. Raises JsonRefused for what has no type and id."""
    if type(each) is not dict or type(each.get("type")) is not str or type(each.get("id")) is not int:
        raise JsonRefused("object_without_name")
    return ObjectName(each["type"], each["id"])


@dataclass(frozen=True, slots=True)
class MirrorSum:
    """How many objects a mirror holds, and the sum over them."""

    count: int = 0
    state: bytes = bytes(STATE_BYTES)
    """1,024 lanes of 16 bits, little-endian."""

    def __post_init__(self) -> None:
        if len(self.state) != STATE_BYTES or self.count < 0:
            raise ValueError("not the sum of a mirror")

    def digest(self) -> bytes:
        """Claim 52 of ``head/1``: 32 bytes."""
        return hashlib.sha256(self.state).digest()

    def changed(self, added: Iterable[bytes] = (), removed: Iterable[bytes] = ()) -> Self:
        """The sum with the objects of these hashes, and without those: `object_hash` of what is, and of what was, held.

        Raises ValueError when more is removed than there was.
        """
        even, odd = _lanes(self.state)
        count, taken = self.count, 0
        for sign, hashes in ((1, added), (-1, removed)):
            for each in hashes:
                more_even, more_odd = _lanes(_element(each))
                even += more_even if sign > 0 else _BORROW - more_even
                odd += more_odd if sign > 0 else _BORROW - more_odd
                count += sign
                taken += 1
                if taken % _ROOM == 0:
                    even, odd = even & _EVEN, odd & _EVEN
        return type(self)(count, ((even & _EVEN) | (odd & _EVEN) << 16).to_bytes(STATE_BYTES, "little"))


def _element(hashed: bytes) -> bytes:
    """What an object adds: SHAKE-128 of its hash, as long as the state."""
    return hashlib.shake_128(hashed).digest(STATE_BYTES)


def _lanes(state: bytes) -> tuple[int, int]:
    """The even and the odd lanes, each with 16 bits of room above it: adding is then two additions, not 1,024."""
    number = int.from_bytes(state, "little")
    return number & _EVEN, number >> 16 & _EVEN
