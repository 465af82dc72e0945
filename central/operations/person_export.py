"""Everything that central has about one person, for the person (GDPR, article 15). Never a tag or a record's bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q

from central.clock import END_OF_DATES, unix_now
from central.models import Event, Holder, Key, LookUp, Permission, Permit, Receipt, Task, TemporaryAccess
from central.signing.keyring import verifying_keys
from station.records import claims
from station.records.envelope import verified


def export_person(holder: Holder, reason: str) -> dict[str, Any]:
    """A JSON object with all of it. That it was made, and why, is in the audit log."""
    _note_access(holder, reason)
    receipts = Receipt.objects.filter(holder=holder).select_related("key").order_by("made_at")
    tasks = Task.objects.filter(holder=holder).select_related("key").order_by("opened_at")
    look_ups = LookUp.objects.filter(site=holder.site, about=LookUp.About.HOLDER, number=holder.number)
    keys = list(Key.objects.filter(site=holder.site, holder=holder))
    # Events about a personal key are about its holder, whether they name the holder or not.
    about = Q(holder=holder.number) | Q(key__in=[key.number for key in keys])
    return {
        "person": {
            "number": holder.number,
            "given_name": holder.given_name,
            "family_name": holder.family_name,
            "category": holder.get_category_display(),
            "unit": holder.unit.name,
            "status": holder.status,
            "employment_begins": holder.employment_begins.isoformat() if holder.employment_begins else None,
            "employment_ends": holder.employment_ends.isoformat() if holder.employment_ends else None,
            "language": holder.language,
            "note": holder.note,
            "pin_given": _time(holder.pin_at) if holder.pin_at is not None else None,
        },
        "site": holder.site.name,
        "log_kept_days": holder.site.log_days,
        "audit_kept_days": holder.site.audit_days,
        "forgotten_days_after_leaving": holder.site.forget_days,
        "keys": [{"number": key.number, "status": key.status} for key in keys],
        "permissions": [_permission(permission) for permission in holder.permissions.all()],
        "could_open": [_period(period) for period in holder.access_periods.order_by("since").select_related("unit")],
        "permits": [_permit(permit, holder) for permit in holder.permits.all()],
        "events": [_event(event) for event in Event.objects.filter(about, site=holder.site).order_by("pk")],
        "receipts": [_receipt(receipt) for receipt in receipts],
        "tasks": [_task(task) for task in tasks],
        "looked_up": [_look_up(each) for each in look_ups.select_related("user").order_by("at")],
        "changes": [_change(entry) for entry in _changes(holder, keys)],
    }


def _note_access(holder: Holder, reason: str) -> None:
    LogEntry.objects.log_create(
        holder, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"export": True, "reason": reason}
    )


def _permission(permission: Any) -> dict[str, Any]:
    return {
        "unit": permission.unit.name if permission.unit else None,
        "every_area": permission.every_area,
        "areas": [area.name for area in permission.areas.all()],
        "locks": [lock.number for lock in permission.locks.all()],
        "windows": permission.windows,
        "for_a_time": [
            {"areas": [area.name for area in each.areas.all()], "until": each.until.isoformat()}
            for each in permission.temporary.all()
        ],
    }


def _period(period: Any) -> dict[str, Any]:
    return {
        "unit": period.unit.name if period.unit else None,
        **period.opens,
        "since": _time(period.since),
        "until": _time(period.until) if period.until is not None else None,
    }


def _permit(permit: Permit, holder: Holder) -> dict[str, Any]:
    said = verified(claims.Permit, bytes(permit.record), verifying_keys(holder.site))
    return {"valid_until": _time(permit.expires), "issued": _time(said.issued) if said else None}


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": _time(event.at),
        "received_at": _time(event.received_at),
        "type": event.type,
        "station": event.station.name,
        "key": event.key,
        "lock": event.lock,
        "doubt": event.doubt_shown(unix_now()) or None,
        "data": event.data,
    }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "kind": receipt.kind,
        "key": receipt.key.number if receipt.key else None,
        "made_at": _time(receipt.made_at),
        "made_by": receipt.made_by,
        "signed_at": _time(receipt.signed_at) if receipt.signed_at is not None else None,
        "signed_by": receipt.signed_by or None,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "key": task.key.number if task.key else None,
        "due": task.due.isoformat(),
        "opened_at": _time(task.opened_at),
        "opened_by": task.opened_by or None,
        "done_at": _time(task.done_at) if task.done_at is not None else None,
        "done_by": task.done_by or None,
    }


def _look_up(each: LookUp) -> dict[str, Any]:
    return {
        "at": _time(each.at),
        "by": str(each.user),
        "since": _time(each.since),
        "until": _time(each.until),
        "cause": each.cause,
        "reason": each.reason,
    }


def _changes(holder: Holder, keys: list[Key]) -> Iterator[LogEntry]:
    """What the audit log says of the person, of what they may open and of their keys, in the order of time."""
    about: list[tuple[type[Model], list[int]]] = [
        (Holder, [holder.pk]),
        (Permission, list(holder.permissions.values_list("pk", flat=True))),
        (
            TemporaryAccess,
            list(TemporaryAccess.objects.filter(permission__holder=holder).values_list("pk", flat=True)),
        ),
        (Key, [key.pk for key in keys]),
    ]
    wanted = Q(pk__in=[])
    for model, pks in about:
        wanted |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=pks)
    yield from LogEntry.objects.filter(wanted).order_by("timestamp", "pk").select_related("actor", "content_type")


def _change(entry: LogEntry) -> dict[str, Any]:
    return {
        "at": entry.timestamp.isoformat(),
        "by": str(entry.actor) if entry.actor else None,
        "about": entry.content_type.model,
        "action": entry.get_action_display(),
        "changes": entry.changes,
    }


def _time(unix_s: int) -> str:
    # By a key's or a station's clock: any number that fits.
    return datetime.fromtimestamp(unix_s, UTC).isoformat() if unix_s < END_OF_DATES else str(unix_s)
