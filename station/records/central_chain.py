"""The chain of a site's central keys: which of them sign heads, which verify records, and which only lead on.

A ``central/1`` links each key to the next, signed by the one before. Object n of type ``central_key`` is the nth link,
its status that of the key it names; the first key has no object. Links are never removed, a known place is never given
to another key, and a status only goes forward, whatever an answer says: an old key, perhaps stolen, perhaps the reason
for the change, can neither fork the chain nor come back. Source: the central API, "Central keys".
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from station.records.base64url import decoded, encoded
from station.records.claims import CHAIN_LIMIT, CentralKey
from station.records.envelope import verified
from station.records.keys import PublicKey
from station.records.public_keys import is_public_key


class KeyStatus(StrEnum):
    """Of a central key."""

    NEXT = "next"
    """Named, and believed, but it signs no head yet."""
    CURRENT = "current"
    RETIRED = "retired"
    """Only continues the chain."""


_ORDER = [*KeyStatus]


@dataclass(frozen=True, slots=True)
class ChainKey:
    """A central key, and its status."""

    public_key: PublicKey
    status: KeyStatus


@dataclass(frozen=True, slots=True)
class CentralChain:
    """The site's central keys as a station knows them, oldest first. What it keeps is the chain last *confirmed*.

    An answer's head is judged by the chain `extended` by that answer; for all else that counts only once the head has
    confirmed it.
    """

    keys: tuple[ChainKey, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.keys) <= CHAIN_LIMIT:
            raise ValueError("not a chain of central keys")

    @classmethod
    def enrolled(cls, public_keys: Sequence[PublicKey], current: PublicKey) -> Self:
        """The chain that an enrolment answers, oldest first. ``current``: whoever signed the certificate in it.

        Raises ValueError when that is none of them, or one of them is no public key.
        """
        if not all(map(is_public_key, public_keys)):
            raise ValueError("not a public key")
        at = public_keys.index(current)
        statuses = [KeyStatus.RETIRED] * at + [KeyStatus.CURRENT] + [KeyStatus.NEXT] * (len(public_keys) - at - 1)
        return cls(tuple(map(ChainKey, public_keys, statuses)))

    @classmethod
    def not_retired(cls, public_keys: Sequence[PublicKey]) -> Self:
        """The chain of which these verify records, oldest first: the first is current. Raises ValueError for none."""
        return cls(
            tuple(ChainKey(key, KeyStatus.NEXT if at else KeyStatus.CURRENT) for at, key in enumerate(public_keys))
        )

    @classmethod
    def from_note(cls, note: str) -> Self:
        """The inverse of `to_note`. Raises ValueError for anything else."""
        try:
            keys = tuple(ChainKey(decoded(key), KeyStatus(status)) for key, status in json.loads(note))
        except (TypeError, RecursionError) as error:
            raise ValueError("not a chain of central keys") from error
        if not all(is_public_key(key.public_key) for key in keys):
            raise ValueError("not a public key")
        return cls(keys)

    def to_note(self) -> str:
        """The chain as a note for the database."""
        return json.dumps([[encoded(key.public_key), key.status] for key in self.keys])

    def extended(self, objects: Iterable[Mapping[str, Any]]) -> Self:
        """With an answer's ``central_key`` objects, in whatever order they came; what does not hold is left out.

        Only the newest key known may name the next; of two links for one place the first counts.
        """
        keys = list(self.keys)
        for place, status, record in sorted(_links(objects)):
            if not 0 < place <= len(keys):
                continue
            link = verified(CentralKey, record, [keys[place - 1].public_key])
            if link is None:
                continue
            if place == len(keys):
                if len(keys) < CHAIN_LIMIT and all(link.public_key != known.public_key for known in keys):
                    keys.append(ChainKey(link.public_key, _ORDER[status]))
            elif keys[place].public_key == link.public_key:
                keys[place] = _forward(keys[place], _ORDER[status])
        # The first key has no object of its own: it is current until a later one is, or has been.
        if any(later.status is not KeyStatus.NEXT for later in keys[1:]):
            keys[0] = _forward(keys[0], KeyStatus.RETIRED)
        return replace(self, keys=tuple(keys))

    def moved_on(self, noted: Self) -> Self:
        """With the statuses of ``noted`` where they are further on. Its keys are not believed: nobody signed a note."""
        known = {key.public_key: key.status for key in noted.keys}
        return replace(self, keys=tuple(_forward(key, known.get(key.public_key, key.status)) for key in self.keys))

    def head_signer(self) -> PublicKey | None:
        """The one key that may sign a head: the newest current one; None where there is none."""
        return next((key.public_key for key in reversed(self.keys) if key.status is KeyStatus.CURRENT), None)

    def verifying(self) -> tuple[PublicKey, ...]:
        """The keys that may have signed any other record."""
        return tuple(key.public_key for key in self.keys if key.status is not KeyStatus.RETIRED)

    def time_signers(self, records: Iterable[bytes]) -> tuple[PublicKey, ...]:
        """The keys that may have signed a ``time/1``: the newest confirmed as current, and every later one.

        ``records``: the ``central/1`` of the same answer, oldest first; the chain that they continue serves this answer
        only. So a station that slept through a whole change of keys can learn the time.
        """
        known = [key.public_key for key in self.keys]
        current = self.head_signer()
        # Without a current key only what comes after all that is known can be one.
        signers = known[known.index(current) :] if current is not None else []
        for record in records:
            link = verified(CentralKey, record, known[-1:])
            if link is not None and link.public_key not in known and len(known) < CHAIN_LIMIT:
                known.append(link.public_key)
                signers.append(link.public_key)
        return tuple(signers)


def _forward(key: ChainKey, status: KeyStatus) -> ChainKey:
    return ChainKey(key.public_key, max(key.status, status, key=_ORDER.index))


def _links(objects: Iterable[Mapping[str, Any]]) -> Iterable[tuple[int, int, bytes]]:
    """Place, status as a number and record of each ``central_key`` object that has them."""
    for each in objects:
        if each.get("type") != "central_key":
            continue
        place, status, record = each.get("id"), each.get("status"), each.get("record")
        if type(place) is not int or type(status) is not str or type(record) is not str:
            continue
        try:
            yield place, _ORDER.index(KeyStatus(status)), decoded(record)
        except ValueError:
            continue
