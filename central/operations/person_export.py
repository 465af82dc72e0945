"""Everything that central has about one person, for the person (GDPR, article 15). Never a tag or a record's bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from auditlog.models import LogEntry
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from central.clock import END_OF_DATES, unix_now
from central.models import (
    Activation,
    Block,
    Event,
    Handover,
    Holder,
    Key,
    LogGaps,
    LookUp,
    Permission,
    Permit,
    Receipt,
    Task,
    TemporaryAccess,
)
from central.signing.keyring import verifying_keys
from station.records import claims
from station.records.envelope import verified

TOLD = {
    "AccessPeriod.holder": "could_open",
    "Activation.holder": "activations", "Activation.key": "activations", "Block.key": "blocks",
    "Event.holder": "events", "Event.key": "events", "Handover.holder": "pool_keys", "Key.holder": "keys",
    "LogGaps.key": "keys", "LookUp.number": "looked_up", "Permission.holder": "permissions",
    "Permission_areas.permission": "permissions", "Permission_locks.permission": "permissions",
    "Permit.holder": "permits", "Permit.permission": "permits",
    "Receipt.holder": "receipts", "Receipt.key": "receipts", "Task.holder": "tasks", "Task.key": "tasks",
    "TemporaryAccess.permission": "permissions", "TemporaryAccess_areas.temporaryaccess": "permissions",
}  # fmt: skip
"""Where a model names a person or a key, or what is theirs, and under which name that is exported."""
LEFT_OUT = {
    "BlockReached.block": "which stations have heard of a block: about them",
    "Handover.key": "a pool key's, which its holder has: told by that",
    "LogMark.key": "how far the log of the key has come: each entry that came is among the events",
    "MirrorRow.number": "a site's mirror: copies of what is exported",
    "Opening.holder": "a view of the events", "Opening.key": "a view of the events",
    "ProvisionCode.key": "the hash of a code, good for 15 minutes; that it was made is among the changes",
    "SealedSecret.number": "of a site's secret",
    "Undoable.number": "how to take back what was done in the last ten minutes; that is among the changes",
}  # fmt: skip
"""As `TOLD`, and why it is not exported."""


def export_person(holder: Holder, reason: str) -> dict[str, Any]:
    """A JSON object with all of it. That it was made, and why, is in the audit log."""
    _note_access(holder, reason)
    now = unix_now()
    keys = list(Key.objects.filter(site=holder.site, holder=holder).order_by("number"))
    receipts = Receipt.objects.filter(holder=holder).select_related("key").order_by("made_at")
    tasks = Task.objects.filter(Q(holder=holder) | Q(key__in=keys, holder=None))
    tasks = tasks.select_related("key").order_by("opened_at")
    # What is about a personal key is about its holder, whether it names the holder or not: from when they got it on.
    told, looked, blocked = Q(holder=holder.number), Q(about=LookUp.About.HOLDER, number=holder.number), Q(pk__in=[])
    for key in keys:
        since = _had_since(key)
        told |= Q(key=key.number, holder=None, received_at__gte=since)
        looked |= Q(about=LookUp.About.KEY, number=key.number, at__gte=since)
        blocked |= Q(key=key, at__gte=since)
    look_ups = LookUp.objects.filter(looked, site=holder.site)
    events = Event.objects.kept(holder.site, now).filter(told).order_by("received_at", "pk")
    activations = Activation.objects.filter(holder=holder.number, site=holder.site).order_by("begins")
    blocks = Block.objects.filter(blocked).select_related("key").order_by("at")
    has = Handover.objects.filter(key__site=holder.site, holder=holder.number, is_out=True).order_by("at")
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
            "ended": _time_or_none(holder.ended_at),
            "forgotten": _time_or_none(holder.forgotten_at),
            "language": holder.language,
            "note": holder.note,
            "pin_given": _time_or_none(holder.pin_at),
        },
        "site": holder.site.name,
        "log_kept_days": holder.site.log_days,
        "audit_kept_days": holder.site.audit_days,
        "forgotten_days_after_leaving": holder.site.forget_days,
        "keys": [_key(key) for key in keys],
        "blocks": [{"key": block.key.number, "at": _time(block.at), "open": block.open} for block in blocks],
        "pool_keys": [{"key": each.key.number, "since": _time(each.at)} for each in has.select_related("key")],
        "permissions": [_permission(permission) for permission in holder.permissions.all()],
        "could_open": [_period(period) for period in holder.access_periods.order_by("since").select_related("unit")],
        "permits": [_permit(permit, holder) for permit in holder.permits.all()],
        "events": [_event(event) for event in events.select_related("station")],
        "activations": [_activation(each) for each in activations],
        "receipts": [_receipt(receipt) for receipt in receipts],
        "tasks": [_task(task) for task in tasks],
        "looked_up": [_look_up(each) for each in look_ups.select_related("user").order_by("at")],
        "changes": [_change(entry) for entry in _changes(holder, keys)],
        "changes_by_the_operator": [_operator_change(entry) for entry in _operator_changes(holder, keys)],
    }


def _had_since(key: Key) -> int:
    """When its holder got it, if it was handed out in the office: somebody else may have had it before."""
    handed = Receipt.objects.filter(key=key, kind=Receipt.Kind.HANDED_OUT).order_by("-made_at", "-pk").first()
    return handed.made_at if handed is not None else 0


def _note_access(holder: Holder, reason: str) -> None:
    LogEntry.objects.log_create(
        holder, force_log=True, action=LogEntry.Action.ACCESS, additional_data={"export": True, "reason": reason}
    )


def _key(key: Key) -> dict[str, Any]:
    gaps = LogGaps.objects.filter(key=key).first()
    return {
        "number": key.number,
        "status": key.state,
        "battery_replaced": key.battery_replaced.isoformat() if key.battery_replaced else None,
        "locked": _time_or_none(key.locked_at),
        "unlocked": _time_or_none(key.unlocked_at),
        "activated": _time_or_none(key.activated_at),
        "wrong_pins": [_time(at) for at in key.wrong_pins],
        "missing_of_its_log": [[first, last] for first, last, _ in gaps.missing] if gaps else [],
    }


def _activation(each: Activation) -> dict[str, Any]:
    return {"key": each.key, "holder": each.holder, "begins": _time(each.begins), "ends": _time(each.ends)}


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
        "signed_at": _time_or_none(receipt.signed_at),
        "signed_by": receipt.signed_by or None,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "key": task.key.number if task.key else None,
        "due": task.due.isoformat(),
        "opened_at": _time(task.opened_at),
        "opened_by": task.opened_by or None,
        "done_at": _time_or_none(task.done_at),
        "done_by": task.done_by or None,
    }


def _look_up(each: LookUp) -> dict[str, Any]:
    return {
        "at": _time(each.at),
        "by": each.who,
        "about": each.about,
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
    ]
    wanted = Q(pk__in=[])
    for model, pks in about:
        wanted |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=pks)
    for key in keys:
        since = datetime.fromtimestamp(_had_since(key), UTC)
        wanted |= Q(content_type=ContentType.objects.get_for_model(Key), object_id=key.pk, timestamp__gte=since)
    yield from LogEntry.objects.filter(wanted).order_by("timestamp", "pk").select_related("actor", "content_type")


def _change(entry: LogEntry) -> dict[str, Any]:
    return {
        "at": entry.timestamp.isoformat(),
        "by": str(entry.actor) if entry.actor else None,
        "about": entry.content_type.model,
        "action": entry.get_action_display(),
        "changes": entry.changes,
    }


def _operator_changes(holder: Holder, keys: list[Key]) -> "QuerySet[AdminEntry]":
    """What the admin page's own log says of the person and of their keys, in the order of time."""
    types = ContentType.objects.get_for_models(Holder, Key)
    wanted = Q(content_type=types[Holder], object_id=str(holder.pk))
    for key in keys:
        since = datetime.fromtimestamp(_had_since(key), UTC)
        wanted |= Q(content_type=types[Key], object_id=str(key.pk), action_time__gte=since)
    return AdminEntry.objects.filter(wanted).select_related("user", "content_type").order_by("action_time", "pk")


def _operator_change(entry: AdminEntry) -> dict[str, Any]:
    assert entry.content_type is not None
    return {
        "at": entry.action_time.isoformat(),
        "by": str(entry.user),
        "about": entry.content_type.model,
        "changes": entry.get_change_message(),
    }


def _time_or_none(unix_s: int | None) -> str | None:
    return None if unix_s is None else _time(unix_s)


def _time(unix_s: int) -> str:
    # By a key's or a station's clock: any number that fits.
    return datetime.fromtimestamp(unix_s, UTC).isoformat() if unix_s < END_OF_DATES else str(unix_s)
