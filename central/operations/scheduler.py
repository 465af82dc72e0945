"""The scheduler of `central serve`: what is to be done because time has passed.

Every server process has one, and one at a time has the work (`central.operations.alone`): the others look on, and take
it when it is free. Each step of a round, and each site in it, is done apart: what fails is logged, the rest goes on.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auditlog.context import disable_auditlog
from django.db import close_old_connections, connections

from central.actions.access import forget_what_was_for_a_time, sites_with_something_for_a_time_over
from central.actions.event_months import make_months_ahead
from central.actions.people import employments_over, end_employment_that_is_over
from central.actions.pins import end_pin_renewal, sites_renewing_pins
from central.actions.renewals import (
    due_batches,
    due_permits,
    renew_due_blocklist,
    renew_permits_of,
    sites_with_due_blocklists,
)
from central.actions.sent_forms import forget_sent_forms
from central.actions.station_health import note_silence
from central.actions.undo import forget_undoable
from central.clock import DAY_S, HOUR_S, unix_now
from central.doors.limits import forget_full_buckets
from central.feed.change import forget_tombstones, sites_with_tombstones
from central.models import ServerFact
from central.operations.alone import Alone, Work
from central.operations.apart import each_apart
from central.operations.retention import apply_retention_when_due

ROUND_EVERY_S = 20.0
TOMBSTONES_KEPT_S = 60 * DAY_S
RENEW_FOR_S = 20.0
"""Of one round: then the other steps get their turn, and the next round begins at once."""
PAUSE_SHARE = 19.0
"""After each batch so many times as long as it took: signing takes a twentieth of a core at most, whatever is due. A
country needs a permit every 4.5 s, which is a hundredth."""
NOTED_EVERY_S = 60
ROUND = "scheduler_round_at"
BEHIND_S = HOUR_S
"""Permits are due with half of their life left: an hour is no harm, and a sign that something is wrong."""
WARN_EVERY_S = HOUR_S

log = logging.getLogger("central.scheduler")


@dataclass(frozen=True)
class Renewed:
    """How many permits were signed anew, and whether some are left."""

    signed: int
    more: bool


def do_what_is_due(now: int, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """One round. Returns whether there is more to do at once.

    ``goes_on`` is asked before each step: whether the work is still this process's.
    """
    more = False
    with disable_auditlog():
        for step in STEPS:
            if not goes_on():
                return False
            # One that the database has ended is opened anew.
            close_old_connections()
            try:
                done = step(now)
            except Exception:
                log.exception("scheduler.failed step=%s", step.__name__)
            else:
                more = more or (done is not None and done.more)
    return more


def end_employments(now: int) -> None:
    """End the people whose last day at work is over."""
    each_apart("end_employments", employments_over(now), lambda holder: end_employment_that_is_over(holder, now))


def renew_permits(now: int, for_s: float = RENEW_FOR_S, pause: Callable[[float], Any] = time.sleep) -> Renewed:
    """Sign anew permits that have lived half of their life: in small batches with pauses, for ``for_s`` at most.

    Of each site one batch, as it wakes all stations of the site, which wait for news.
    """
    signed, failed, until = 0, set[int](), time.monotonic() + for_s
    batches = due_batches(now)
    while batches and (began := time.monotonic()) < until:
        site, permits = batches.pop(0)
        try:
            signed += renew_permits_of(permits, now)
        except Exception:
            log.exception("scheduler.failed step=renew_permits site_id=%s", site)
            failed.add(site)
            # What is due there may hide what is due elsewhere.
            batches = batches or due_batches(now, failed)
        # Also after a batch that took long, as when the database did not answer, the other steps have their turn.
        pause(min(PAUSE_SHARE * (time.monotonic() - began), for_s))
    return Renewed(signed, more=bool(batches))


def renew_blocklists(now: int) -> None:
    """Sign anew the blocklists that have lived half of their life."""
    each_apart("renew_blocklists", sites_with_due_blocklists(now), lambda site: renew_due_blocklist(site, now))


def _forget_what_was_for_a_time(now: int) -> None:
    sites = sites_with_something_for_a_time_over(now)
    each_apart("forget_what_was_for_a_time", sites, lambda site: forget_what_was_for_a_time(site, now))


def _end_pin_renewals(_now: int) -> None:
    each_apart("end_pin_renewals", sites_renewing_pins(), end_pin_renewal)


def _forget_buckets(_now: int) -> None:
    forget_full_buckets()


def _forget_tombstones(now: int) -> None:
    before = now - TOMBSTONES_KEPT_S
    each_apart("forget_tombstones", sites_with_tombstones(before), lambda site: forget_tombstones(site, before))


def _note_round(now: int) -> None:
    if not 0 <= now - last_round() < NOTED_EVERY_S:
        ServerFact.objects.update_or_create(name=ROUND, defaults={"value": str(now)})


STEPS: tuple[Callable[[int], Renewed | None], ...] = (
    end_employments, note_silence, renew_blocklists, renew_permits, _forget_what_was_for_a_time, _end_pin_renewals,
    make_months_ahead, apply_retention_when_due, forget_sent_forms, forget_undoable, _forget_buckets,
    _forget_tombstones, _note_round,
)  # fmt: skip


def last_round() -> int:
    """When the last round ended (Unix seconds, to the minute); 0: never."""
    fact = ServerFact.objects.filter(name=ROUND).first()
    return 0 if fact is None else int(fact.value)


def how_far_behind(now: int) -> str:
    """What is wrong with the scheduler, in a line; empty when nothing is."""
    last, due = last_round(), due_permits(now)
    if last and now - last > BEHIND_S:
        return f"the last round ended {now - last} s ago"
    if due.oldest_s > BEHIND_S:
        return f"{due.permits} permits wait to be signed anew, the first for {due.oldest_s} s"
    return ""


def start_scheduler() -> None:
    """Do what is due every few seconds, in a thread that ends with the process."""
    threading.Thread(target=_run_for_ever, name="scheduler", daemon=True).start()


def _run_for_ever() -> None:
    ended = threading.Event()
    wait_s, warned_at = ROUND_EVERY_S, 0.0
    while not ended.wait(wait_s):
        wait_s = ROUND_EVERY_S
        turn = Alone(Work.SCHEDULER)
        try:
            if turn.take():
                wait_s = 0.0 if do_what_is_due(unix_now(), turn.is_held) else ROUND_EVERY_S
            # Also whoever only looks on: the one that has the work may hang.
            if time.monotonic() - warned_at >= WARN_EVERY_S and (wrong := how_far_behind(unix_now())):
                warned_at = time.monotonic()
                log.warning("scheduler.behind %s", wrong)
        except Exception:
            # The server goes on serving; the next round tries again.
            log.exception("scheduler.failed")
        finally:
            turn.release()
            connections.close_all()
