"""Fills a PostgreSQL database's log with invented events, for all the sites that are there: millions in a minute.

A month at a time, into a table that becomes its partition afterwards, with the indexes made at the end. Made by the
server itself: what is sent by COPY has to be written by somebody first. The ids, the activations and the states of keys
are those that these events would have left. For a log that is empty.
"""

import time
from typing import Any

from django.db import connection, transaction

from central.actions.event_months import Month
from central.clock import DAY_S

LOCKS = """
    CREATE TEMPORARY TABLE load_lock ON COMMIT PRESERVE ROWS AS
    SELECT site_id, row_number() OVER (PARTITION BY site_id ORDER BY number) - 1 AS n, number FROM central_lock
"""
VISITS = """
    CREATE TEMPORARY TABLE load_visit ON COMMIT PRESERVE ROWS AS
    SELECT row_number() OVER (ORDER BY md5(key.id::text)) - 1 AS n, key.id AS key_id, key.site_id, key.number AS key,
           key.kind, COALESCE(holder.number, 10 + key.number %% 1000) AS holder,
           stations.ids[1 + key.number %% array_length(stations.ids, 1)] AS station_id, locks.count AS locks
    FROM central_key key
    LEFT JOIN central_holder holder ON holder.id = key.holder_id
    JOIN (SELECT site_id, array_agg(id) AS ids FROM central_station GROUP BY 1) stations
         ON stations.site_id = key.site_id
    JOIN (SELECT site_id, COUNT(*) AS count FROM load_lock GROUP BY 1) locks ON locks.site_id = key.site_id
"""
# Of ten events of a visit: read, on, six openings, off; and what a pool key's receipt is made of.
TYPES = (
    "key_synced", "key_activated", "lock_opened", "lock_opened", "lock_opened", "lock_opened", "lock_opened",
    "lock_refused", "key_deactivated", "pool_key_returned",
)  # fmt: skip
EVENTS = """
    INSERT INTO {table} (site_id, station_id, event, instance, seq, at, received_at, clock, type, key, holder, lock,
                         log_seq, doubt, data)
    SELECT visit.site_id, visit.station_id,
           -- Of an entry by its bytes, of all else by the time.
           (CASE WHEN told.is_entry THEN md5(i::text)
                 ELSE lpad(to_hex(told.received_at * 1000), 12, '0') || substr(md5(i::text), 13) END)::uuid,
           '0192f0c1-2345-7abc-8def-0123456789ac', i,
           told.received_at - CASE WHEN told.is_entry THEN i %% 28800 ELSE i %% 60 END, told.received_at, 0, told.type,
           visit.key, visit.holder,
           CASE WHEN told.is_entry THEN lock.number END,
           CASE WHEN told.is_entry THEN i END, '',
           CASE WHEN told.is_entry
                THEN jsonb_build_object('generation', 1, 'seq', i, 'outcome', 'opened', 'battery_percent', 80,
                                        'entry', substr(md5(i::text) || md5(i::text), 1, 44))
                ELSE jsonb_build_object('source', 'online', 'mirror_age_s', 20, 'duration_ms', 900) END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i
    CROSS JOIN LATERAL (
        SELECT type, type IN ('lock_opened', 'lock_refused') AS is_entry,
               %(begins)s + (i - %(first)s) * %(seconds)s / (%(last)s - %(first)s) AS received_at
        FROM (SELECT (%(types)s::text[])[1 + i %% 10] AS type) one
    ) told
    -- The ten of a visit are one key's.
    JOIN load_visit visit ON visit.n = i / 10 %% %(visits)s
    JOIN load_lock lock ON lock.site_id = visit.site_id AND lock.n = i %% visit.locks
"""
STATES = (
    """
    INSERT INTO central_activation (site_id, key, holder, begins, ends, received_at)
    SELECT site_id, key, holder, at, at + 39600, received_at FROM central_event WHERE type = 'key_activated'
    """,
    """
    INSERT INTO central_handover (key_id, is_out, holder, at)
    SELECT key_id, key %% 2 = 0, CASE WHEN key %% 2 = 0 THEN holder END, %(now)s - key %% 86400
    FROM load_visit WHERE kind > 0
    """,
    "INSERT INTO central_logmark (key_id, generation, seq) SELECT key_id, 1, %(count)s FROM load_visit",
    """
    INSERT INTO central_loggaps (key_id, first, last, missing) SELECT key_id, 1, %(count)s, '[]' FROM load_visit
    """,
    "ALTER TABLE central_eventid DROP CONSTRAINT central_eventid_pkey",
    "INSERT INTO central_eventid (site_id, event) SELECT site_id, event FROM central_event",
    "ALTER TABLE central_eventid ADD CONSTRAINT central_eventid_pkey PRIMARY KEY (site_id, event)",
)


def fill_log(count: int, days: int, now: int) -> float:
    """Put ``count`` events into the log, evenly over the days before ``now``. Returns how many seconds it took."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        # The server's own limits are for calls and pages.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("DROP TABLE IF EXISTS load_lock, load_visit")
        cursor.execute(LOCKS)
        cursor.execute("ALTER TABLE load_lock ADD PRIMARY KEY (site_id, n)")
        cursor.execute(VISITS, [])
        cursor.execute("ALTER TABLE load_visit ADD PRIMARY KEY (n)")
        cursor.execute("ANALYZE load_lock")
        cursor.execute("ANALYZE load_visit")
        cursor.execute("SELECT COUNT(*) FROM load_visit")
        (visits,) = cursor.fetchone()
        since, first = now - days * DAY_S, 0
        while since < now:
            month = Month.of(since)
            until = min(month.next.begins, now)
            last = count if until == now else first + count * (until - since) // (days * DAY_S)
            told = {"first": first, "last": last, "begins": since, "seconds": until - since, "visits": visits}
            _fill_month(cursor, month, told | {"types": list(TYPES)})
            since, first = until, last
        for statement in STATES:
            cursor.execute(statement, {"now": now, "count": count})
    # Outside of a transaction, and once: as autovacuum would have done long ago.
    with connection.cursor() as cursor:
        for table in ("central_event", "central_eventid", "central_activation", "central_handover"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    return time.monotonic() - began


def _fill_month(cursor: Any, month: Month, told: dict[str, Any]) -> None:
    with transaction.atomic():
        cursor.execute("SELECT to_regclass(%s)", [month.table])
        if cursor.fetchone() != (None,):
            cursor.execute(EVENTS.format(table=month.table), told)
            return
        cursor.execute(f"CREATE TABLE {month.table} (LIKE central_event INCLUDING DEFAULTS)")
        # The parent's own: a partition has no numbering.
        cursor.execute(f"ALTER TABLE {month.table} ALTER id SET DEFAULT nextval('central_event_id_seq')")
        cursor.execute(EVENTS.format(table=month.table), told)
        cursor.execute(f"ALTER TABLE {month.table} ALTER id DROP DEFAULT")
        cursor.execute(
            f"ALTER TABLE central_event ATTACH PARTITION {month.table} FOR VALUES FROM (%s) TO (%s)",
            [month.begins, month.next.begins],
        )
