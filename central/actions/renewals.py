"""Signing anew: what has lived half of its life, or all of a site's records."""

from auditlog.context import disable_auditlog
from django.db.models import Model

from central.feed import change
from central.models import Blocklist, Key, Permit, Site
from central.signing.blocklists import sign_blocklist_anew
from central.signing.keyring import signing_key
from central.signing.permits import sign_permit_anew
from central.signing.records import sign_key_record
from station.records import claims
from station.records.envelope import verified

DUE_BATCH = 20
"""Permits signed in one transaction: stations fetch them in small pages, and administrators never wait long."""
ALL_BATCH = 100


def renew_due_records(now: int, batch: int = DUE_BATCH) -> int:
    """Sign at most ``batch`` permits anew that have lived half of their life, and blocklists; how many permits."""
    with disable_auditlog(), change():
        due = Permit.objects.filter(renew_at__lte=now).select_related("permission", "holder", "holder__site")
        permits = list(due.order_by("renew_at")[:batch])
        for permit in permits:
            sign_permit_anew(permit, now)
        for blocklist in Blocklist.objects.filter(renew_at__lte=now).select_related("site"):
            sign_blocklist_anew(blocklist.site, now)
    return len(permits)


def sign_all_anew(site: Site, now: int, *, only_old: bool) -> int:
    """Sign the blocklist, every permit and every key record again, or only those by another key. Returns how many."""
    mine = [signing_key(site).public]
    count = 0
    with disable_auditlog():
        blocklist = Blocklist.objects.filter(site=site).first()
        if blocklist and not (only_old and verified(claims.Blocklist, bytes(blocklist.record), mine)):
            with change():
                sign_blocklist_anew(site, now)
            count += 1
        for batch in _batches(Permit, holder__site=site):
            with change():
                for permit in Permit.objects.filter(pk__in=batch).select_related("permission", "holder__site"):
                    if not (only_old and verified(claims.Permit, bytes(permit.record), mine)):
                        sign_permit_anew(permit, now)
                        count += 1
        for batch in _batches(Key, site=site, record__isnull=False):
            with change():
                for key in Key.objects.filter(pk__in=batch).select_related("site", "unit", "holder"):
                    if not (only_old and verified(claims.KeyRecord, bytes(key.record or b""), mine)):
                        sign_key_record(key, now)
                        count += 1
    return count


def _batches(model: type[Model], **which: object) -> list[list[int]]:
    pks = list(model._default_manager.filter(**which).order_by("pk").values_list("pk", flat=True))  # noqa: SLF001
    return [pks[start : start + ALL_BATCH] for start in range(0, len(pks), ALL_BATCH)]
