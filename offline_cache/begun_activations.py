"""Activations that were begun: their numbers, and what is to be told of each should the program end before it does.

Runs on the database's thread, within the caller's transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlite_utils import Database

from offline_cache.faults import broken
from station.ports import LogEvent


def begin(db: Database, if_interrupted: LogEvent) -> int:
    """The next number, counting from 1, kept with the event until it is settled."""
    event = json.dumps(asdict(if_interrupted), separators=(",", ":"), allow_nan=False)
    row = db.execute("INSERT INTO begun_activation (event) VALUES (?) RETURNING number", [event]).fetchone()
    return int(row[0])


def settle(db: Database, numbers: Sequence[int]) -> None:
    """What came of these is known, and told elsewhere."""
    for number in numbers:
        db.execute("DELETE FROM begun_activation WHERE number = ?", [number])


def unsettled(db: Database) -> Mapping[int, LogEvent]:
    """The events of those that were begun and not settled, by number, the oldest first."""
    return {row["number"]: _event(row["event"]) for row in db.table("begun_activation").rows_where(order_by="number")}


def _event(text: str) -> LogEvent:
    try:
        return LogEvent(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise broken("begun_activation") from error
