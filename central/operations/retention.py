"""How long personal data is kept.

After a site's ``log_days`` its events are gone, and only counts stay (`central.operations.event_retention`).

After its ``forget_days`` it no longer knows the names of people who have left (`central.operations.forgetting`).

After its ``audit_days`` it is no longer kept who did what in the office: the audit log and the look-ups go by their
age, and so does what somebody could open and can no more; receipts and tasks when they are settled and that old: a
receipt of a key that its holder still has counts on, and so does a task that nobody has done. From where somebody
logged in goes after `KNOWN_FOR_S`, sessions that are over at once. Accounts that are shut out, or of no site, are
forgotten when nothing that they did is kept any more.
"""

import logging
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from django.conf import settings
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Max, Q, QuerySet

from central.clock import DAY_S
from central.doors.login import KNOWN_FOR_S
from central.models import (
    AccessPeriod,
    Area,
    CentralKey,
    EnrolmentCode,
    Holder,
    Key,
    Lock,
    LoggedInFrom,
    LookUp,
    Membership,
    OutOfOrder,
    Permission,
    ProvisionCode,
    Receipt,
    ServerFact,
    Site,
    Station,
    Task,
    TemporaryAccess,
    Unit,
)
from central.operations.apart import each_apart
from central.operations.event_retention import delete_old_events
from central.operations.forgetting import empty_write_ahead_log, forget_who_left
from central.operations.forgetting_accounts import forget_unused_accounts

BATCH = 500
"""Rows changed or deleted in one statement: nobody else waits for long."""
ROUND_EVERY_S = 3600
DEFAULT_AUDIT_DAYS = 730

SITE_OF = {
    Site: "pk", Unit: "site", Area: "site", Lock: "site", Holder: "site", Key: "site", Station: "site",
    CentralKey: "site", Permission: "holder__site",
    TemporaryAccess: "permission__holder__site", EnrolmentCode: "station__site", ProvisionCode: "key__site",
    Membership: "site", Receipt: "site", Task: "site", LookUp: "site", OutOfOrder: "station__site",
}  # fmt: skip
"""Whose site each of the models that the audit log follows belongs to."""

log = logging.getLogger("central.retention")


@dataclass(frozen=True)
class Done:
    """How many of each."""

    events: int
    """Deleted; counted before."""
    people: int
    """Forgotten, as `accounts`."""
    accounts: int
    rows: int
    """Others, deleted."""


def apply_retention(now: int) -> Done:
    """Apply every site's retention. One that fails is logged, and keeps no other from it."""
    sites = Site.objects.all()
    done = Done(
        events=each_apart("delete_old_events", [now], delete_old_events),
        people=each_apart("forget_who_left", sites, lambda site: forget_who_left(site, now)),
        accounts=each_apart("forget_accounts", [now - _most_patient_days() * DAY_S], forget_unused_accounts),
        rows=each_apart("delete_old_records", [now], delete_old_records),
    )
    if any(astuple(done)):
        empty_write_ahead_log()
    return done


def apply_retention_when_due(now: int) -> None:
    """As `apply_retention`, but at most once an hour."""
    fact, _ = ServerFact.objects.get_or_create(name="retention_at", defaults={"value": "0"})
    if now - int(fact.value) >= ROUND_EVERY_S:
        apply_retention(now)
        ServerFact.objects.filter(name=fact.name).update(value=str(now))


def delete_old_records(now: int) -> int:
    """Delete what every site's office did that is too old. Returns how many rows."""
    count = each_apart("delete_old_records", Site.objects.all(), lambda site: delete_old_records_of(site, now))
    # What is of no site (accounts), and of what is no longer there: as long as the most patient site keeps its own.
    days = _most_patient_days()
    count += _delete(LogEntry.objects.filter(timestamp__lt=_before(now, days)))
    count += _delete(AdminEntry.objects.filter(action_time__lt=_before(now, days)))
    count += _delete(LoggedInFrom.objects.filter(at__lt=now - KNOWN_FOR_S))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return count


def delete_old_records_of(site: Site, now: int) -> int:
    """Delete one site's. Returns how many rows."""
    limit = now - site.audit_days * DAY_S
    count = _delete(LookUp.objects.filter(site=site, at__lt=limit))
    count += _delete(Task.objects.filter(site=site, done_at__lt=limit))
    count += _delete(AccessPeriod.objects.filter(holder__site=site, until__lt=limit))
    # Whoever has a key still has it by this receipt.
    has = Q(
        kind=Receipt.Kind.HANDED_OUT, key__holder=F("holder"), key__status__in=(Key.Status.ACTIVE, Key.Status.BLANK)
    )
    count += _delete(Receipt.objects.filter(site=site, made_at__lt=limit).exclude(has))
    for model, path in SITE_OF.items():
        mine = model._default_manager.filter(**{path: site.pk}).values("pk")  # noqa: SLF001  (Django's own name)
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        # Keys that are words have their number nowhere.
        which = Q(object_pk__in=mine) if model is EnrolmentCode else Q(object_id__in=mine)
        count += _delete(entries.filter(which, timestamp__lt=_before(now, site.audit_days)))
    if count:
        log.warning("retention.deleted site=%s rows=%s", site.number, count)
    return count


def _most_patient_days() -> int:
    """The longest ``audit_days`` of any site."""
    return Site.objects.aggregate(most=Max("audit_days"))["most"] or DEFAULT_AUDIT_DAYS


def _before(now: int, days: int) -> datetime:
    return datetime.fromtimestamp(now, UTC) - timedelta(days=days)


def _delete(rows: "QuerySet[Any]") -> int:
    count = 0
    # A deletion that the audit log follows would be an entry again.
    with disable_auditlog():
        while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            rows.model._default_manager.filter(pk__in=batch).delete()  # noqa: SLF001
            count += len(batch)
    return count
