"""Events that central has not acknowledged yet. Runs on the database's thread, inside the caller's transaction."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from offline_cache.event_ids import EventIds
from offline_cache.faults import broken
from station.ports import Json, NewEvent, StoredEvent

SETTLED_IDS_MAX = 100_000
"""About 10 MB. More entries than thirty full key logs hold; marks keep most from being read twice at all, and one that
is forgotten here costs a line on the wire that central drops as a duplicate."""
SET_ASIDE_MAX = 100_000
"""Refused events are kept for whoever looks into it: a month of all that a busy station records. Beyond that, a central
that refuses everything must not keep keys from going on."""
REASON_MAX_BYTES = 200
"""Central's word for why, from the network; enough for any of its codes."""

_LAST_NUMBER = "MAX(value, (SELECT IFNULL(MAX(seq), 0) FROM outbox))"
"""Of ``counters``: what is written there with every event would be a page more to write, so it is when one goes."""

_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def instance(db: sqlite3.Connection) -> str:
    """The UUID that this database's event numbers are counted under."""
    row = db.execute("SELECT id FROM instance").fetchone()
    if row is None:
        raise broken("instance")
    identity: str = row[0]
    return identity


def last_number(db: sqlite3.Connection) -> int:
    """The number of the newest event, whether or not it is still here."""
    row = db.execute(f"SELECT {_LAST_NUMBER} FROM counters WHERE name = 'event'").fetchone()  # noqa: S608 - our own text
    if row is None:
        raise broken("counters")
    return int(row[0])


def add(db: sqlite3.Connection, events: Iterable[NewEvent], ids: EventIds, last: int) -> int:
    """Keep events, numbered from ``last`` without gaps; how many.

    One whose given id was seen before takes no number. Within a transaction, but for a single event without an id.
    """
    number = last
    for event in events:
        given = None if event.id is None else UUID(event.id)
        if given is not None and _seen(db, given):
            continue
        number += 1
        event_id = ids.next() if given is None else str(given)
        db.execute(
            "INSERT INTO outbox (seq, id, id_given, body) VALUES (?, ?, ?, ?)",
            (number, event_id, int(given is not None), _encoded(_body(event))),
        )
    return number - last


def pending(db: sqlite3.Connection, limit: int, after: int, instance_id: str) -> list[StoredEvent]:
    """The oldest ``limit`` events to be sent whose number is above ``after``."""
    rows = db.execute(
        "SELECT seq, id, body FROM outbox WHERE set_aside IS NULL AND seq > ? ORDER BY seq LIMIT ?",
        [after, max(limit, 0)],
    )
    return [StoredEvent(seq, id_, _whole_body(seq, id_, body, instance_id)) for seq, id_, body in rows]


def count_pending(db: sqlite3.Connection) -> int:
    """How many there are to be sent, by going through two indexes of them (2 ms of 100,000)."""
    (count,) = db.execute(
        "SELECT (SELECT COUNT(*) FROM outbox) - (SELECT COUNT(*) FROM outbox WHERE set_aside IS NOT NULL)"
    ).fetchone()
    return int(count)


def settle(db: sqlite3.Connection, done: Sequence[str], set_aside: Mapping[str, str]) -> int:
    """Forget what central has, mark what it refused; how many of both were to be sent. Within a transaction.

    Ids that are not in the outbox are passed over.
    """
    gone = _forget(db, "id IN (SELECT value FROM json_each(?))", json.dumps(list(done)))
    for event_id, reason in set_aside.items():
        rows = db.execute("SELECT set_aside FROM outbox WHERE id = ?", [event_id]).fetchall()
        gone += sum(reason_before is None for (reason_before,) in rows)
        db.execute("UPDATE outbox SET set_aside = ? WHERE id = ?", [_cut(reason), event_id])
    if set_aside:
        _forget(
            db,
            "set_aside IS NOT NULL AND seq <= (SELECT seq FROM outbox WHERE set_aside IS NOT NULL"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            SET_ASIDE_MAX,
        )
    db.execute("DELETE FROM settled_id WHERE number <= (SELECT MAX(number) FROM settled_id) - ?", [SETTLED_IDS_MAX])
    return gone


def _cut(reason: str) -> str:
    # By bytes, for the room that is kept for them is; and whatever letters they are, SQLite has to take them.
    return reason.encode(errors="replace")[:REASON_MAX_BYTES].decode(errors="ignore")


def _forget(db: sqlite3.Connection, where: str, param: object) -> int:
    """Delete from the outbox, remembering the ids that could be given again; how many were to be sent."""
    rows = db.execute(f"SELECT id, id_given, set_aside FROM outbox WHERE {where}", [param]).fetchall()  # noqa: S608 - our own text
    if rows:
        db.execute(f"UPDATE counters SET value = {_LAST_NUMBER} WHERE name = 'event'")  # noqa: S608 - our own text
        # Deleting first: in a database that has come to its limit, this is what makes room for the ids.
        db.execute(f"DELETE FROM outbox WHERE {where}", [param])  # noqa: S608 - our own text
        given = [(UUID(id_).bytes,) for id_, id_given, _ in rows if id_given]
        db.executemany("INSERT OR IGNORE INTO settled_id (id) VALUES (?)", given)
    return sum(reason is None for *_, reason in rows)


def _seen(db: sqlite3.Connection, given: UUID) -> bool:
    found = "SELECT 1 FROM outbox WHERE id = ? UNION ALL SELECT 1 FROM settled_id WHERE id = ?"
    return db.execute(found, [str(given), given.bytes]).fetchone() is not None


def _body(event: NewEvent) -> dict[str, Json]:
    """What the row itself does not say: the id, the instance and the number would be a third of its size."""
    optional = {"key": event.key, "holder": event.holder, "lock": event.lock, "data": dict(event.data) or None}
    return {
        "at": event.at,
        "clock": event.clock,
        "type": event.type,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _whole_body(seq: int, id_: str, text: str, instance_id: str) -> Mapping[str, Json]:
    """The event as central is sent it."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise broken("event_body") from error
    if not isinstance(body, dict):
        raise broken("event_body")
    return {"id": id_, "instance": instance_id, "seq": seq, "data": {}} | body
