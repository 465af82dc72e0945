"""Which of the objects in an answer the station goes by: what is signed, consistent, and not older than what is in use.

An object that is refused is part of the mirror all the same, and its last good version is used in its place. So one bad
row closes nothing, nor does a newer central.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from station.ports import Json, MirrorObject, ReceivedObject, Store
from station.records.central_chain import CentralChain
from station.records.claims import Blocklist, Claims, KeyRecord, Permit
from station.records.envelope import claimed, verified
from station.records.keys import PublicKey
from station.records.mirror_digest import ObjectName
from station.sync.confirmation import SITE, Received
from station.sync.objects import ObjectRefused, checked, known_type, record_of
from station.sync.refused_records import RefusedRecord

OLDER = "object_older"
CONTRADICTS_PERMIT = "object_contradicts_permit"
BLOCKLIST = ObjectName("blocklist", 0)
INLINE_LIMIT = 10
"""More objects are judged on a thread: a verification takes 0.2 ms, and a keystroke must not wait for a thousand."""
JUDGED_AT_ONCE = 500
"""What is judged together is looked up together."""

_CLOSING = {"key": frozenset({"blocked", "returned"}), "holder": frozenset({"ended"})}
"""What a ``status`` says counts whatever else is wrong with the object."""


class _Holder(NamedTuple):
    category: Json
    """None for one that is no holder of ours."""
    as_received: bool


class _Permit(NamedTuple):
    holder: Json
    category: Json
    as_received: bool


class _Held(NamedTuple):
    """What is in use of what an answer names."""

    objects: Mapping[ObjectName, MirrorObject]
    permits: Mapping[tuple[Json, Json], Sequence[MirrorObject]]
    """By whose they are."""


class ObjectIntake:
    """Judges the objects of one answer against what is in use: `judged`, and in the end `contradicting`.

    Nothing is stored here. Of objects that were judged only a few numbers are kept, so an answer may be of any size.
    """

    def __init__(self, store: Store, chain: CentralChain, *, latest_s: int, first: bool = False) -> None:
        """``chain``: with the links of the answer. ``latest_s``: later issue times than this are not believed.

        ``first``: nothing is in use yet, and 100,000 look-ups can be left.
        """
        self._store, self._chain, self._latest_s, self._first = store, chain, latest_s, first
        self.refused: list[RefusedRecord] = []
        self.issued_s = 0
        """The newest time at which central signed one of those that are used as received."""
        self.blocklist: Blocklist | None = None
        """The list in the answer, if it is used as received."""
        self.site: MirrorObject | None = None
        """The site's object as it will be used, if it is in the answer."""
        self._holders: dict[int, _Holder] = {}
        self._permits: dict[int, _Permit] = {}

    async def judged(self, upserts: Mapping[ObjectName, Received]) -> list[ReceivedObject]:
        """What the database is given for them. Raises StoreFault."""
        judged: list[ReceivedObject] = []
        names = [*upserts]
        for begin in range(0, len(names), JUDGED_AT_ONCE):
            some = {name: upserts[name] for name in names[begin : begin + JUDGED_AT_ONCE]}
            held = await self._held(some)
            if len(some) <= INLINE_LIMIT:
                judged += self._judge(some, held)
            else:
                judged += await asyncio.to_thread(self._judge, some, held)
        return judged

    async def contradicting(self, *, whole: bool, removes: Collection[ObjectName] = ()) -> list[ObjectName]:
        """Whichever has come to contradict the other, a holder or a permit of theirs: see `not_used`.

        What the answer does not name and does not remove stays as it is, unless it is a ``whole`` mirror.
        Raises StoreFault.
        """
        holders, permits = self._holders, self._permits
        if not whole:
            holders, permits = await self._with_kept(removes)
        # 100,000 of them are a tenth of a second.
        return await asyncio.to_thread(_contradicting, holders, permits)

    async def not_used(self, received: Mapping[ObjectName, Received]) -> list[ReceivedObject]:
        """The same of those that `contradicting` has named: their last good versions. Raises StoreFault."""
        held = await self._store.held_objects([*received])
        self.refused += [RefusedRecord(*name, CONTRADICTS_PERMIT) for name in received]
        return [self._last_good(name, each, held) for name, each in received.items()]

    # --- one by one ---

    async def _held(self, upserts: Mapping[ObjectName, Received]) -> _Held:
        if self._first:
            return _Held({}, {})
        named = [each.body.get("holder") for name, each in upserts.items() if name.type == "permit"]
        permits: dict[tuple[Json, Json], list[MirrorObject]] = {}
        for permit in await self._store.permits_of(_numbers(named)):
            permits.setdefault(_whose(permit.body), []).append(permit)
        return _Held(await self._store.held_objects([*upserts]), permits)

    def _judge(self, upserts: Mapping[ObjectName, Received], held: _Held) -> list[ReceivedObject]:
        return [self._one(name, each, held) for name, each in upserts.items()]

    def _one(self, name: ObjectName, each: Received, held: _Held) -> ReceivedObject:
        if not known_type(name.type):
            return ReceivedObject(name, each.body, each.text, each.hash, each.body)
        claims: Claims | None = None
        try:
            claims = checked(each.body, self._chain)
            if claims is not None:
                self._refuse_older(name, each.body, claims, held)
                if claims.issued > self._latest_s:
                    raise ObjectRefused("object_issued_in_future", type=name.type, id=name.id)
        except ObjectRefused as error:
            self.refused.append(RefusedRecord(*name, error.code))
            judged = self._last_good(name, each, held.objects)
        else:
            tag = claims.pin_tag if isinstance(claims, Permit) else None
            judged = ReceivedObject(name, each.body, each.text, each.hash, each.body, tag)
            self.issued_s = max(self.issued_s, claims.issued if claims is not None else 0)
            if isinstance(claims, Blocklist):
                self.blocklist = claims
        self._note(judged, claims)
        return judged

    def _refuse_older(self, name: ObjectName, body: Mapping[str, Json], claims: Claims, held: _Held) -> None:
        """Raise ObjectRefused for a record that was signed before the one in use: a replay, or an old backup.

        Central numbers what it signs so that even a restored backup goes on upwards (claims 21 and 40).
        """
        others: Sequence[MirrorObject] = [held.objects[name]] if name in held.objects else []
        if isinstance(claims, Permit):
            # Under whatever number: what counts is whose it is.
            others = held.permits.get(_whose(body), [])
        for other in others:
            if _version_of(other, claims, self._chain.verifying()) > _version(claims):
                raise ObjectRefused(OLDER, type=name.type, id=name.id)

    def _last_good(self, name: ObjectName, each: Received, held: Mapping[ObjectName, MirrorObject]) -> ReceivedObject:
        """Go by the last good version; but that a key or a holder is out of use counts all the same."""
        status = each.body.get("status")
        last_good = held[name].body if name in held else None
        if last_good is not None and type(status) is str and status in _CLOSING.get(name.type, ()):
            last_good = {**last_good, "status": status}
        permit = _permit_in(MirrorObject(*name, last_good)) if name.type == "permit" and last_good else None
        # Its holder is still found by its PIN.
        tag = permit.pin_tag if permit is not None else None
        return ReceivedObject(name, each.body, each.text, each.hash, last_good, tag)

    def _note(self, judged: ReceivedObject, claims: Claims | None) -> None:
        """Keep what has to be compared in the end."""
        name, body, as_received = judged.name, judged.used, judged.used is judged.received
        if name == SITE:
            self.site = MirrorObject(*name, body) if body is not None else None
        if body is None:
            return
        if name.type == "holder":
            self._holders[name.id] = _Holder(body.get("category"), as_received)
        elif name.type == "permit":
            permit = claims if as_received else _permit_in(MirrorObject(*name, body))
            category = int(permit.category) if isinstance(permit, Permit) else None
            self._permits[name.id] = _Permit(body.get("holder"), category, as_received)

    # --- with each other ---

    async def _with_kept(self, removes: Collection[ObjectName]) -> tuple[dict[int, _Holder], dict[int, _Permit]]:
        """With what is held of the same people and the answer leaves as it is."""
        numbers = _numbers([*self._holders, *(each.holder for each in self._permits.values())])
        kept = await self._store.held_objects([ObjectName("holder", n) for n in numbers if n not in self._holders])
        holders = {name.id: _Holder(each.body.get("category"), as_received=False) for name, each in kept.items()}
        permits = {}
        for each in await self._store.permits_of(numbers):
            claims = _permit_in(each)
            if ObjectName("permit", each.id) not in removes:
                category = int(claims.category) if claims is not None else None
                permits[each.id] = _Permit(each.body.get("holder"), category, as_received=False)
        return holders | self._holders, permits | self._permits


def _contradicting(holders: Mapping[int, _Holder], permits: Mapping[int, _Permit]) -> list[ObjectName]:
    against: dict[int, list[int]] = {}
    for number, permit in permits.items():
        holder = holders.get(permit.holder) if type(permit.holder) is int else None
        if holder is not None and (permit.category is None or permit.category != holder.category):
            against.setdefault(permit.holder, []).append(number)
    names: list[ObjectName] = []
    for number, its in against.items():
        if holders[number].as_received:
            names.append(ObjectName("holder", number))
        else:
            names += [ObjectName("permit", each) for each in its if permits[each].as_received]
    return names


def _numbers(said: Iterable[Json]) -> list[int]:
    """Those that can be numbers of holders, each once: nothing of an object has been looked at yet."""
    return list(dict.fromkeys(each for each in said if type(each) is int))


def _permit_in(permit: MirrorObject) -> Permit | None:
    return claimed(Permit, record_of(permit))


def _version_of(other: MirrorObject, new: Claims, signers: Sequence[PublicKey]) -> int:
    """Of the record in use; 0 where there is none that could be newer."""
    claims = verified(type(new), record_of(other), signers)
    return _version(claims) if claims is not None else 0


def _version(claims: Claims) -> int:
    match claims:
        case Permit():
            return claims.revision
        case Blocklist():
            return claims.version
        case KeyRecord():
            return claims.issued
        case _:
            return 0


def _whose(permit: Mapping[str, Json]) -> tuple[Json, Json]:
    return permit.get("holder"), permit.get("unit")
