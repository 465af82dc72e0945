"""The tables, as a list of migrations. A migration that has been released is never changed; a new one is added.

Loaded only where one has to be applied, for what it is made with (sqlite-utils) takes time at every start: a name that
is added here is added to `offline_cache.schema.APPLIED` as well.
"""

from uuid import uuid4

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from offline_cache.schema import MIGRATION_SET

migrations = Migrations(MIGRATION_SET)

_FIRST_TABLES = """
-- One row: the UUID that event numbers are counted under. A new database is a new instance.
CREATE TABLE instance (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL
) STRICT;

-- What central said, whole, as JSON. holder, unit and pin_tag are copies for look-ups; pin_tag on permits only.
CREATE TABLE mirror_object (
    type TEXT NOT NULL,
    id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    holder INTEGER,
    unit INTEGER,
    pin_tag BLOB CHECK (length(pin_tag) = 16),
    PRIMARY KEY (type, id)
) STRICT;
-- With id, or the planner takes the primary key for the order and reads all permits (21 ms, not 0.4, of 20,000).
CREATE INDEX mirror_object_by_holder ON mirror_object (type, holder, id) WHERE holder IS NOT NULL;
CREATE INDEX mirror_object_by_pin_tag ON mirror_object (pin_tag) WHERE pin_tag IS NOT NULL;
-- Covers the digest, which would otherwise read every body.
CREATE INDEX mirror_object_revisions ON mirror_object (type, id, revision);

CREATE TABLE mirror_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch TEXT,
    cursor TEXT,
    confirmed_at INTEGER
) STRICT;

-- Events that central has not acknowledged. set_aside: why central refused it; such a one is not sent again.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    id_given INTEGER NOT NULL CHECK (id_given IN (0, 1)),
    body TEXT NOT NULL,
    set_aside TEXT
) STRICT;
CREATE INDEX outbox_pending ON outbox (seq) WHERE set_aside IS NULL;
CREATE INDEX outbox_set_aside ON outbox (seq) WHERE set_aside IS NOT NULL;

-- Given ids that central has acknowledged: the same log entry, read again, is not sent again.
CREATE TABLE settled_id (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16)
) STRICT;

CREATE TABLE attempts (
    key INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    last_at INTEGER,
    unlock_seen INTEGER
) STRICT;

CREATE TABLE log_mark (
    key INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    offset_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE note (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The last number given of each kind.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
"""


@migrations()
def first_tables(db: Database) -> None:
    """Everything that a new station needs, and its instance."""
    # Inside a transaction sqlite-utils runs the statements one by one, without the driver's implicit commit.
    db.executescript(_FIRST_TABLES)
    db.execute("INSERT INTO instance (only, id) VALUES (1, ?)", [str(uuid4())])
    db.execute("INSERT INTO mirror_state (only) VALUES (1)")
    db.execute("INSERT INTO counters (name, value) VALUES ('event', 0), ('activation', 0)")


@migrations()
def events_by_number(db: Database) -> None:
    """One page less to write with each event. A program from before would give numbers twice: it counted each event."""
    db.execute("DROP INDEX outbox_pending")


def apply(db: Database) -> None:
    """All that are pending, within a transaction: by itself, sqlite-utils begins a deferred one."""
    migrations.apply(db)
