"""Mirror objects: checked before they are stored, and turned into facts when a decision needs them.

Where a field is also in the signed record, the record wins; an object that contradicts its record is refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from station.errors import StationError
from station.ports import Json, MirrorBundle, MirrorObject
from station.records.base64url import decoded, encoded
from station.records.claims import MAX_UINT32, Blocklist, Category, CentralKey, Claims, KeyRecord, Permit
from station.records.envelope import verified
from station.records.keys import PublicKey
from station.rules.facts import HolderEntry, KeyEntry, KeyKnown, KeyStatus, PermitEntry, Person, UnitEntry
from station.sync.central_keys import KeyChain

NAME_LIMIT = 200
OBJECT_LIMIT_BYTES = 64 * 1024
"""As JSON. The longest are a blocklist, 22 kB, and a site with a privacy notice for each language."""
MAX_SQLITE = 2**63 - 1


class ObjectRefused(StationError):
    """A mirror object that must not be stored; ``code`` says why."""


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
    log_seen: list[Annotated[int, Field(ge=0, le=MAX_SQLITE)]] | None = Field(default=None, min_length=2, max_length=2)
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
    status: Literal["up", "down", "unknown"]


class _BlocklistBody(_Body):
    id: int = Field(ge=0, le=0)
    version: int
    record: str


class _CentralKeyBody(_Body):
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


@dataclass(frozen=True, slots=True)
class Checked:
    """A mirror object as it may be stored, and the claims of the record in it, verified; None where it has none."""

    object: MirrorObject
    claims: SignedClaims | None


def checked(raw: Mapping[str, Json], signers: Sequence[PublicKey], chain: KeyChain | None = None) -> Checked:
    """The object, if its record is signed by one of ``signers`` and it does not contradict it.

    A permit's PIN tag is set beside its record, so that it can be looked up. A ``central_key`` must be part of
    ``chain``. Raises ObjectRefused.
    """
    body = _validated(raw)
    stored = dict(raw)
    claims: SignedClaims | None = None
    match body:
        case _KeyBody():
            claims = key = _record(KeyRecord, body.record, signers)
            _same(body, id=(key.key, body.id), kind=(key.kind, body.kind), unit=(key.unit, body.unit))
            _same(body, holder=(key.holder, body.holder))
        case _PermitBody():
            claims = permit = _record(Permit, body.record, signers)
            _same(body, holder=(permit.holder, body.holder))
            stored["pin_tag"] = encoded(permit.pin_tag)
        case _BlocklistBody():
            claims = _record(Blocklist, body.record, signers)
            _same(body, version=(claims.version, body.version))
        case _CentralKeyBody():
            claims = _record(CentralKey, body.record, chain.keys if chain is not None else signers)
            if chain is not None and claims.public_key not in chain.keys:
                raise ObjectRefused("object_record_invalid", type=body.type, id=body.id)
        case _SiteBody():
            zone(body.timezone)
        case _:
            pass
    return Checked(MirrorObject(body.type, body.id, body.revision, stored), claims)


def _validated(raw: Mapping[str, Json]) -> _Body:
    type_ = raw.get("type")
    kind = _BODIES.get(type_, _Body) if isinstance(type_, str) else _Body
    body = _shaped(kind, raw)
    if body is None:
        raise ObjectRefused("object_malformed", type=_word(type_))
    if len(json.dumps(raw)) > OBJECT_LIMIT_BYTES:
        raise ObjectRefused("object_too_long", type=_word(type_))
    return body


def stand_in(raw: Mapping[str, Json], last_good: MirrorObject | None) -> MirrorObject | None:
    """What is stored of an object that was refused: its last good version, or nothing but its name.

    It takes the refused one's revision, so that the mirror's digest is what central says, and the same object is not
    asked for again and again. None where it has no name and number to be stored under.
    """
    named = _shaped(_Body, {name: raw.get(name) for name in _Body.model_fields})
    if named is None:
        return None
    name = {"type": named.type, "id": named.id, "revision": named.revision}
    body = dict(last_good.body) | name if last_good is not None else name
    return MirrorObject(named.type, named.id, named.revision, body)


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ObjectRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ObjectRefused("object_malformed", type="site") from None


def key_known(bundle: MirrorBundle, key: int, signers: Sequence[PublicKey], blocklist: Blocklist | None) -> KeyKnown:
    """What the mirror knows of a key. Records are verified once more: a database can be written to by a thief."""
    entry, holder = _key(bundle.key, signers), _holder(bundle.key_holder)
    return KeyKnown(
        key=entry,
        unit=_unit(bundle.key_unit),
        holder=holder,
        permit=_permit_for(entry, _permits(bundle.key_holder_permits, signers, holder), holder),
        on_blocklist=blocklist is not None and key in blocklist.blocked_keys,
    )


def person(bundle: MirrorBundle, signers: Sequence[PublicKey]) -> Person | None:
    """Whom the PIN tag of the look-up belongs to."""
    holder = _holder(bundle.person)
    if holder is None:
        return None
    return Person(holder, _unit(bundle.person_unit), _permits(bundle.person_permits, signers, holder))


def newest_blocklist(records: Sequence[bytes | None], signers: Sequence[PublicKey]) -> tuple[bytes, Blocklist] | None:
    """The one of highest version among those that verify."""
    lists = [(r, c) for r in records if r and (c := verified(Blocklist, r, signers)) is not None]
    return max(lists, key=lambda pair: pair[1].version, default=None)


def record_of(found: MirrorObject | None) -> bytes | None:
    """The signed bytes in an object, None where there are none."""
    try:
        return decoded(str(found.body["record"])) if found is not None else None
    except (KeyError, ValueError):
        return None


def log_seen(found: MirrorObject | None) -> tuple[int, int] | None:
    """What central has of a key's log: generation and seq."""
    body = _body(_KeyBody, found)
    return (body.log_seen[0], body.log_seen[1]) if body is not None and body.log_seen else None


def _key(found: MirrorObject | None, signers: Sequence[PublicKey]) -> KeyEntry | None:
    body = _body(_KeyBody, found)
    id_record = record_of(found)
    record = verified(KeyRecord, id_record, signers)
    if body is None or record is None or id_record is None:
        return None
    return KeyEntry(record, KeyStatus(body.status), body.locked_at, body.unlocked_at, id_record)


def _holder(found: MirrorObject | None) -> HolderEntry | None:
    body = _body(_HolderBody, found)
    if body is None:
        return None
    return HolderEntry(
        body.id, body.name, Category(body.category), body.unit, ended=body.status == "ended", language=body.language
    )


def _unit(found: MirrorObject | None) -> UnitEntry | None:
    body = _body(_UnitBody, found)
    return None if body is None else UnitEntry(body.id, body.name, body.closed)


def _permits(
    found: Sequence[MirrorObject], signers: Sequence[PublicKey], holder: HolderEntry | None
) -> tuple[PermitEntry, ...]:
    """The holder's permits, one for each unit; none that says another holder, or that hourly staff are not such."""
    entries: dict[int | None, PermitEntry] = {}
    for each in found:
        body, record = _body(_PermitBody, each), record_of(each)
        permit = verified(Permit, record, signers)
        if body is None or record is None or permit is None or holder is None:
            continue
        # The holder's object is not signed. Where a permit says otherwise, that is what central has put its name to.
        hourly = Category.HOURLY
        if permit.holder != holder.holder or (permit.category is hourly) != (holder.category is hourly):
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
    try:
        record = decoded(text)
    except ValueError:
        record = b""
    claims = verified(kind, record, signers)
    if claims is None:
        raise ObjectRefused("object_record_invalid", type=kind.TYPE)
    return claims


def _same(body: _Body, **pairs: tuple[Any, Any]) -> None:
    for name, (signed, said) in pairs.items():
        if signed != said:
            raise ObjectRefused("object_contradicts_record", type=body.type, id=body.id, field=name)


def _word(value: object) -> str:
    """A type name from outside, short enough and plain enough for a log line."""
    return value if isinstance(value, str) and value.isidentifier() and len(value) <= 40 else "?"
