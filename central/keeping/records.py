"""After a site's ``audit_days`` it is no longer kept who did what in the office: these rows are deleted.

The audit log and the look-ups go by their age. Receipts and tasks go when they are settled and that old: a receipt of a
key that its holder still has counts on, and so does a task that nobody has done. Failed and past log-ins go after
`LOGIN_DAYS`, sessions that are over at once.
"""

import logging
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Max, Q, QuerySet

from central.clock import DAY_S
from central.models import (
    Area,
    CentralKey,
    EnrolmentCode,
    Holder,
    Key,
    Lock,
    Permission,
    ProvisionCode,
    Site,
    Station,
    Unit,
)
from central.office.models import LookUp, Membership, OutOfOrder, Receipt, Task

LOGIN_DAYS = 90
BATCH = 500
"""Rows deleted in one statement: nobody else waits for long."""
DEFAULT_AUDIT_DAYS = 730

SITE_OF = {
    Site: "pk", Unit: "site", Area: "site", Lock: "site", Holder: "site", Key: "site", Station: "site",
    CentralKey: "site", Permission: "holder__site", EnrolmentCode: "station__site", ProvisionCode: "key__site",
    Membership: "site", Receipt: "site", Task: "site", LookUp: "site", OutOfOrder: "station__site",
}  # fmt: skip
"""Whose site each of the models that the audit log follows belongs to."""

log = logging.getLogger("central.retention")


def forget_all(now: int) -> int:
    """Every site's rows that are too old; returns how many were deleted."""
    count = sum(forget(site, now) for site in Site.objects.all())
    # What is of no site (accounts), and of what is no longer there: as long as the most patient site keeps its own.
    days = Site.objects.aggregate(most=Max("audit_days"))["most"] or DEFAULT_AUDIT_DAYS
    count += _delete(LogEntry.objects.filter(timestamp__lt=_before(now, days)))
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        count += _delete(model.objects.filter(attempt_time__lt=_before(now, LOGIN_DAYS)))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return count


def forget(site: Site, now: int) -> int:
    """One site's."""
    limit = now - site.audit_days * DAY_S
    count = _delete(LookUp.objects.filter(site=site, at__lt=limit))
    count += _delete(Task.objects.filter(site=site, done_at__lt=limit))
    # Whoever has a key still has it by this receipt.
    has = Q(
        kind=Receipt.Kind.HANDED_OUT, key__holder=F("holder"), key__status__in=(Key.Status.ACTIVE, Key.Status.BLANK)
    )
    count += _delete(Receipt.objects.filter(site=site, made_at__lt=limit).exclude(has))
    for model, path in SITE_OF.items():
        mine = model._default_manager.filter(**{path: site.pk}).values("pk")  # noqa: SLF001  (Django's own name)
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        # Keys that are words have their number nowhere.
        which = Q(object_pk__in=mine) if model in (EnrolmentCode, ProvisionCode) else Q(object_id__in=mine)
        count += _delete(entries.filter(which, timestamp__lt=_before(now, site.audit_days)))
    if count:
        log.warning("retention.deleted site=%s rows=%s", site.number, count)
    return count


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
