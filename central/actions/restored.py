"""A database that was restored to an earlier state: closed to stations until an operator has seen from when it is.

Stations have seen later things than it knows. So it is opened as a new epoch in which nothing ever goes back: all
cursors are refused (they fetch a snapshot), revisions continue at max(last + 1, Unix seconds), and every permit, key
record and blocklist is signed anew, with a number that is higher than that of any version signed meanwhile.

`central restore` says itself that it has put an earlier state in place. PostgreSQL is also put back by its own tools,
and a standby takes the place of a primary; central notices both by the *place* of its database, which no such copy
shares with what it was made of:

* the server's system identifier (another server),
* its timeline (a standby was promoted, or the server was recovered to a point in time),
* the object number of one of its tables (a dump was read in).

A timeline alone does not say whether something was lost. Nothing was when a process that serves has seen the primary
wait for a synchronous standby, and meets a server with the next timeline that was not recovered to a point in time: it
goes on. In every other case the database is closed: opening it costs stations a snapshot, and a new epoch is always
safe.
"""

import logging
import threading
import time
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import connection, transaction

from central.actions.renewals import sign_all_anew
from central.feed import change, touch
from central.models import EnrolmentCode, FeedCounter, ProvisionCode, ServerFact, Site
from central.models.epoch import begin_new_epoch, fact

RESTORED_AT = "restored_at"
"""The fact of a database that is closed to stations: since when, in Unix seconds."""
PLACE = "place"

# The timeline of what is written now: that of the last checkpoint is late by one after a promotion. What a commit waits
# for counts only if it is on the standby's disk. `recovery_target…` stay set after a recovery to a point in time.
_LOOK = """
    SELECT (SELECT system_identifier FROM pg_control_system()),
           substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
           'central_serverfact'::regclass::oid,
           current_setting('synchronous_standby_names') <> ''
               AND current_setting('synchronous_commit') IN ('on', 'remote_apply'),
           concat(current_setting('recovery_target'), current_setting('recovery_target_time'),
                  current_setting('recovery_target_lsn'), current_setting('recovery_target_name'),
                  current_setting('recovery_target_xid')) <> ''
"""

log = logging.getLogger("central.restored")


@dataclass(frozen=True)
class Place:
    """Where a database is."""

    system: str
    timeline: int
    table: str
    waits_for_standby: bool = False
    """Nothing that it acknowledges is lost with this server alone."""
    was_aimed: bool = False
    """It was recovered to a point in time."""

    def __str__(self) -> str:
        return f"{self.system}.{self.timeline}.{self.table}"

    def follows(self, before: "Place") -> bool:
        """Whether it is the standby that took over from ``before`` and has all that was acknowledged there."""
        same = (self.system, self.table) == (before.system, before.table)
        return same and self.timeline > before.timeline and before.waits_for_standby and not self.was_aimed


@dataclass
class _Seen:
    """What this process knows of the database."""

    place: Place | None = None
    """Where it was at the last look, also of the process that this one was forked from."""


LOOK_AGAIN_S = 20.0
"""Also on a connection that stays: whether commits wait for a standby is a setting that can be changed."""

_seen = _Seen()
_thread = threading.local()


def restored_at() -> int | None:
    """Since when the database is closed to stations; None while it is open."""
    noted = fact(RESTORED_AT)
    return None if noted is None else int(noted)


def is_open_to_stations(now: int) -> bool:
    """Whether stations may be answered from what the database has.

    Asked of the database for each new connection, for no database is put back without ending all that there are; and
    every few seconds.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    found, until_s = getattr(_thread, "open", (None, 0.0))
    if found is connection.connection and time.monotonic() < until_s:
        return True
    look_where_it_is(now)
    if restored_at() is not None:
        return False
    _thread.open = connection.connection, time.monotonic() + LOOK_AGAIN_S
    return True


def look_where_it_is(now: int) -> None:
    """Note the place of the database; close it to stations when it is another than was noted and may lack something."""
    here = _place()
    if here is None:
        return
    if fact(PLACE) != str(here):
        with transaction.atomic():
            _note(here, now)
    _seen.place = here


def _note(here: Place, now: int) -> None:
    before = _seen.place
    # Of all that notice it at once, the first one decides.
    noted, made = ServerFact.objects.select_for_update().get_or_create(name=PLACE, defaults={"value": str(here)})
    if made or noted.value == str(here):
        return
    if before is not None and noted.value == str(before) and here.follows(before):
        log.warning("database.failed_over timeline=%d (a synchronous standby: nothing is lost)", here.timeline)
    elif restored_at() is None:
        log.error("database.restored (closed to stations: `central manage open_after_restore`)")
        close_to_stations(now)
    noted.value = str(here)
    noted.save(update_fields=["value"])


def close_to_stations(now: int) -> None:
    """Have stations wait; whoever was logged in then may have been shut out since."""
    with connection.cursor() as cursor:
        for statement in closing_statements(now):
            cursor.execute(statement)


def closing_statements(now: int) -> tuple[str, ...]:
    """`close_to_stations` as SQL, for a database that is just being put in place."""
    return (
        f"DELETE FROM {ServerFact._meta.db_table} WHERE name = '{RESTORED_AT}'",  # noqa: S608, SLF001
        f"INSERT INTO {ServerFact._meta.db_table} (name, value) VALUES ('{RESTORED_AT}', '{now:d}')",  # noqa: S608, SLF001
        f"DELETE FROM {Session._meta.db_table}",  # noqa: S608, SLF001
    )


def open_to_stations(now: int) -> int:
    """Make this database, restored to an earlier state, one that stations may follow. Returns how many were signed.

    Interrupted, it stays closed and is done again.
    """
    with change():
        begin_new_epoch()
        for site in Site.objects.all():
            counter, _ = FeedCounter.objects.select_for_update().get_or_create(site=site)
            counter.value = max(counter.value + 1, now)
            counter.save(update_fields=["value"])
            touch(site)
        # What was open then may have been used since, and who was logged in then may have been shut out.
        EnrolmentCode.objects.all().delete()
        ProvisionCode.objects.all().delete()
        Session.objects.all().delete()
    count = sum(sign_all_anew(site, now, only_old=False) for site in Site.objects.all())
    ServerFact.objects.filter(name=RESTORED_AT).delete()
    return count


def _place() -> Place | None:
    """None for a file: only `central restore` puts another in its place."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        system, timeline, table, waits, was_aimed = cursor.fetchone()
    return Place(str(system), int(timeline, 16), str(table), waits, was_aimed)
