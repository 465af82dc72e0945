"""The mirror in the database: what central said, and how far that has come. Runs on the database's thread."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from offline_cache.connection import empty_write_ahead_log, immediate
from offline_cache.faults import broken
from station.ports import Json, MirrorBundle, MirrorObject, MirrorState

_PIN_TAG_BYTES = 16
_SQLITE_INTEGER_MAX = (1 << 63) - 1
_BLOCKLIST_ID = 0

_UPSERT = """
INSERT INTO mirror_object (type, id, revision, body, holder, unit, pin_tag) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (type, id) DO UPDATE SET revision = excluded.revision, body = excluded.body, holder = excluded.holder,
    unit = excluded.unit, pin_tag = excluded.pin_tag
WHERE excluded.revision >= mirror_object.revision
"""


def state(db: Database) -> MirrorState:
    """How far the mirror has come."""
    rows = list(db.table("mirror_state").rows_where(select="epoch, cursor, confirmed_at"))
    return MirrorState(**rows[0]) if rows else MirrorState()


def replace(db: Database, new: MirrorState, objects: Sequence[MirrorObject]) -> None:
    """Replace everything by the snapshot ``objects``."""
    with immediate(db):
        db.table("mirror_object").delete_where()
        _upsert(db, objects)
        _set_state(db, new)
    empty_write_ahead_log(db)


def apply_page(
    db: Database, new: MirrorState, upserts: Sequence[MirrorObject], removes: Sequence[tuple[str, int]]
) -> None:
    """Apply a page of changes and its cursor. Removals last: of two contradicting lines, the one that opens less."""
    with immediate(db):
        _upsert(db, upserts)
        db.conn.executemany("DELETE FROM mirror_object WHERE type = ? AND id = ?", removes)
        _set_state(db, new)
    if any(each.type == "holder" for each in upserts) or any(type_ == "holder" for type_, _ in removes):
        empty_write_ahead_log(db)


def digest(db: Database) -> tuple[int, str]:
    """Count and SHA-256 as the central API describes them."""
    rows = db.execute("SELECT type, id, revision FROM mirror_object")
    lines = sorted(f"{type_}:{id_}:{revision}\n".encode() for type_, id_, revision in rows)
    return len(lines), hashlib.sha256(b"".join(lines)).hexdigest()


def objects(db: Database, type_: str) -> list[MirrorObject]:
    """All objects of a type, by id."""
    return _found(db, "type = ?", [type_])


def bundle(db: Database, key: int | None, pin_tag: bytes | None) -> MirrorBundle:
    """Look up what one decision needs. A tag that leads to two holders leads to nobody."""
    key_object = _one(db, "key", key)
    key_holder = _referred(key_object, "holder")
    person = _one(db, "holder", _holder_with(db, pin_tag))
    return MirrorBundle(
        state=state(db),
        key=key_object,
        key_unit=_one(db, "unit", _referred(key_object, "unit")),
        key_holder=_one(db, "holder", key_holder),
        key_holder_permits=_permits(db, key_holder),
        person=person,
        person_unit=_one(db, "unit", _referred(person, "unit")),
        person_permits=_permits(db, None if person is None else person.id),
        blocklist=_one(db, "blocklist", _BLOCKLIST_ID),
    )


def _holder_with(db: Database, pin_tag: bytes | None) -> int | None:
    if pin_tag is None:
        return None
    rows = db.execute("SELECT DISTINCT holder FROM mirror_object WHERE pin_tag = ? LIMIT 2", [pin_tag])
    holders: list[int | None] = [holder for (holder,) in rows]
    # Central makes tags unique within a site. Should it fail to, a PIN must not open another person's doors.
    return holders[0] if len(holders) == 1 else None


def _permits(db: Database, holder: int | None) -> tuple[MirrorObject, ...]:
    return () if holder is None else tuple(_found(db, "type = 'permit' AND holder = ?", [holder]))


def _one(db: Database, type_: str, id_: int | None) -> MirrorObject | None:
    if id_ is None:
        return None
    found = _found(db, "type = ? AND id = ?", [type_, id_])
    return found[0] if found else None


def _found(db: Database, where: str, where_args: Sequence[object]) -> list[MirrorObject]:
    rows = db.table("mirror_object").rows_where(where, where_args, "id", "type, id, revision, body")
    return [MirrorObject(**row | {"body": _body(row["body"])}) for row in rows]


def _body(text: str) -> Mapping[str, Json]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise broken("mirror_body") from error
    if not isinstance(body, dict):
        raise broken("mirror_body")
    return body


def _upsert(db: Database, objects: Sequence[MirrorObject]) -> None:
    db.conn.executemany(_UPSERT, map(_row, objects))


def _set_state(db: Database, new: MirrorState) -> None:
    db.table("mirror_state").upsert({"only": 1, **asdict(new)}, pk="only")


def _row(each: MirrorObject) -> tuple[object, ...]:
    body = json.dumps(dict(each.body), separators=(",", ":"))
    return (each.type, each.id, each.revision, body, _referred(each, "holder"), _referred(each, "unit"), _pin_tag(each))


def _referred(each: MirrorObject | None, name: str) -> int | None:
    """The number of another object in the body, None where there is none that could be looked up."""
    value: Any = None if each is None else each.body.get(name)
    return value if type(value) is int and 0 <= value <= _SQLITE_INTEGER_MAX else None


def _pin_tag(each: MirrorObject) -> bytes | None:
    """A permit's tag (base64url without padding, 16 bytes). One that is malformed finds nobody."""
    text: Any = each.body.get("pin_tag")
    if each.type != "permit" or not isinstance(text, str):
        return None
    try:
        tag = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return None
    # Python's decoder skips what is not base64; the comparison takes one spelling only.
    canonical = urlsafe_b64encode(tag).rstrip(b"=").decode()
    return tag if len(tag) == _PIN_TAG_BYTES and canonical == text else None
