"""Tasks (what is still to be done) and receipts (what was handed over)."""

from datetime import date, timedelta

from django.db.models import QuerySet

from central.clock import unix_now
from central.models import Holder, Key, Receipt, Site, Station, Task, Unit


def open_new_key_task(holder: Holder, by: str = "") -> Task:
    """Open the task to give this holder a key tomorrow; one such task a holder."""
    due = holder.site.today() + timedelta(days=1)
    return _open(Task.Kind.NEW_KEY, holder.site, due, by, holder=holder)


def open_collect_key_task(key: Key, holder: Holder, due: date, by: str = "") -> Task:
    """Open the task to get this key back from its holder, who leaves; one such task a key, due on the last day said."""
    task = Task.objects.filter(key=key, kind=Task.Kind.COLLECT_KEY, done_at=None).first()
    if task is None:
        return _open(Task.Kind.COLLECT_KEY, holder.site, due, by, holder=holder, key=key)
    if task.due != due:
        task.due = due
        task.save(update_fields=["due"])
    return task


def open_renew_pins_task(site: Site, by: str = "", station: Station | None = None) -> Task:
    """Open the task to renew every PIN of the site, because of a stolen station or for another reason."""
    return _open(Task.Kind.RENEW_PINS, site, site.today(), by, station=station)


def open_many_locked_task(station: Station) -> Task:
    """Open the task to look after a station whose events would lock more keys than is believed; one a station."""
    return _open(Task.Kind.MANY_LOCKED, station.site, station.site.today(), "", station=station, unit=station.unit)


def open_station_told_task(station: Station, what: str, key: Key | None = None) -> Task:
    """Open the task to look after what a station told; one for the same thing, until it is done."""
    unit = station.unit if key is None else key.unit
    return _open(
        Task.Kind.STATION_TOLD, station.site, station.site.today(), "", station=station, key=key, unit=unit, detail=what
    )


def open_refused_pin_task(holder: Holder, key: Key, reason: str) -> Task:
    """Open the task to help somebody whose right PIN may not use this pool key: the screen does not tell them why.

    One such task a holder, about the last key that they tried.
    """
    task = _open(Task.Kind.REFUSED_PIN, holder.site, holder.site.today(), "", holder=holder, key=key, detail=reason)
    for other in Task.objects.filter(kind=task.kind, holder=holder, done_at=None).exclude(pk=task.pk):
        other.delete()
    return task


def open_went_back_task(thing: Key | Holder | Unit | Station, was: str) -> Task:
    """Open the task to decide about what a restored server opens again, and stations keep shut until then."""
    return _open(
        Task.Kind.WENT_BACK,
        thing.site,
        thing.site.today(),
        "",
        key=thing if isinstance(thing, Key) else None,
        holder=thing if isinstance(thing, Holder) else None,
        station=thing if isinstance(thing, Station) else None,
        unit=thing if isinstance(thing, Unit) else thing.unit,
        detail=was,
    )


def finish_tasks(tasks: QuerySet[Task], by: str, now: int | None = None) -> None:
    """Note that those of these tasks that are open have been done."""
    # One by one: what is changed by a query alone is not in the audit log.
    for task in tasks.filter(done_at=None):
        task.done_at, task.done_by = unix_now() if now is None else now, by
        task.save()


def make_receipt(
    kind: Receipt.Kind, holder: Holder, key: Key | None = None, by: str = "", at: int | None = None
) -> Receipt:
    """Make a receipt for the holder to sign. ``at``: Unix seconds, when what it is about began; None: now."""
    made_at = unix_now() if at is None else at
    return Receipt.objects.create(
        site=holder.site, unit=holder.unit, kind=kind, key=key, holder=holder, made_at=made_at, made_by=by
    )


def note_receipts_signed(receipts: QuerySet[Receipt], by: str) -> None:
    """Note that the section manager has the signed paper of each."""
    for receipt in receipts.filter(signed_at=None):
        receipt.signed_at, receipt.signed_by = unix_now(), by
        receipt.save()


def _open(
    kind: Task.Kind,
    site: Site,
    due: date,
    by: str,
    *,
    holder: Holder | None = None,
    key: Key | None = None,
    station: Station | None = None,
    unit: Unit | None = None,
    detail: str = "",
) -> Task:
    """A task of that kind; the one that is open already for the same holder, key, station and detail.

    It is the business of ``unit``; without one, of the holder's or the site's.
    """
    unit = unit or (holder.unit if holder else None)
    about = {"holder": holder, "key": key, "station": station, "detail": detail}
    open_already = Task.objects.filter(site=site, kind=kind, done_at=None, **about)
    if unit is not None:
        open_already = open_already.filter(unit=unit)
    return open_already.first() or Task.objects.create(
        site=site, unit=unit, kind=kind, due=due, opened_at=unix_now(), opened_by=by, **about
    )
