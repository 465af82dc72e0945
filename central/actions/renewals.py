"""Signing anew: what has lived half of its life, or all of a site's records."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from auditlog.context import disable_auditlog
from django.db.models import Model, QuerySet

from central.feed import change
from central.models import Blocklist, Key, Permit, Site
from central.signing.blocklists import lock_site, sign_blocklist_anew
from central.signing.keyring import signing_key
from central.signing.permits import sign_permits_anew
from central.signing.records import sign_key_record
from station.records import claims
from station.records.envelope import verified

DUE_BATCH = 20
"""Permits signed in one transaction: stations fetch them in small pages, and administrators never wait long."""
LOOKED_AT = 1000
"""Of the permits that are due, for one batch of each site among them."""
ALL_BATCH = 100


@dataclass(frozen=True)
class Due:
    """What has lived half of its life and is not signed anew yet."""

    permits: int
    oldest_s: int
    """For how long the oldest one has been due."""


def due_batches(now: int, without: Collection[int] = ()) -> list[tuple[int, list[int]]]:
    """The permits that have lived half of their life: a batch of each site, the site with the oldest one first.

    ``without``: database ids of sites to leave out. Returns ids: the site's, and its permits'.
    """
    # Among the oldest only: not through all that are due of a country.
    due = Permit.objects.filter(renew_at__lte=now).exclude(holder__site__in=without).order_by("renew_at")
    of_site: dict[int, list[int]] = defaultdict(list)
    for pk, site in due.values_list("pk", "holder__site")[:LOOKED_AT]:
        of_site[site].append(pk)
    return [(site, permits[:DUE_BATCH]) for site, permits in of_site.items()]


def renew_permits_of(permits: Collection[int], now: int) -> int:
    """Sign a batch anew. Returns how many were still due: fewer, or none, when another process is at it."""
    with disable_auditlog(), change():
        return sign_permits_anew(Permit.objects.filter(pk__in=permits), now, renew_at=now)


def renew_due_blocklist(site: Site, now: int) -> None:
    """Sign the site's blocklist anew if it has lived half of its life."""
    with disable_auditlog(), change():
        lock_site(site)
        if Blocklist.objects.filter(site=site, renew_at__lte=now).exists():
            sign_blocklist_anew(site, now)


def sites_with_due_blocklists(now: int) -> QuerySet[Site]:
    """Whose list has lived half of its life."""
    return Site.objects.filter(blocklist__renew_at__lte=now)


def due_permits(now: int) -> Due:
    """How far behind the signing anew is."""
    due = Permit.objects.filter(renew_at__lte=now)
    oldest = due.order_by("renew_at").values_list("renew_at", flat=True).first()
    return Due(0, 0) if oldest is None else Due(due.count(), now - oldest)


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
                there = Permit.objects.filter(pk__in=batch)
                old = [each for each in there if not (only_old and verified(claims.Permit, bytes(each.record), mine))]
                count += sign_permits_anew(old, now)
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
