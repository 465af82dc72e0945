"""People who move to another unit, and those who come back: what goes with them, and what does not stay behind."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from central.actions.access import give_back, kept, permit_access, usual_access
from central.actions.keys import set_key_status, take_back_key
from central.actions.people import withdraw_permissions
from central.actions.tasks import finish_tasks
from central.clock import unix_now
from central.feed import change
from central.models import Holder, Key, Permission, Receipt, Task, TemporaryAccess, Unit
from central.signing.permits import sign_permits
from central.signing.records import sign_key_record


@dataclass(frozen=True)
class Employment:
    """How somebody works here (again)."""

    category: int
    unit: Unit
    begins: date | None
    ends: date | None


def move_person(
    holder: Holder, unit: Unit, by: str, *, new_access: bool = True, key_handed_in: bool = False
) -> list[Receipt]:
    """Move somebody to another unit, with what is open about them. Returns return receipts of keys handed in.

    ``new_access``: what is usual in the new unit, and nothing of the old one. Their keys are the new unit's, which must
    be able to block them, but for those that are handed in.
    """
    with change():
        old, holder.unit = holder.unit, unit
        holder.save(update_fields=["unit"])
        _move_access(holder, old, new_access=new_access)
        receipts = _move_keys(holder, by, handed_in=key_handed_in)
        _move_papers(holder)
        sign_permits(holder, unix_now())
        return receipts


def state_before_move(holder: Holder) -> dict[str, Any]:
    """What `undo_move` needs to know from before a move."""
    tasks = Task.objects.filter(holder=holder, done_at=None)
    return {
        "unit": holder.unit_id,
        "permissions": kept(holder.permissions.all()),
        "keys": [[key.pk, key.unit_id, key.status] for key in own_keys(holder)],
        "tasks": list(tasks.values_list("pk", "unit")),
        "receipts": list(Receipt.objects.filter(holder=holder, signed_at=None).values_list("pk", "unit")),
    }


def undo_move(holder: Holder, before: dict[str, Any], by: str) -> None:
    """Unit, access, keys, tasks and receipts are as they were. ``before["made"]``: the receipts of keys handed in."""
    with change():
        holder.unit_id = before["unit"]
        holder.save(update_fields=["unit"])
        withdraw_permissions(holder.permissions.exclude(unit_id__in=[each["unit"] for each in before["permissions"]]))
        give_back(holder, before["permissions"])
        handed_in = []
        for pk, unit, status in before["keys"]:
            key = Key.objects.select_related("site", "unit", "holder").get(pk=pk)
            if key.status != status:
                set_key_status(key, Key.Status(status), by)
                handed_in.append(pk)
            if key.unit_id != unit:
                _move_key(key, unit)
        for pk, unit in before["tasks"]:
            for task in Task.objects.filter(pk=pk):
                task.unit_id = unit
                if task.kind == Task.Kind.COLLECT_KEY and task.key_id in handed_in:
                    task.done_at, task.done_by = None, ""
                task.save(update_fields=["unit", "done_at", "done_by"])
        for pk, unit in before["receipts"]:
            for receipt in Receipt.objects.filter(pk=pk):
                receipt.unit_id = unit
                receipt.save(update_fields=["unit"])
        for receipt in Receipt.objects.filter(pk__in=before["made"]):
            receipt.delete()


def employ_again(holder: Holder, employment: Employment, by: str = "") -> None:
    """Somebody who has left works here again, may open what is usual in the unit, and keeps number and PIN.

    Keys that they still had are theirs; whoever comes back hourly has to have handed in their own (`own_keys`).
    """
    with change():
        holder.category, holder.unit = employment.category, employment.unit
        holder.employment_begins, holder.employment_ends = employment.begins, employment.ends
        holder.status, holder.ended_at = Holder.Status.ACTIVE, None
        holder.save()
        withdraw_permissions(Permission.objects.filter(holder=holder))
        hourly = holder.category == Holder.Category.HOURLY
        assert not (hourly and own_keys(holder))
        permit_access(holder, employment.unit if hourly else None, usual_access(employment.unit))
        _move_keys(holder, by, handed_in=False)
        _move_papers(holder)
        sign_permits(holder, unix_now())
        finish_tasks(Task.objects.filter(holder=holder, kind=Task.Kind.COLLECT_KEY), by)


def own_keys(holder: Holder) -> list[Key]:
    """The personal keys that somebody has not handed in, also those that are blocked or wait for them."""
    found = Key.objects.filter(holder=holder).exclude(status=Key.Status.RETURNED)
    return list(found.select_related("site", "unit", "holder__unit", "holder__site").order_by("number"))


def _move_access(holder: Holder, old: Unit, *, new_access: bool) -> None:
    if holder.category != Holder.Category.HOURLY:
        if new_access:
            for given in TemporaryAccess.objects.filter(permission__holder=holder):
                given.delete()
            permit_access(holder, None, usual_access(holder.unit))
        return
    if new_access:
        withdraw_permissions(Permission.objects.filter(holder=holder, unit=old))
    if not Permission.objects.filter(holder=holder, unit=holder.unit).exists():
        permit_access(holder, holder.unit, usual_access(holder.unit))


def _move_keys(holder: Holder, by: str, *, handed_in: bool) -> list[Receipt]:
    receipts = []
    for key in own_keys(holder):
        if handed_in and key.status == Key.Status.ACTIVE:
            receipt = take_back_key(key, by)
            receipts += [receipt] if receipt else []
        elif key.unit_id != holder.unit_id:
            _move_key(key, holder.unit_id)
    return receipts


def _move_key(key: Key, unit: int) -> None:
    key.unit_id = unit
    key.save(update_fields=["unit"])
    if key.record is not None:
        # Any station writes it to the key at the next insertion.
        sign_key_record(key, unix_now())


def _move_papers(holder: Holder) -> None:
    """Tasks that are open and receipts that nobody has filed: else no coordinator and no manager would see them."""
    for task in Task.objects.filter(holder=holder, done_at=None).exclude(unit=holder.unit):
        task.unit = holder.unit
        task.save(update_fields=["unit"])
    for receipt in Receipt.objects.filter(holder=holder, signed_at=None).exclude(unit=holder.unit):
        receipt.unit = holder.unit
        receipt.save(update_fields=["unit"])
