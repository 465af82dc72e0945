"""Mirror objects: checked before they are stored, and turned into facts when a decision needs them.

Where a field is also in the signed record, the record wins; an object that contradicts its record is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from station.core.facts import HolderEntry, KeyEntry, KeyKnown, KeyStatus, PermitEntry, Person, UnitEntry
from station.errors import StationError
from station.ports import Json, MirrorBundle, MirrorObject
from station.records.claims import MAX_UINT32, Blocklist, Category, CentralKey, Claims, KeyRecord, Permit
from station.records.envelope import verified
from station.records.keys import PublicKey
from station.services.base64url import decoded, encoded

NAME_LIMIT = 200
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
    locked_at: int | None = Field(default=None, ge=0)
    unlocked_at: int | None = Field(default=None, ge=0)
    log_seen: list[int] | None = Field(default=None, min_length=2, max_length=2)
    record: str


class _HolderBody(_Body):
    name: str = Field(max_length=NAME_LIMIT)
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
    version: int
    record: str


class _CentralKeyBody(_Body):
    record: str


class _SiteBody(_Body):
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

B = TypeVar("B", bound=_Body)
C = TypeVar("C", bound=Claims)


def checked(raw: Mapping[str, Json], signers: Sequence[PublicKey]) -> MirrorObject:
    """The object as it may be stored. A permit's PIN tag is set beside its record, so that it can be looked up.

    Raises ObjectRefused.
    """
    kind = _BODIES.get(str(raw.get("type")), _Body)
    try:
        body = kind.model_validate(raw)
    except ValidationError:
        raise ObjectRefused("object_malformed", type=_word(raw.get("type"))) from None
    stored = dict(raw)
    match body:
        case _KeyBody():
            record = _record(KeyRecord, body.record, signers)
            _same(body, key=(record.key, body.id), kind=(record.kind, body.kind), unit=(record.unit, body.unit))
            _same(body, holder=(record.holder, body.holder))
        case _PermitBody():
            permit = _record(Permit, body.record, signers)
            _same(body, holder=(permit.holder, body.holder))
            stored["pin_tag"] = encoded(permit.pin_tag)
        case _BlocklistBody():
            _same(body, version=(_record(Blocklist, body.record, signers).version, body.version))
        case _CentralKeyBody():
            _record(CentralKey, body.record, signers)
        case _SiteBody():
            zone(body.timezone)
        case _:
            pass
    return MirrorObject(body.type, body.id, body.revision, stored)


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ObjectRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ObjectRefused("object_malformed", type="site") from None


def key_known(bundle: MirrorBundle, key: int, signers: Sequence[PublicKey], blocklist: Blocklist | None) -> KeyKnown:
    """What the mirror knows of a key. Records are verified once more: a database can be written to by a thief."""
    entry = _key(bundle.key, signers)
    return KeyKnown(
        key=entry,
        unit=_unit(bundle.key_unit),
        holder=_holder(bundle.key_holder),
        permit=_permit_for(entry, _permits(bundle.key_holder_permits, signers), _holder(bundle.key_holder)),
        on_blocklist=blocklist is not None and key in blocklist.blocked_keys,
    )


def person(bundle: MirrorBundle, signers: Sequence[PublicKey]) -> Person | None:
    """Whom the PIN tag of the look-up belongs to."""
    holder = _holder(bundle.person)
    if holder is None:
        return None
    return Person(holder, _unit(bundle.person_unit), _permits(bundle.person_permits, signers))


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
    record = verified(KeyRecord, record_of(found), signers)
    if body is None or record is None:
        return None
    return KeyEntry(record, KeyStatus(body.status), body.locked_at, body.unlocked_at)


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


def _permits(found: Sequence[MirrorObject], signers: Sequence[PublicKey]) -> tuple[PermitEntry, ...]:
    entries = []
    for each in found:
        body, record = _body(_PermitBody, each), record_of(each)
        permit = verified(Permit, record, signers)
        if body is not None and record is not None and permit is not None:
            entries.append(PermitEntry(permit, record, body.unit))
    return tuple(entries)


def _permit_for(key: KeyEntry | None, permits: Sequence[PermitEntry], holder: HolderEntry | None) -> PermitEntry | None:
    """A personal key's permit: its holder's one, or for an hourly holder the one for the key's unit."""
    if key is None or holder is None:
        return None
    wanted = key.record.unit if holder.category is Category.HOURLY else None
    return next((p for p in permits if p.unit == wanted), None)


def _body(kind: type[B], found: MirrorObject | None) -> B | None:
    if found is None:
        return None
    try:
        return kind.model_validate(dict(found.body))
    except ValidationError:
        return None


def _record(kind: type[C], text: str, signers: Sequence[PublicKey]) -> C:
    try:
        claims = verified(kind, decoded(text), signers)
    except ValueError:
        claims = None
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
