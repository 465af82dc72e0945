"""The mirror in the database: what central said, and what of it has been confirmed. Runs on the database's thread."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from sqlite_utils import Database

from offline_cache import outbox, small_tables
from offline_cache.connection import empty_write_ahead_log, immediate
from offline_cache.event_ids import EventIds
from offline_cache.faults import broken
from station.ports import (
    Json,
    KnownAs,
    MirrorBundle,
    MirrorObject,
    MirrorState,
    MirrorUpdate,
    ReceivedObject,
    StaysRefused,
)
from station.records.mirror_digest import MirrorSum, ObjectName

_SQLITE_INTEGER_MAX = (1 << 63) - 1
_BLOCKLIST_ID = 0
_NOTHING = ""
"""In ``used``: the object is refused, and there is no earlier one."""

_UPSERT = """
INSERT OR REPLACE INTO mirror_object (type, id, hash, received, used, holder, unit, pin_tag)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_NAMED = "(type, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
_HASHES = f"SELECT type, id, hash FROM mirror_object WHERE {_NAMED}"  # noqa: S608 both are ours
_USED = f"used IS NOT '{_NOTHING}'"


def state(db: Database) -> MirrorState:
    """What has last been confirmed."""
    rows = db.execute("SELECT epoch, cursor, version, confirmed_at, count, lanes FROM mirror_state").fetchall()
    if not rows:
        return MirrorState()
    epoch, cursor, version, confirmed_at, count, lanes = rows[0]
    return MirrorState(epoch, cursor, version, confirmed_at, MirrorSum(count, lanes))


def take(db: Database, update: MirrorUpdate, ids: EventIds) -> None:
    """Make what a head has confirmed durable, all of it or nothing."""
    with immediate(db):
        if update.whole:
            db.table("mirror_object").delete_where()
        db.conn.executemany("DELETE FROM mirror_object WHERE type = ? AND id = ?", update.removes)
        db.conn.executemany(_UPSERT, map(_row, update.upserts))
        new = update.state
        db.execute(
            "INSERT OR REPLACE INTO mirror_state VALUES (1, ?, ?, ?, ?, ?, ?)",
            [new.epoch, new.cursor, new.version, new.confirmed_at, new.sum.count, new.sum.state],
        )
        if update.stay_refused is not None:
            db.table("stays_refused").delete_where()
            db.conn.executemany("INSERT INTO stays_refused VALUES (?, ?, ?, ?)", map(astuple, update.stay_refused))
        for name, value in update.notes.items():
            small_tables.set_note(db, name, value)
        outbox.add(db, update.events, ids)
    touched = {each.name.type for each in update.upserts} | {name.type for name in update.removes}
    if update.whole or "holder" in touched:
        # A name that central no longer tells goes from the WAL as well.
        empty_write_ahead_log(db)


def held_hashes(db: Database, names: Sequence[ObjectName]) -> dict[ObjectName, bytes]:
    """The hashes of those of these objects that are held."""
    rows = db.execute(_HASHES, [json.dumps(names)])
    return {ObjectName(type_, id_): hash_ for type_, id_, hash_ in rows}


def held_objects(db: Database, names: Sequence[ObjectName]) -> dict[ObjectName, MirrorObject]:
    """Those of these objects that are used."""
    return {ObjectName(each.type, each.id): each for each in _found(db, _NAMED, [json.dumps(names)])}


def permits_of(db: Database, holders: Sequence[int]) -> list[MirrorObject]:
    """The permits of these holders that are used."""
    where = "type = 'permit' AND holder IN (SELECT value FROM json_each(?))"
    return _found(db, where, [json.dumps(holders)])


def objects(db: Database, type_: str) -> list[MirrorObject]:
    """All objects of a type that are used, by id."""
    return _found(db, "type = ?", [type_])


def bundle(db: Database, key: int | None, pin_tags: Sequence[bytes]) -> MirrorBundle:
    """Look up what one decision needs. Tags that lead to two holders lead to nobody."""
    key_object = _one(db, "key", key)
    key_holder = _referred(key_object, "holder")
    holders = _holders_with(db, pin_tags)
    # Central makes tags unique within a site. Should it fail to, a PIN must not open another person's doors.
    person = _one(db, "holder", holders[0] if len(holders) == 1 else None)
    return MirrorBundle(
        state=state(db),
        key=key_object,
        key_unit=_one(db, "unit", _referred(key_object, "unit")),
        key_holder=_one(db, "holder", key_holder),
        key_holder_permits=_permits(db, key_holder),
        person=person,
        pin_is_shared=len(holders) > 1,
        person_unit=_one(db, "unit", _referred(person, "unit")),
        person_permits=_permits(db, None if person is None else person.id),
        blocklist=_one(db, "blocklist", _BLOCKLIST_ID),
        stay_refused=tuple(stay_refused(db)),
    )


def stay_refused(db: Database) -> list[StaysRefused]:
    """What a central that went back has opened again, and this station has not."""
    rows = db.execute("SELECT type, id, was, revision FROM stays_refused ORDER BY type, id, was")
    return [StaysRefused(type_, id_, KnownAs(was), revision) for type_, id_, was, revision in rows]


def _holders_with(db: Database, pin_tags: Sequence[bytes]) -> list[int | None]:
    """The holders whose permits have one of these tags, or enough of them to see that there is more than one."""
    holders: set[int | None] = set()
    for tag in pin_tags:
        rows = db.execute("SELECT DISTINCT holder FROM mirror_object WHERE pin_tag = ? LIMIT 2", [tag])
        holders |= {holder for (holder,) in rows}
    return list(holders)


def _permits(db: Database, holder: int | None) -> tuple[MirrorObject, ...]:
    return () if holder is None else tuple(_found(db, "type = 'permit' AND holder = ?", [holder]))


def _one(db: Database, type_: str, id_: int | None) -> MirrorObject | None:
    if id_ is None:
        return None
    found = _found(db, "type = ? AND id = ?", [type_, id_])
    return found[0] if found else None


def _found(db: Database, where: str, where_args: Sequence[object]) -> list[MirrorObject]:
    wanted = "type, id, coalesce(used, received) AS body"
    rows = db.table("mirror_object").rows_where(f"{where} AND {_USED}", where_args, "id", wanted)
    return [MirrorObject(row["type"], row["id"], _body(row["body"])) for row in rows]


def _body(text: str) -> Mapping[str, Json]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise broken("mirror_body") from error
    if not isinstance(body, dict):
        raise broken("mirror_body")
    return body


def _row(each: ReceivedObject) -> tuple[object, ...]:
    if each.used is each.received:
        used = None
    else:
        used = _NOTHING if each.used is None else json.dumps(dict(each.used), separators=(",", ":"))
    place = MirrorObject(*each.name, each.used or {})
    holder, unit = _referred(place, "holder"), _referred(place, "unit")
    return (*each.name, each.hash, each.text.decode(), used, holder, unit, each.pin_tag)


def _referred(each: MirrorObject | None, name: str) -> int | None:
    """The number of another object in the body, None where there is none that could be looked up."""
    value: Any = None if each is None else each.body.get(name)
    return value if type(value) is int and 0 <= value <= _SQLITE_INTEGER_MAX else None
