"""What on-call managers did since the last working day's end: the unit sees it on its first page in the morning."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from central.doors.table import Right
from central.models import Key, Lock, Membership, Receipt, Role, Site
from central.office.access import SiteAccess

DAY_ENDS = time(16)
"""When coordinators go home, by the site's clocks."""
FRIDAY = 4
SHOWN = 50


@dataclass(frozen=True)
class Act:
    """What somebody did: ``what`` is unlocked, blocked, pin, lent, who_may_open or why."""

    at: datetime
    who: str
    what: str
    key: Key | None = None
    lock: Lock | None = None
    holder: Any = None


def note_asked(access: SiteAccess, lock: Lock, key: int | None = None) -> None:
    """Keep in the audit log who asks why a lock stays red for ``key``; without it: an on-call manager's look at it."""
    # Why it stays red has entries of the key's log in its answer. Who may open it is read by many, every day.
    is_on_call = Membership.objects.filter(user=access.user, site=access.site, role=Role.ON_CALL).exists()
    if key is None and not is_on_call:
        return
    told = {"asked": "who_may_open"} if key is None else {"asked": "why", "key": key}
    LogEntry.objects.log_create(lock, force_log=True, action=LogEntry.Action.ACCESS, additional_data=told)


def last_night(access: SiteAccess, now: int) -> list[Act]:
    """Of the units whose first page it is, the newest first."""
    since = evening_before(access.site, now)
    users = Membership.objects.filter(site=access.site, role=Role.ON_CALL).values("user")
    entries = LogEntry.objects.filter(actor__in=users, timestamp__gte=since).select_related("actor")
    acts = [*_about_keys(access, entries), *_receipts(access, entries), *_asked(access, entries)]
    return sorted(acts, key=lambda act: act.at, reverse=True)[:SHOWN]


def evening_before(site: Site, now: int) -> datetime:
    """The end of the last working day before today: on a Monday Friday's."""
    local = site.local_time(now)
    day = local.date() - timedelta(days=1)
    day -= timedelta(days=max(0, day.weekday() - FRIDAY))
    return datetime.combine(day, DAY_ENDS, tzinfo=ZoneInfo(site.timezone))


def _about_keys(access: SiteAccess, entries: Any) -> list[Act]:
    mine = {key.pk: key for key in access.keys(Right.SEE_KEYS).filter(pk__in=_of(entries, Key).values("object_id"))}
    found = []
    for entry in _of(entries, Key).filter(action=LogEntry.Action.UPDATE, object_id__in=list(mine)):
        changes = entry.changes_dict
        what = "unlocked" if "unlocked_at" in changes else ""
        if changes.get("status", ["", ""])[1] == Key.Status.BLOCKED:
            what = "blocked"
        if what:
            found.append(Act(entry.timestamp, _who(entry), what, key=mine[entry.object_id]))
    return found


def _receipts(access: SiteAccess, entries: Any) -> list[Act]:
    made = _of(entries, Receipt).filter(action=LogEntry.Action.CREATE)
    kinds = {Receipt.Kind.PIN: "pin", Receipt.Kind.LENT: "lent"}
    here = Receipt.objects.filter(
        pk__in=made.values("object_id"), unit__in=access.units(Right.SEE_TASKS), kind__in=kinds
    )
    mine = {receipt.pk: receipt for receipt in here.select_related("key", "holder")}
    return [
        Act(entry.timestamp, _who(entry), kinds[Receipt.Kind(it.kind)], key=it.key, holder=it.holder)
        for entry in made
        if (it := mine.get(entry.object_id)) is not None
    ]


def _asked(access: SiteAccess, entries: Any) -> list[Act]:
    asked = list(_of(entries, Lock).filter(action=LogEntry.Action.ACCESS))
    here = Q(unit=None) | Q(unit__in=access.units(Right.SEE_TASKS))
    locks = {lock.pk: lock for lock in Lock.objects.filter(here, site=access.site, pk__in=[e.object_id for e in asked])}
    keys = {key.number: key for key in access.keys(Right.SEE_KEYS).filter(number__in=[_key_of(e) for e in asked])}
    found = []
    for entry in asked:
        lock, number = locks.get(entry.object_id), _key_of(entry)
        if lock is not None and (number == 0 or number in keys):
            what = str((entry.additional_data or {}).get("asked"))
            found.append(Act(entry.timestamp, _who(entry), what, key=keys.get(number), lock=lock))
    return found


def _key_of(entry: LogEntry) -> int:
    return int((entry.additional_data or {}).get("key") or 0)


def _of(entries: Any, model: type) -> Any:
    return entries.filter(content_type=ContentType.objects.get_for_model(model))


def _who(entry: LogEntry) -> str:
    return str(entry.actor.get_full_name() or entry.actor)
