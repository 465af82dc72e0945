"""What of central's answer is taken into the mirror: what is signed, consistent, and not older than what is there.

An object that is refused leaves its last good version in place. It still counts as received, under its new revision, so
that a single bad object neither stops the feed nor has everything fetched again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from station.ports import Json, MirrorObject, Store
from station.records.claims import Blocklist, KeyRecord, Permit
from station.records.envelope import verified
from station.records.keys import PublicKey
from station.rules.facts import KeyStatus
from station.sync.central_keys import KeyChain
from station.sync.objects import Checked, ObjectRefused, checked, record_of, stand_in

OLDER = "object_older"
GIVE_WAY_EVERY = 25
"""Objects between two turns of the event loop. A verification takes 0.2 ms; a keystroke must not wait for 20,000."""

_KEY_GONE = frozenset({KeyStatus.BLOCKED.value, KeyStatus.RETURNED.value})


@dataclass(frozen=True, slots=True)
class RefusedObject:
    """What was refused, for the log and for central: words and numbers of ours only."""

    type: str
    id: int | None
    reason: str


@dataclass(slots=True)
class CheckedObjects:
    """What to store, and what came to light on the way."""

    chain: KeyChain
    valid_keys: tuple[PublicKey, ...]
    objects: list[MirrorObject] = field(default_factory=list)
    refused: list[RefusedObject] = field(default_factory=list)
    signed: int = 0
    """How many records were verified."""
    issued_s: int = 0
    """The newest time at which central signed one of them."""


async def check_objects(
    raws: Sequence[Mapping[str, Json]],
    removes: Sequence[tuple[str, int]],
    store: Store,
    chain: KeyChain,
    *,
    whole: bool,
    latest_s: int,
) -> CheckedObjects:
    """Judge the objects of a page, or of a snapshot when ``whole``. Nothing is stored here. Raises StoreFault.

    ``chain``: the central keys known so far. ``latest_s``: later issue times than this are not believed.
    """
    # The next central key first: what follows may be signed with it.
    ordered = sorted(raws, key=_central_keys_first)
    listed = {} if whole else {each.id: record_of(each) for each in await store.objects("central_key")}
    for type_, id_ in removes:
        if type_ == "central_key":
            listed.pop(id_, None)
    for raw in ordered:
        if raw.get("type") == "central_key" and isinstance(raw.get("id"), int):
            record = record_of(MirrorObject("central_key", raw["id"], 0, raw))
            longer = chain.extended(record) if record else None
            if longer is not None:
                chain, listed[raw["id"]] = longer, record
    taken = CheckedObjects(chain, chain.valid([record for record in listed.values() if record]))
    have = _Have(store, taken.valid_keys)
    for index, raw in enumerate(ordered):
        try:
            each = checked(raw, taken.valid_keys, chain)
            taken.signed += each.claims is not None
            await have.refuse_older(each)
            _refuse_future(each, latest_s)
        except ObjectRefused as error:
            await _refuse(taken, raw, error, have)
        else:
            taken.objects.append(each.object)
            if each.claims is not None:
                taken.issued_s = max(taken.issued_s, each.claims.issued)
        if index % GIVE_WAY_EVERY == GIVE_WAY_EVERY - 1:
            await asyncio.sleep(0)
    return taken


class _Have:
    """What the mirror has, read when it is needed."""

    def __init__(self, store: Store, signers: Sequence[PublicKey]) -> None:
        self._store, self._signers = store, signers
        self._read: dict[str, dict[int, MirrorObject]] = {}
        self._permits: dict[tuple[Json, Json], list[MirrorObject]] = {}

    async def of_type(self, type_: str) -> Mapping[int, MirrorObject]:
        """The objects of a type by their number."""
        if type_ not in self._read:
            self._read[type_] = {each.id: each for each in await self._store.objects(type_)}
            if type_ == "permit":
                for each in self._read[type_].values():
                    self._permits.setdefault(_whose(each), []).append(each)
        return self._read[type_]

    async def refuse_older(self, new: Checked) -> None:
        """Raise ObjectRefused for a record that was signed before the one that is here: a replay, or an old backup.

        Central numbers what it signs so that even a restored backup goes on upwards (claims 21 and 40).
        """
        if new.claims is None:
            return
        here = await self.of_type(new.object.type)
        others = [here[new.object.id]] if new.object.id in here else []
        if isinstance(new.claims, Permit):
            # Under whatever number: what counts is whose it is.
            others = self._permits.get(_whose(new.object), [])
        for other in others:
            if self._version(other, new) > _version(new.claims):
                raise ObjectRefused(OLDER, type=new.object.type, id=new.object.id)

    def _version(self, other: MirrorObject, new: Checked) -> int:
        record = record_of(other)
        if new.claims is None or record is None or record == record_of(new.object):
            return 0
        claims = verified(type(new.claims), record, self._signers)
        return _version(claims) if claims is not None else 0


async def _refuse(taken: CheckedObjects, raw: Mapping[str, Json], error: ObjectRefused, have: _Have) -> None:
    bare = stand_in(raw, None)
    taken.refused.append(RefusedObject(str(error.fields["type"]), bare.id if bare is not None else None, error.code))
    if bare is None:
        return
    stored = stand_in(raw, (await have.of_type(bare.type)).get(bare.id)) or bare
    if error.code == OLDER and raw.get("status") in _KEY_GONE:
        # The record is an old one, but that central has the key blocked counts all the same.
        stored = replace(stored, body=dict(stored.body) | {"status": raw["status"]})
    taken.objects.append(stored)


def _refuse_future(each: Checked, latest_s: int) -> None:
    if each.claims is not None and each.claims.issued > latest_s:
        raise ObjectRefused("object_issued_in_future", type=each.object.type, id=each.object.id)


def _version(claims: object) -> int:
    match claims:
        case Permit():
            return claims.revision
        case Blocklist():
            return claims.version
        case KeyRecord():
            return claims.issued
        case _:
            return 0


def _whose(permit: MirrorObject) -> tuple[Json, Json]:
    return permit.body.get("holder"), permit.body.get("unit")


def _central_keys_first(raw: Mapping[str, Json]) -> tuple[bool, int]:
    id_ = raw.get("id")
    return raw.get("type") != "central_key", id_ if isinstance(id_, int) and raw.get("type") == "central_key" else 0
