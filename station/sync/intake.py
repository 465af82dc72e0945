"""Which of the confirmed objects the station goes by: what is signed, consistent, and not older than what is in use.

An object that is refused is part of the mirror all the same, and its last good version is used in its place. So one bad
row closes nothing, nor does a newer central.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from station.ports import Json, MirrorObject, ReceivedObject, Store
from station.records.central_chain import CentralChain
from station.records.claims import Blocklist, Claims, KeyRecord, Permit
from station.records.envelope import claimed, verified
from station.records.keys import PublicKey
from station.records.mirror_digest import ObjectName
from station.sync.confirmation import Gathering, Received
from station.sync.objects import ObjectRefused, checked, known_type, record_of, same_category

OLDER = "object_older"
CONTRADICTS_PERMIT = "object_contradicts_permit"
GIVE_WAY_EVERY = 25
"""Objects between two turns of the event loop. A verification takes 0.2 ms; a keystroke must not wait for 20,000."""

_CLOSING = {"key": frozenset({"blocked", "returned"}), "holder": frozenset({"ended"})}
"""What a ``status`` says counts whatever else is wrong with the object."""


@dataclass(frozen=True, slots=True)
class RefusedObject:
    """What was refused, for the log and for central: words and numbers of ours only."""

    type: str
    id: int | None
    reason: str


@dataclass(slots=True)
class Intake:
    """What is used of what was received."""

    used: dict[ObjectName, Mapping[str, Json] | None] = field(default_factory=dict)
    """Of each object received: itself, its last good version, or nothing."""
    claims: dict[ObjectName, Claims] = field(default_factory=dict)
    """Of the records in those that are used as received."""
    refused: list[RefusedObject] = field(default_factory=list)

    @property
    def issued_s(self) -> int:
        """The newest time at which central signed one of them."""
        return max((getattr(each, "issued", 0) for each in self.claims.values()), default=0)

    def objects(self, type_: str) -> Iterable[MirrorObject]:
        """Those of a type that are used, whichever version."""
        for name, body in self.used.items():
            if name.type == type_ and body is not None:
                yield MirrorObject(name.type, name.id, body)

    def stored(self, gathering: Gathering) -> list[ReceivedObject]:
        """What the database is given."""
        return [
            ReceivedObject(name, each.body, each.text, each.hash, self.used[name], self._pin_tag(name))
            for name, each in gathering.upserts.items()
        ]

    def _pin_tag(self, name: ObjectName) -> bytes | None:
        body = self.used[name] if name.type == "permit" else None
        # Also that of a last good version: its holder is still found by it.
        permit = claimed(Permit, record_of(MirrorObject(*name, body))) if body is not None else None
        return permit.pin_tag if permit is not None else None


class ObjectIntake:
    """Judges the objects of one confirmed answer against what is in use. Nothing is stored here."""

    def __init__(self, gathering: Gathering, store: Store, chain: CentralChain, *, latest_s: int) -> None:
        """``chain``: with the links of the answer. ``latest_s``: later issue times than this are not believed."""
        self._gathering, self._store, self._chain = gathering, store, chain
        self._latest_s = latest_s
        self._taken = Intake()
        self._held: Mapping[ObjectName, MirrorObject] = {}
        self._held_permits: dict[tuple[Json, Json], list[MirrorObject]] = {}
        """By whose they are."""

    async def judge(self) -> Intake:
        """What is used. Raises StoreFault."""
        upserts = self._gathering.upserts
        named = [each.body.get("holder") for name, each in upserts.items() if name.type == "permit"]
        named += [name.id for name in upserts if name.type == "holder"]
        # Nothing of an object has been looked at yet: its holder may be a list.
        numbers = list(dict.fromkeys(each for each in named if type(each) is int))
        self._held = await self._store.held_objects([*upserts, *(ObjectName("holder", each) for each in numbers)])
        for permit in await self._store.permits_of(numbers):
            self._held_permits.setdefault(_whose(permit.body), []).append(permit)
        for index, (name, each) in enumerate(upserts.items()):
            self._take(name, each)
            if index % GIVE_WAY_EVERY == GIVE_WAY_EVERY - 1:
                await asyncio.sleep(0)
        self._compare_categories(numbers)
        return self._taken

    def _take(self, name: ObjectName, each: Received) -> None:
        if not known_type(name.type):
            self._taken.used[name] = each.body
            return
        try:
            claims = checked(each.body, self._chain)
            if claims is not None:
                self._refuse_older(name, each.body, claims)
                if claims.issued > self._latest_s:
                    raise ObjectRefused("object_issued_in_future", type=name.type, id=name.id)
        except ObjectRefused as error:
            self._refuse(name, error.code)
        else:
            self._taken.used[name] = each.body
            if claims is not None:
                self._taken.claims[name] = claims

    def _refuse_older(self, name: ObjectName, body: Mapping[str, Json], claims: Claims) -> None:
        """Raise ObjectRefused for a record that was signed before the one in use: a replay, or an old backup.

        Central numbers what it signs so that even a restored backup goes on upwards (claims 21 and 40).
        """
        others = [self._held[name]] if name in self._held else []
        if isinstance(claims, Permit):
            # Under whatever number: what counts is whose it is.
            others = self._held_permits.get(_whose(body), [])
        for other in others:
            if _version_of(other, claims, self._chain.verifying()) > _version(claims):
                raise ObjectRefused(OLDER, type=name.type, id=name.id)

    def _refuse(self, name: ObjectName, reason: str) -> None:
        """Go by the last good version; but that a key or a holder is out of use counts all the same."""
        self._taken.claims.pop(name, None)
        self._taken.refused.append(RefusedObject(name.type, name.id, reason))
        status = self._gathering.upserts[name].body.get("status")
        last_good = self._held[name].body if name in self._held else None
        if last_good is not None and type(status) is str and status in _CLOSING.get(name.type, ()):
            last_good = {**last_good, "status": status}
        self._taken.used[name] = last_good

    def _compare_categories(self, holders: Sequence[int]) -> None:
        """Refuse whichever has come to contradict the other: a holder, or a permit of theirs."""
        permits: dict[Json, list[MirrorObject]] = {}
        for each in (*self._taken.objects("permit"), *self._kept_permits()):
            permits.setdefault(each.body.get("holder"), []).append(each)
        for number in holders:
            name = ObjectName("holder", number)
            new = name in self._taken.used
            body = self._taken.used[name] if new else self._held[name].body if name in self._held else None
            if body is None:
                continue
            against = [p for p in permits.get(number, ()) if not same_category(MirrorObject(*name, body), p)]
            if against and new and body is self._gathering.upserts[name].body:
                self._refuse(name, CONTRADICTS_PERMIT)
                continue
            for permit in against:
                if ObjectName("permit", permit.id) in self._taken.claims:
                    self._refuse(ObjectName("permit", permit.id), CONTRADICTS_PERMIT)

    def _kept_permits(self) -> Iterable[MirrorObject]:
        """Those held that the answer leaves as they are."""
        if self._gathering.whole:
            return ()
        named = {*self._gathering.upserts, *self._gathering.removes}
        held = (each for permits in self._held_permits.values() for each in permits)
        return (each for each in held if ObjectName("permit", each.id) not in named)


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
