"""Acts on keys: block, unlock, take back, replace, lend."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from central.acts.clock import today
from central.clock import unix_now
from central.feed import change
from central.models import Blocklist, Holder, Key, MirrorRow, Site, Unit
from central.models.base import MAX_UINT32
from central.office.models import Block, Receipt, Task

FIRST_NUMBER = 1


def block(key: Key, by: str = "") -> None:
    """A key that is lost or stolen: no station switches it on, and its number goes on the blocklist that keys carry."""
    with change():
        key.status = Key.Status.BLOCKED
        key.save(update_fields=["status"])
        # Only when it is committed does the blocklist have the revision that tells how far it has come.
        transaction.on_commit(lambda: _note_block(key, by))


def _note_block(key: Key, by: str) -> None:
    row = MirrorRow.objects.get(site=key.site_id, type=Blocklist.MIRROR_TYPE, number=0)
    version = Blocklist.objects.get(site=key.site_id).version
    # Blocked twice: the first time is when it began to spread.
    Block.objects.get_or_create(
        key=key, open=True, defaults={"at": unix_now(), "by": by, "revision": row.revision, "version": version}
    )


def unlock(key: Key, now: int | None = None) -> None:
    """Stations count wrong PINs from zero again. Always a new time, so that one that locked it itself sees it."""
    with change():
        now = unix_now() if now is None else now
        key.unlocked_at = max(now, (key.unlocked_at or 0) + 1, (key.locked_at or 0) + 1)
        key.save(update_fields=["unlocked_at"])


def take_back(key: Key, by: str = "") -> Receipt | None:
    """A key is handed in for good: no station switches it on until it is handed out anew.

    Returns the return receipt; None for a key that was nobody's.
    """
    with change():
        key.status = Key.Status.RETURNED
        key.save(update_fields=["status"])
        Block.objects.filter(key=key, open=True).update(open=False)
        _done(Task.objects.filter(key=key, kind=Task.Kind.COLLECT_KEY), by)
        return _receipt(Receipt.Kind.RETURNED, key, key.holder, by) if key.holder else None


def new_personal_key(holder: Holder, by: str = "", number: int | None = None) -> tuple[Key, Receipt]:
    """A blank key for its holder, and the receipt to sign.

    Without ``number``: the blank one that waits for them already, else the next free number.
    """
    with change():
        waiting = Key.objects.filter(holder=holder, status=Key.Status.BLANK).first() if number is None else None
        key = waiting or Key(
            site=holder.site,
            number=number or free_number(holder.site_id),
            kind=Key.Kind.PERSONAL,
            unit=holder.unit,
            holder=holder,
        )
        key.save()
        _done(Task.objects.filter(holder=holder, kind=Task.Kind.NEW_KEY), by)
        return key, _receipt(Receipt.Kind.HANDED_OUT, key, holder, by)


def replace_broken(key: Key, emergency: Key, by: str = "") -> tuple[Receipt, Task]:
    """A personal key is broken or lost: its holder gets an emergency key now, and a new key tomorrow: the task says so.

    The broken key is out of use, and not on the blocklist: nobody else has it. A lost one that is blocked stays so.
    """
    assert key.holder is not None
    with change():
        if key.status == Key.Status.ACTIVE:
            key.status = Key.Status.RETURNED
            key.save(update_fields=["status"])
        return lend(emergency, key.holder, by), open_new_key_task(key.holder, by)


def lend(emergency: Key, holder: Holder, by: str = "") -> Receipt:
    """Hand an emergency key over the counter. The event of the holder's PIN at a station is the second receipt."""
    with change():
        return _receipt(Receipt.Kind.LENT, emergency, holder, by)


def open_new_key_task(holder: Holder, by: str = "") -> Task:
    """Somebody is to give this holder a key tomorrow; one such task a holder."""
    with change():
        due = today(holder.site) + timedelta(days=1)
        task = Task.objects.filter(holder=holder, kind=Task.Kind.NEW_KEY, done_at=None).first()
        return task or Task.objects.create(
            site=holder.site, unit=holder.unit, kind=Task.Kind.NEW_KEY, holder=holder, due=due,
            opened_at=unix_now(), opened_by=by,
        )  # fmt: skip


def free_number(site: int) -> int:
    """The number after the highest one of the site. Inside a change."""
    # Two who ask at once would get the same one: the second waits for the first.
    Site.objects.select_for_update().get(pk=site)
    highest = Key.objects.filter(site_id=site).order_by("-number").values_list("number", flat=True).first()
    return min((highest or FIRST_NUMBER - 1) + 1, MAX_UINT32)


def lendable(unit: Unit) -> list[Key]:
    """The emergency keys that somebody of this unit may get, the unit's own first."""
    closed = unit.closed
    keys = Key.objects.filter(site=unit.site_id, kind=Key.Kind.EMERGENCY, status=Key.Status.ACTIVE).select_related(
        "unit"
    )
    fitting = [key for key in keys if key.unit_id == unit.pk or not (closed or key.unit.closed)]
    return sorted(fitting, key=lambda key: (key.unit_id != unit.pk, key.number))


def _done(tasks: QuerySet[Task], by: str) -> None:
    # One by one: what is changed by a query alone is not in the audit log.
    for task in tasks.filter(done_at=None):
        task.done_at, task.done_by = unix_now(), by
        task.save()


def _receipt(kind: Receipt.Kind, key: Key | None, holder: Holder, by: str) -> Receipt:
    return Receipt.objects.create(
        site=holder.site, unit=holder.unit, kind=kind, key=key, holder=holder, made_at=unix_now(), made_by=by
    )
