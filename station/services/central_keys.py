"""Which central keys this station believes: those of its enrolment, continued by a chain of signatures.

A ``central/1`` names the site's next central key, signed by the one before it. A key that was learnt in this way is
never unlearnt, whatever is removed from the mirror; but only the newest two are ever valid, and the older of them only
for as long as central still lists the newest as its next one. So a change of keys has three steps at central: list the
next key, sign everything anew with it, take it off the list.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from station.records.base64url import decoded, encoded
from station.records.claims import CentralKey
from station.records.envelope import verified
from station.records.keys import PublicKey

VALID_LIMIT = 2


@dataclass(frozen=True, slots=True)
class KeyChain:
    """``keys``: oldest first. ``records``: the ``central/1`` that led from the keys of the enrolment to the later."""

    keys: tuple[PublicKey, ...]
    records: tuple[bytes, ...] = ()

    def extended(self, record: bytes) -> "KeyChain | None":
        """With the key that ``record`` names; the same where it is known already; None for one not to be believed.

        Only the newest key names the next: an older one, perhaps stolen, perhaps the reason for the change, must not
        begin a chain of its own.
        """
        claims = verified(CentralKey, record, self.keys)
        if claims is None:
            return None
        if claims.public_key in self.keys:
            return self
        if verified(CentralKey, record, self.keys[-1:]) is None:
            return None
        return KeyChain((*self.keys, claims.public_key), (*self.records, record))

    def valid(self, listed: Collection[bytes] | None) -> tuple[PublicKey, ...]:
        """The keys to believe while central lists these records; None: nobody has been told yet what it lists."""
        newest = self.keys[-1]
        names_newest = listed is None or any(
            (claims := verified(CentralKey, record, self.keys)) is not None and claims.public_key == newest
            for record in listed
        )
        return self.keys[-VALID_LIMIT:] if names_newest else (newest,)

    def written(self) -> str:
        """The chain as a note for the database."""
        return json.dumps([encoded(record) for record in self.records])


def chain_of(roots: Sequence[PublicKey], note: str | None) -> KeyChain:
    """The chain from the enrolment's keys through those records of the note that can be believed."""
    chain = KeyChain(tuple(roots))
    try:
        records = [decoded(text) for text in json.loads(note or "[]")]
    except (ValueError, TypeError, RecursionError):
        return chain
    for record in records:
        chain = chain.extended(record) or chain
    return chain
