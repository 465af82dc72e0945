"""Mirror objects: checked before they are used, and turned into facts when a decision needs them.

Where a field is also in the signed record, the record wins; an object that contradicts its record is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from station.errors import StationError
from station.ports import Json, KnownAs, MirrorBundle, MirrorObject
from station.records.base64url import decoded_or_nothing
from station.records.central_chain import CentralChain
from station.records.claims import MAX_UINT32, Blocklist, Category, CentralKey, Claims, KeyRecord, Permit
from station.records.envelope import verified
from station.records.keys import PublicKey
from station.rules.facts import HolderEntry, KeyEntry, KeyKnown, KeyStatus, PermitEntry, Person, UnitEntry

NAME_LIMIT = 200
MAX_SQLITE = 2**63 - 1
ADOPTED_NOTE = "blocklist_adopted"
"""The note of the newest blocklist that this station has seen, wherever it came from."""


class ObjectRefused(StationError):
    """A mirror object that must not be used; ``code`` says why. It is part of the mirror nevertheless."""


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    type: str = Field(max_length=40)
    id: int = Field(ge=0, le=MAX_UINT32)
    revision: int = Field(ge=0, le=MAX_SQLITE)


class _KeyBody(_Body):
    kind: int
    unit: int
    holder: int | None = None
    status: Literal["active", "blocked", "returned"]
    locked_at: int | None = Field(default=None, ge=0, le=MAX_SQLITE)
    unlocked_at: int | None = Field(default=None, ge=0, le=MAX_SQLITE)
    blocked_at: int | None = Field(default=None, ge=0, le=MAX_UINT32)
    record: str


class _HolderBody(_Body):
    name: str = Field(default="", max_length=NAME_LIMIT)
    category: int = Field(ge=0, le=max(Category))
    unit: int
    status: Literal["active", "ended"]
    language: str | None = Field(default=None, max_length=10)


class _PermitBody(_Body):
    holder: int
    unit: int | None = None
    record: str


class _UnitBody(_Body):
    name: str = Field(max_length=NAME_LIMIT)
    closed: bool


class _AreaBody(_Body):
    name: str = Field(max_length=NAME_LIMIT)


class _StationBody(_Body):
    name: str = Field(max_length=NAME_LIMIT)
    address: str = Field(max_length=NAME_LIMIT)
    unit: int
    role: int = Field(ge=0)


class _BlocklistBody(_Body):
    id: int = Field(ge=0, le=0)
    version: int
    record: str


class _CentralKeyBody(_Body):
    status: Literal["next", "current", "retired"]
    record: str


class _SiteBody(_Body):
    id: int = Field(ge=0, le=0)
    name: str = Field(max_length=NAME_LIMIT)
    timezone: str = Field(max_length=64)


_BODIES: Mapping[str, type[_Body]] = {
    "key": _KeyBody,
    "holder": _HolderBody,
    "permit": _PermitBody,
    "unit": _UnitBody,
    "area": _AreaBody,
    "station": _StationBody,
    "blocklist": _BlocklistBody,
    "central_key": _CentralKeyBody,
    "site": _SiteBody,
}

SignedClaims: TypeAlias = KeyRecord | Permit | Blocklist | CentralKey

B = TypeVar("B", bound=_Body)
C = TypeVar("C", bound=Claims)


def checked(raw: Mapping[str, Json], chain: CentralChain) -> SignedClaims | None:
    """The verified claims of the record in an object that may be used; None for one that has no record.

    ``chain``: the central keys, with the answer that the object came in. Raises ObjectRefused.
    """
    body = _validated(raw)
    signers = chain.verifying()
    claims: SignedClaims | None = None
    match body:
        case _KeyBody():
            claims = key = _record(KeyRecord, body.record, signers)
            _same(body, id=(key.key, body.id), kind=(key.kind, body.kind), unit=(key.unit, body.unit))
            _same(body, holder=(key.holder, body.holder))
        case _PermitBody():
            claims = permit = _record(Permit, body.record, signers)
            _same(body, holder=(permit.holder, body.holder))
        case _BlocklistBody():
            claims = _record(Blocklist, body.record, signers)
            _same(body, version=(claims.version, body.version))
        case _CentralKeyBody():
            # Retired keys continue the chain too; whether this is the link of its place, the chain says.
            claims = _record(CentralKey, body.record, [key.public_key for key in chain.keys])
            linked = [key.public_key for key in chain.keys[body.id : body.id + 1]]
            if claims.public_key not in linked:
                raise ObjectRefused("object_record_invalid", type=body.type, id=body.id)
        case _SiteBody():
            zone(body.timezone)
        case _:
            pass
    return claims


def known_type(type_: str) -> bool:
    """Whether this station makes anything of objects of that type; others are part of its mirror all the same."""
    return type_ in _BODIES


def _validated(raw: Mapping[str, Json]) -> _Body:
    body = _shaped(_BODIES[raw["type"]], raw)
    if body is None:
        raise ObjectRefused("object_malformed", type=raw["type"], id=raw["id"])
    return body


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ObjectRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ObjectRefused("object_malformed", type="site") from None


def key_known(bundle: MirrorBundle, key: int, signers: Sequence[PublicKey], blocklist: Blocklist | None) -> KeyKnown:
    """What the mirror knows of a key. Records are verified once more: a database can be written to by a thief."""
    entry, holder = _key(bundle, signers), _holder(bundle, bundle.key_holder)
    return KeyKnown(
        key=entry,
        unit=_unit(bundle, bundle.key_unit),
        holder=holder,
        permit=_permit_for(entry, _permits(bundle.key_holder_permits, signers, holder), holder),
        on_blocklist=blocklist is not None and key in blocklist.blocked_keys,
    )


def person(bundle: MirrorBundle, signers: Sequence[PublicKey]) -> Person | None:
    """Whom the PIN tag of the look-up belongs to."""
    holder = _holder(bundle, bundle.person)
    if holder is None:
        return None
    return Person(holder, _unit(bundle, bundle.person_unit), _permits(bundle.person_permits, signers, holder))


def newest_blocklist(records: Sequence[bytes | None], signers: Sequence[PublicKey]) -> tuple[bytes, Blocklist] | None:
    """The one of highest version among those that verify."""
    lists = [(r, c) for r in records if r and (c := verified(Blocklist, r, signers)) is not None]
    return max(lists, key=lambda pair: pair[1].version, default=None)


def record_of(found: MirrorObject | None) -> bytes | None:
    """The signed bytes in an object, None where there are none."""
    return (decoded_or_nothing(found.body.get("record")) or None) if found is not None else None


def _key(bundle: MirrorBundle, signers: Sequence[PublicKey]) -> KeyEntry | None:
    body, id_record = _body(_KeyBody, bundle.key), record_of(bundle.key)
    record = verified(KeyRecord, id_record, signers)
    if body is None or record is None or id_record is None:
        return None
    entry = KeyEntry(record, KeyStatus(body.status), body.locked_at, body.unlocked_at, body.blocked_at, id_record)
    for status in (KnownAs.BLOCKED, KnownAs.RETURNED):
        if _stays(bundle, "key", body.id, status):
            entry = replace(entry, status=KeyStatus(status))
    if _stays(bundle, "key", body.id, KnownAs.LOCKED):
        # Locked is who was locked later than unlocked.
        entry = replace(entry, locked_at=max(entry.locked_at or 0, (entry.unlocked_at or 0) + 1))
    return entry


def _holder(bundle: MirrorBundle, found: MirrorObject | None) -> HolderEntry | None:
    body = _body(_HolderBody, found)
    if body is None:
        return None
    ended = body.status == "ended" or _stays(bundle, "holder", body.id, KnownAs.ENDED)
    return HolderEntry(body.id, body.name, Category(body.category), body.unit, ended=ended, language=body.language)


def _unit(bundle: MirrorBundle, found: MirrorObject | None) -> UnitEntry | None:
    body = _body(_UnitBody, found)
    if body is None:
        return None
    return UnitEntry(body.id, body.name, body.closed or _stays(bundle, "unit", body.id, KnownAs.CLOSED))


def _stays(bundle: MirrorBundle, type_: str, id_: int, was: KnownAs) -> bool:
    """Whether a central that went back has opened it again, and this station has not."""
    return any((each.type, each.id, each.was) == (type_, id_, was) for each in bundle.stay_refused)


def _permits(
    found: Sequence[MirrorObject], signers: Sequence[PublicKey], holder: HolderEntry | None
) -> tuple[PermitEntry, ...]:
    """The holder's permits, one for each unit; none that says another holder, or another category."""
    entries: dict[int | None, PermitEntry] = {}
    for each in found:
        body, record = _body(_PermitBody, each), record_of(each)
        permit = verified(Permit, record, signers)
        if body is None or record is None or permit is None or holder is None:
            continue
        # The holder's object is not signed. Where a permit says otherwise, that is what central has put its name to.
        if permit.holder != holder.holder or permit.category is not holder.category:
            continue
        # Two for one unit: the older one has been put beside it by somebody who would like it back.
        other = entries.get(body.unit)
        if other is None or permit.revision > other.permit.revision:
            entries[body.unit] = PermitEntry(permit, record, body.unit)
    return tuple(entries.values())


def _permit_for(key: KeyEntry | None, permits: Sequence[PermitEntry], holder: HolderEntry | None) -> PermitEntry | None:
    """A personal key's permit: its holder's one, or for an hourly holder the one for the key's unit."""
    if key is None or holder is None:
        return None
    wanted = key.record.unit if holder.category is Category.HOURLY else None
    return next((p for p in permits if p.unit == wanted), None)


def _body(kind: type[B], found: MirrorObject | None) -> B | None:
    return None if found is None else _shaped(kind, found.body)


def _shaped(kind: type[B], fields: Mapping[str, Json]) -> B | None:
    # None instead of the validation error, which would show its input.
    try:
        return kind.model_validate(dict(fields))
    except ValidationError:
        return None


def _record(kind: type[C], text: str, signers: Sequence[PublicKey]) -> C:
    claims = verified(kind, decoded_or_nothing(text), signers)
    if claims is None:
        raise ObjectRefused("object_record_invalid", type=kind.TYPE)
    return claims


def _same(body: _Body, **pairs: tuple[Any, Any]) -> None:
    for name, (signed, said) in pairs.items():
        if signed != said:
            raise ObjectRefused("object_contradicts_record", type=body.type, id=body.id, field=name)
