"""What central's answers would make of the mirror, and whether a head confirms just that. Pure.

Whoever sits between central and a station can withhold, repeat, mix and alter what is not signed. So nothing of an
answer counts before a head has signed the whole that it makes. Source: the central API, "Confirming the mirror".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from station.records.central_chain import CentralChain
from station.records.claims import Head
from station.records.mirror_digest import MirrorChange, MirrorSum, ObjectName
from station.records.mirror_head import Call, HeadRefusal, Holding, confirming_head
from station.records.strict_json import canonical

CENTRAL_KEY = "central_key"


class Received(NamedTuple):
    """An object as it was received, its canonical JSON, and the SHA-256 of that."""

    body: Mapping[str, Any]
    text: bytes
    hash: bytes


@dataclass(slots=True)
class Gathering:
    """The pages of one answer so far, or a snapshot: what the mirror would be with them."""

    sum: MirrorSum
    """Over the mirror with all of it; begins as that of what is held, of a snapshot as nothing."""
    whole: bool = False
    """A snapshot."""
    upserts: dict[ObjectName, Received] = field(default_factory=dict)
    removes: set[ObjectName] = field(default_factory=set)

    def unseen(self, change: MirrorChange) -> Sequence[ObjectName]:
        """What a page names and none before it has: whether, and as what, that is held is for the database to say."""
        if self.whole:
            return []
        return [name for name in (*change.upserts, *change.removes) if not self._named(name)]

    def add(self, change: MirrorChange, held: Mapping[ObjectName, bytes]) -> None:
        """Apply a page. ``held``: the hashes of what is held of `unseen`. Raises JsonRefused."""
        new = {name: _received(body) for name, body in change.upserts.items()}
        before = [
            (self.upserts[name].hash if name in self.upserts else held.get(name))
            for name in (*change.upserts, *change.removes)
            if name not in self.removes
        ]
        self.sum = self.sum.changed([each.hash for each in new.values()], [each for each in before if each is not None])
        self.upserts |= new
        self.removes -= new.keys()
        for name in change.removes:
            self.upserts.pop(name, None)
            self.removes.add(name)

    def chain(self, confirmed: CentralChain) -> CentralChain:
        """The chain of central keys with the links of this answer."""
        return confirmed.extended(each.body for name, each in self.upserts.items() if name.type == CENTRAL_KEY)

    def _named(self, name: ObjectName) -> bool:
        return name in self.upserts or name in self.removes


def judged(
    head: bytes,
    call: Call,
    gathering: Gathering,
    confirmed: CentralChain,
    *,
    newest_version: int | None,
    now_s: int | None,
) -> Head | HeadRefusal:
    """The head, if it confirms the mirror with what was gathered.

    ``confirmed``: the chain of central keys so far. ``newest_version``: claim 40 of the last head that confirmed.
    ``now_s``: Unix seconds of a trusted clock, None without one.
    """
    sum_ = gathering.sum
    holding = Holding(sum_.count, sum_.digest(), None if gathering.whole else newest_version, now_s)
    return confirming_head(head, gathering.chain(confirmed).head_signer(), call, holding)


def _received(body: Mapping[str, Any]) -> Received:
    text = canonical(body)
    return Received(body, text, hashlib.sha256(text).digest())
