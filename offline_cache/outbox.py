"""Events that central has not acknowledged yet. Runs on the database's thread, inside the caller's transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlite_utils import Database

from offline_cache.event_ids import EventIds
from offline_cache.faults import broken
from station.ports import Json, NewEvent, StoredEvent

SETTLED_IDS_MAX = 100_000
"""About 10 MB. More entries than thirty full key logs hold; marks keep most from being read twice at all, and one that
is forgotten here costs a line on the wire that central drops as a duplicate."""
SET_ASIDE_MAX = 10_000
"""Refused events are kept for whoever looks into it; a central that refuses everything must not fill the disk."""
REASON_MAX_CHARS = 200
"""Central's word for why, from the network; enough for any of its codes."""


def instance(db: Database) -> str:
    """The UUID that this database's event numbers are counted under."""
    rows = list(db.query("SELECT id FROM instance"))
    if not rows:
        raise broken("instance")
    identity: str = rows[0]["id"]
    return identity


def add(db: Database, events: Iterable[NewEvent], ids: EventIds) -> int:
    """Keep events, numbered without gaps; how many. Within a transaction.

    One whose given id was seen before takes no number.
    """
    rows = list(db.query("SELECT value FROM counters WHERE name = 'event'"))
    if not rows:
        raise broken("counters")
    before: int = rows[0]["value"]
    seq = before
    for event in events:
        given = None if event.id is None else UUID(event.id)
        if given is not None and _seen(db, given):
            continue
        seq += 1
        event_id = ids.next() if given is None else str(given)
        body = json.dumps(_body(event), separators=(",", ":"), allow_nan=False)
        db.execute(
            "INSERT INTO outbox (seq, id, id_given, body) VALUES (?, ?, ?, ?)",
            [seq, event_id, int(given is not None), body],
        )
    if seq != before:
        db.execute("UPDATE counters SET value = ? WHERE name = 'event'", [seq])
    return seq - before


def pending(db: Database, limit: int, after: int, instance_id: str) -> list[StoredEvent]:
    """The oldest ``limit`` events to be sent whose number is above ``after``."""
    rows = db.query(
        "SELECT seq, id, body FROM outbox WHERE set_aside IS NULL AND seq > ? ORDER BY seq LIMIT ?",
        [after, max(limit, 0)],
    )
    return [StoredEvent(row["seq"], row["id"], _whole_body(row, instance_id)) for row in rows]


def count_pending(db: Database) -> int:
    """How many there are to be sent, by going through them all (6 ms of 100,000)."""
    (row,) = list(db.query("SELECT COUNT(*) AS n FROM outbox WHERE set_aside IS NULL"))
    count: int = row["n"]
    return count


def settle(db: Database, done: Sequence[str], set_aside: Mapping[str, str]) -> int:
    """Forget what central has, mark what it refused; how many of both were to be sent. Within a transaction.

    Ids that are not in the outbox are passed over.
    """
    gone = _forget(db, "id IN (SELECT value FROM json_each(?))", json.dumps(list(done)))
    for event_id, reason in set_aside.items():
        rows = list(db.query("SELECT set_aside FROM outbox WHERE id = ?", [event_id]))
        gone += sum(row["set_aside"] is None for row in rows)
        db.execute("UPDATE outbox SET set_aside = ? WHERE id = ?", [reason[:REASON_MAX_CHARS], event_id])
    _forget(
        db,
        "set_aside IS NOT NULL AND seq <= (SELECT seq FROM outbox WHERE set_aside IS NOT NULL"
        " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
        SET_ASIDE_MAX,
    )
    db.execute("DELETE FROM settled_id WHERE number <= (SELECT MAX(number) FROM settled_id) - ?", [SETTLED_IDS_MAX])
    return gone


def _forget(db: Database, where: str, param: object) -> int:
    """Delete from the outbox, remembering the ids that could be given again; how many were to be sent."""
    rows = list(db.query(f"SELECT id, id_given, set_aside FROM outbox WHERE {where}", [param]))  # noqa: S608 - our own text
    if rows:
        # Deleting first: in a database that has come to its limit, this is what makes room for the ids.
        db.execute(f"DELETE FROM outbox WHERE {where}", [param])  # noqa: S608 - our own text
        given = [(UUID(row["id"]).bytes,) for row in rows if row["id_given"]]
        db.conn.executemany("INSERT OR IGNORE INTO settled_id (id) VALUES (?)", given)
    return sum(row["set_aside"] is None for row in rows)


def _seen(db: Database, given: UUID) -> bool:
    found = "SELECT 1 FROM outbox WHERE id = ? UNION ALL SELECT 1 FROM settled_id WHERE id = ?"
    return bool(list(db.query(found, [str(given), given.bytes])))


def _body(event: NewEvent) -> dict[str, Json]:
    """What the row itself does not say: the id, the instance and the number would be a third of its size."""
    optional = {"key": event.key, "holder": event.holder, "lock": event.lock, "data": dict(event.data) or None}
    return {
        "at": event.at,
        "clock": event.clock,
        "type": event.type,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _whole_body(row: Mapping[str, Any], instance_id: str) -> Mapping[str, Json]:
    """The event as central is sent it."""
    try:
        body = json.loads(row["body"])
    except ValueError as error:
        raise broken("event_body") from error
    if not isinstance(body, dict):
        raise broken("event_body")
    return {"id": row["id"], "instance": instance_id, "seq": row["seq"], "data": {}} | body
