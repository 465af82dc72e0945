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
from station.records.strict_json import LEVELS_LIMIT, canonical

CENTRAL_KEY = "central_key"
SITE = ObjectName("site", 0)


class Received(NamedTuple):
    """An object as it was received, its canonical JSON, and the SHA-256 of that."""

    body: Mapping[str, Any]
    text: bytes
    hash: bytes


@dataclass(slots=True)
class Gathering:
    """The pages of one answer so far: what the mirror would be with them."""

    sum: MirrorSum
    """Over the mirror with all of it; begins as that of what is held."""
    upserts: dict[ObjectName, Received] = field(default_factory=dict)
    removes: set[ObjectName] = field(default_factory=set)
    text_bytes: int = 0
    """Of all objects in all pages."""

    def unseen(self, change: MirrorChange) -> Sequence[ObjectName]:
        """What a page names and none before it has: whether, and as what, that is held is for the database to say."""
        return [name for name in (*change.upserts, *change.removes) if not self._named(name)]

    def add(self, change: MirrorChange, held: Mapping[ObjectName, bytes]) -> None:
        """Apply a page. ``held``: the hashes of what is held of `unseen`. Raises JsonRefused."""
        new = {name: received(body) for name, body in change.upserts.items()}
        self.text_bytes += sum(len(each.text) for each in new.values())
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

    def epoch(self) -> str | None:
        """Central's, as the site's object in this answer says it, which a head signs; None: it says none."""
        return told_epoch(self.upserts[SITE].body) if SITE in self.upserts else None

    def _named(self, name: ObjectName) -> bool:
        return name in self.upserts or name in self.removes


def judged(
    head: bytes,
    call: Call,
    sum_: MirrorSum,
    chain: CentralChain,
    *,
    newest_version: int | None,
    now_s: int | None,
) -> Head | HeadRefusal:
    """The head, if it confirms the mirror of this sum.

    ``chain``: of central keys, with those of the answer. ``newest_version``: claim 40 of the last head that confirmed;
    None where the answer is a snapshot. ``now_s``: Unix seconds of a trusted clock, None without one.
    """
    return confirming_head(head, chain.head_signer(), call, Holding(sum_.count, sum_.digest(), newest_version, now_s))


def told_epoch(site: Mapping[str, Any]) -> str | None:
    """Central's, as the site's object says it; None: it says none."""
    told = site.get("epoch")
    return told if type(told) is str else None


def received(body: Mapping[str, Any], levels: int = LEVELS_LIMIT) -> Received:
    """An object of an answer, with ``levels`` left for it. Raises JsonRefused."""
    text = canonical(body, levels)
    return Received(body, text, hashlib.sha256(text).digest())
