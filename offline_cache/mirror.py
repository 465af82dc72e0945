"""The mirror in the database: what central said, and what of it has been confirmed. Runs on the database's thread."""

import json
from collections.abc import Iterator, Mapping, Sequence
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

CLEARED_AT_ONCE = 2000
"""Rows that go in one transaction: a tenth of a second, for whoever waits behind them."""

_ROW = "INTO mirror_object (edition, type, id, hash, received, used, holder, unit, pin_tag)"
_VALUES = "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = f"INSERT OR REPLACE {_ROW} {_VALUES}"
_ADD = f"INSERT OR IGNORE {_ROW} {_VALUES}"
# The type by itself: a text out of JSON ends at its first NUL here, and central may use any text for a type.
_NAMED = "type = ? AND id IN (SELECT value FROM json_each(?))"
_HASHES = f"SELECT type, id, hash FROM mirror WHERE {_NAMED}"  # noqa: S608 both are ours
_BESIDE = f"SELECT type, id, hash, received, used IS NULL FROM mirror_object WHERE edition = ? AND {_NAMED}"  # noqa: S608
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
        edition = _edition(db) + update.whole
        removes = ((edition, *name) for name in update.removes)
        db.conn.executemany("DELETE FROM mirror_object WHERE edition = ? AND type = ? AND id = ?", removes)
        db.conn.executemany(_UPSERT, (_row(edition, each) for each in update.upserts))
        new = update.state
        db.execute(
            "INSERT OR REPLACE INTO mirror_state VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
            [edition, new.epoch, new.cursor, new.version, new.confirmed_at, new.sum.count, new.sum.state],
        )
        if update.stay_refused is not None:
            db.table("stays_refused").delete_where()
            db.conn.executemany("INSERT INTO stays_refused VALUES (?, ?, ?, ?)", map(astuple, update.stay_refused))
        for name, value in update.notes.items():
            small_tables.set_note(db, name, value)
        outbox.add(db, update.events, ids)
    touched = {each.name.type for each in update.upserts} | {name.type for name in update.removes}
    if "holder" in touched:
        # A name that central no longer tells goes from the WAL as well.
        empty_write_ahead_log(db)


def put_beside(db: Database, objects: Sequence[ReceivedObject], *, again: bool) -> int:
    """Keep objects of the mirror that is coming; how many were not there yet."""
    with immediate(db):
        coming = _edition(db) + 1
        cursor = db.conn.executemany(_UPSERT if again else _ADD, (_row(coming, each) for each in objects))
        return cursor.rowcount


def found_beside(db: Database, names: Sequence[ObjectName]) -> dict[ObjectName, ReceivedObject]:
    """Those of these objects that were put beside the mirror."""
    found = {}
    coming = _edition(db) + 1
    for named in _by_type(names):
        for type_, id_, hash_, text, as_received in db.execute(_BESIDE, [coming, *named]):
            name, body = ObjectName(type_, id_), _body(text)
            found[name] = ReceivedObject(name, body, text.encode(), hash_, body if as_received else None)
    return found


def clear_beside(db: Database) -> int:
    """Forget some of what is not of the mirror in use; how much, 0 when nothing was left."""
    with immediate(db):
        gone = 0
        # Both ways round: "is not" would read the whole mirror to find that nothing is left.
        for other in ("<", ">"):
            rows = f"SELECT rowid FROM mirror_object WHERE edition {other} ? LIMIT {CLEARED_AT_ONCE}"  # noqa: S608 ours
            gone += db.conn.execute(f"DELETE FROM mirror_object WHERE rowid IN ({rows})", [_edition(db)]).rowcount  # noqa: S608
    return gone


def _edition(db: Database) -> int:
    """The one in use; 0 before the first snapshot."""
    row = db.execute("SELECT edition FROM mirror_state").fetchone()
    return row[0] if row is not None else 0


def held_hashes(db: Database, names: Sequence[ObjectName]) -> dict[ObjectName, bytes]:
    """The hashes of those of these objects that are held."""
    rows = (row for named in _by_type(names) for row in db.execute(_HASHES, named))
    return {ObjectName(type_, id_): hash_ for type_, id_, hash_ in rows}


def held_objects(db: Database, names: Sequence[ObjectName]) -> dict[ObjectName, MirrorObject]:
    """Those of these objects that are used."""
    found = (each for named in _by_type(names) for each in _found(db, _NAMED, named))
    return {ObjectName(each.type, each.id): each for each in found}


def _by_type(names: Sequence[ObjectName]) -> Iterator[tuple[str, str]]:
    """What `_NAMED` asks for: each type, and the numbers of it."""
    numbers: dict[str, list[int]] = {}
    for type_, id_ in names:
        numbers.setdefault(type_, []).append(id_)
    return ((type_, json.dumps(ids)) for type_, ids in numbers.items())


def permits_of(db: Database, holders: Sequence[int]) -> list[MirrorObject]:
    """The permits of these holders that are used."""
    where = "type = 'permit' AND holder IN (SELECT value FROM json_each(?))"
    return _found(db, where, [json.dumps(holders)])


def objects(db: Database, type_: str, above: int, limit: int | None) -> list[MirrorObject]:
    """All objects of a type that are used, by id; or as many as ``limit`` with ids ``above`` that."""
    return _found(db, "type = ? AND id > ?", [type_, above], f"ORDER BY id LIMIT {-1 if limit is None else limit}")


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
        rows = db.execute("SELECT DISTINCT holder FROM mirror WHERE pin_tag = ? LIMIT 2", [tag])
        holders |= {holder for (holder,) in rows}
    return list(holders)


def _permits(db: Database, holder: int | None) -> tuple[MirrorObject, ...]:
    return () if holder is None else tuple(_found(db, "type = 'permit' AND holder = ?", [holder], "ORDER BY id"))


def _one(db: Database, type_: str, id_: int | None) -> MirrorObject | None:
    if id_ is None:
        return None
    found = _found(db, "type = ? AND id = ?", [type_, id_])
    return found[0] if found else None


def _found(db: Database, where: str, where_args: Sequence[object], then: str = "") -> list[MirrorObject]:
    # In an order only where one is asked for: to have it from the primary key the planner reads all of a type.
    wanted = f"SELECT type, id, coalesce(used, received) FROM mirror WHERE {where} AND {_USED} {then}"  # noqa: S608
    return [MirrorObject(type_, id_, _body(text)) for type_, id_, text in db.execute(wanted, where_args)]


def _body(text: str) -> Mapping[str, Json]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise broken("mirror_body") from error
    if not isinstance(body, dict):
        raise broken("mirror_body")
    return body


def _row(edition: int, each: ReceivedObject) -> tuple[object, ...]:
    if each.used is each.received:
        used = None
    else:
        used = _NOTHING if each.used is None else json.dumps(dict(each.used), separators=(",", ":"))
    place = MirrorObject(*each.name, each.used or {})
    holder, unit = _referred(place, "holder"), _referred(place, "unit")
    return (edition, *each.name, each.hash, each.text.decode(), used, holder, unit, each.pin_tag)


def _referred(each: MirrorObject | None, name: str) -> int | None:
    """The number of another object in the body, None where there is none that could be looked up."""
    value: Any = None if each is None else each.body.get(name)
    return value if type(value) is int and 0 <= value <= _SQLITE_INTEGER_MAX else None
