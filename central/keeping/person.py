"""Everything that central has about one person, for the person (GDPR, article 15). Never a tag or a record's bytes."""

from datetime import UTC, datetime
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Q

from central.issuing import keyring
from central.models import Event, Holder, Key, Permit
from station.records import claims
from station.records.envelope import verified


def exported(holder: Holder, reason: str) -> dict[str, Any]:
    """A JSON object. That it was made, and why, is in the audit log."""
    _note_access(holder, reason)
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
            "employment_ends": holder.employment_ends.isoformat() if holder.employment_ends else None,
            "language": holder.language,
            "has_pin": True,
        },
        "site": holder.site.name,
        "log_kept_days": holder.site.log_days,
        "keys": [{"number": key.number, "status": key.status} for key in keys],
        "permissions": [_permission(permission) for permission in holder.permissions.all()],
        "permits": [_permit(permit, holder) for permit in holder.permits.all()],
        "events": [_event(event) for event in Event.objects.filter(about, site=holder.site).order_by("pk")],
        "changes": [_change(entry) for entry in LogEntry.objects.get_for_object(holder).order_by("timestamp")],
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
    }


def _permit(permit: Permit, holder: Holder) -> dict[str, Any]:
    said = verified(claims.Permit, bytes(permit.record), keyring.public_keys(holder.site))
    return {"valid_until": _time(permit.expires), "issued": _time(said.issued) if said else None}


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": _time(event.at),
        "received_at": _time(event.received_at),
        "type": event.type,
        "station": event.station.name,
        "key": event.key,
        "lock": event.lock,
        "data": event.data,
    }


def _change(entry: LogEntry) -> dict[str, Any]:
    return {
        "at": entry.timestamp.isoformat(),
        "by": str(entry.actor) if entry.actor else None,
        "action": entry.get_action_display(),
        "changes": entry.changes,
    }


def _time(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()
