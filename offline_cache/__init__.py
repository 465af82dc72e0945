"""The station's one database: mirror, outbox, PIN attempts, log marks and small durable facts, in one SQLite file.

`SqliteStore` is ``station.ports.Store``. Verifying what is stored, deciding on it and sending it live elsewhere.
"""

from offline_cache.store import SqliteStore

__all__ = ["SqliteStore"]
