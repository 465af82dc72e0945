"""Events that central has not acknowledged yet. Runs on the database's thread, inside the caller's transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlite_utils import Database

from offline_cache.event_ids import EventIds
from offline_cache.faults import broken
from station.ports import Json, LogEvent, StoredEvent

ANSWERED_IDS_MAX = 100_000
"""About 10 MB. More entries than thirty full key logs hold; marks keep most from being read twice at all, and one that
is forgotten here costs a line on the wire that central drops as a duplicate."""
SET_ASIDE_MAX = 100_000
"""Refused events are kept for whoever looks into it: a month of all that a busy station records. Beyond that, a central
that refuses everything must not keep keys from going on."""
REASON_MAX_BYTES = 200
"""Central's word for why, from the network; enough for any of its codes."""

_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def instance(db: Database) -> str:
    """The UUID that this database's event numbers are counted under."""
    rows = list(db.table("instance").rows)
    if not rows:
        raise broken("instance")
    return str(rows[0]["id"])


def add(db: Database, events: Iterable[LogEvent], ids: EventIds) -> None:
    """Add events, numbered without gaps. One whose given id was seen before takes no number."""
    rows: dict[str, dict[str, object]] = {}
    for event in events:
        given = None if event.id is None else UUID(event.id)
        event_id = ids.next() if given is None else str(given)
        if given is None or not _was_kept(db, given):
            rows[event_id] = {"id": event_id, "id_given": int(given is not None), "body": _encoded(_body(event))}
    db.table("outbox").insert_all(rows.values())


def pending(db: Database, limit: int, after: int, instance_id: str) -> list[StoredEvent]:
    """The oldest ``limit`` events to be sent whose number is above ``after``."""
    rows = db.table("outbox").rows_where("set_aside IS NULL AND seq > ?", [after], "seq", limit=max(limit, 0))
    return [StoredEvent(row["seq"], row["id"], _whole_body(row, instance_id)) for row in rows]


def count_pending(db: Database) -> int:
    """How many there are to be sent."""
    outbox = db.table("outbox")
    # Each count goes through an index (2 ms of 100,000); of those to be sent there is none but the bodies themselves.
    return outbox.count - outbox.count_where("set_aside IS NOT NULL")


def take_answers(db: Database, done: Sequence[str], set_aside: Mapping[str, str]) -> None:
    """Forget what central has, mark what it refused. Ids that are not in the outbox are passed over."""
    _forget(db, "id IN (SELECT value FROM json_each(?))", json.dumps(list(done)))
    for event_id, reason in set_aside.items():
        db.execute("UPDATE outbox SET set_aside = ? WHERE id = ?", [_cut(reason), event_id])
    if set_aside:
        _forget(
            db,
            "set_aside IS NOT NULL AND seq <= (SELECT seq FROM outbox WHERE set_aside IS NOT NULL"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            SET_ASIDE_MAX,
        )
    db.execute("DELETE FROM answered_id WHERE number <= (SELECT MAX(number) FROM answered_id) - ?", [ANSWERED_IDS_MAX])


def _cut(reason: str) -> str:
    # By bytes, for the room that is kept for them is; and whatever letters they are, SQLite has to take them.
    return reason.encode(errors="replace")[:REASON_MAX_BYTES].decode(errors="ignore")


def _forget(db: Database, where: str, arg: object) -> None:
    """Delete from the outbox, remembering the ids that could be given again."""
    outbox = db.table("outbox")
    given = [{"id": UUID(row["id"]).bytes} for row in outbox.rows_where(f"id_given AND {where}", [arg], select="id")]
    # Deleting first: in a database that has come to its limit, this is what makes room for the ids.
    outbox.delete_where(where, [arg])
    db.table("answered_id").insert_all(given, ignore=True)


def _was_kept(db: Database, given: UUID) -> bool:
    kept = db.table("outbox").count_where("id = ?", [str(given)])
    return bool(kept or db.table("answered_id").count_where("id = ?", [given.bytes]))


def _body(event: LogEvent) -> dict[str, Json]:
    """What the row itself does not say: the id, the instance and the number would be a third of its size."""
    optional = {"key": event.key, "holder": event.holder, "lock": event.lock, "data": dict(event.data) or None}
    return {
        "at": event.at,
        "clock": event.clock,
        "type": event.type,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _whole_body(row: Mapping[str, Json], instance_id: str) -> Mapping[str, Json]:
    """The event as central is sent it."""
    try:
        body = json.loads(row["body"])
    except ValueError as error:
        raise broken("event_body") from error
    if not isinstance(body, dict):
        raise broken("event_body")
    return {"id": row["id"], "instance": instance_id, "seq": row["seq"], "data": {}} | body
