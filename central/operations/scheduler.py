"""The scheduler of `central serve`: what is to be done because time has passed."""

import logging
import threading

from auditlog.context import disable_auditlog
from django.db import connections

from central.actions.access import forget_what_was_for_a_time
from central.actions.people import end_employments_that_are_over
from central.actions.pins import end_pin_renewal
from central.actions.renewals import renew_due_records
from central.actions.station_health import note_silence
from central.clock import DAY_S, unix_now
from central.doors.limits import forget_full_buckets
from central.feed.change import forget_tombstones
from central.models import Site
from central.operations.retention import apply_retention_when_due

ROUND_EVERY_S = 20.0
TOMBSTONES_KEPT_S = 60 * DAY_S

log = logging.getLogger("central.scheduler")


def do_what_is_due(now: int) -> None:
    """One round: employments that are over, records at half of their life, silent stations, retention, leftovers."""
    with disable_auditlog():
        end_employments_that_are_over(now)
        renew_due_records(now)
        forget_what_was_for_a_time(now)
        note_silence(now)
    apply_retention_when_due(now)
    forget_full_buckets()
    for site in Site.objects.all():
        end_pin_renewal(site)
        forget_tombstones(site.pk, now - TOMBSTONES_KEPT_S)


def start_scheduler() -> None:
    """Do what is due every few seconds, in a thread that ends with the process."""
    threading.Thread(target=_run_for_ever, name="scheduler", daemon=True).start()


def _run_for_ever() -> None:
    ended = threading.Event()
    while not ended.wait(ROUND_EVERY_S):
        try:
            do_what_is_due(unix_now())
        except Exception:
            # The server goes on serving; the next round tries again.
            log.exception("scheduler.failed")
        finally:
            connections.close_all()
