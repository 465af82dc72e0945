"""Forgets people who have left: their names go from every table, what they did stays under their number.

A name stands in the holder's own row, in what the audit log and the admin's log say of that row, and in what somebody
wrote as a reason. Everything else (events, receipts, tasks, key records, the mirror of somebody who has left) has
numbers only. The number stays: keys, locks and events out there know it, and nobody else may ever get it.
"""

import re
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model

from central.clock import DAY_S, unix_now
from central.errors import CentralError
from central.feed import change
from central.models import Holder, Key, Lock, LookUp, OutOfOrder, Permission, Site, Task
from central.models.people import no_pin
from central.signing.permits import employment_end, sign_permits

NAME_FIELDS = ("given_name", "family_name", "language", "note", "employment_begins", "employment_ends")
"""What the audit log has of a person and nobody needs when they are forgotten."""
LEFT_OUT = "…"
GENITIVE = r"(?:['’:]?s)?\b"
"""After a name: ``Eva Exempels nyckel``."""
FREE_TEXTS: dict[type[Model], tuple[str, str]] = {
    LookUp: ("reason", "site"), Lock: ("note", "site"), OutOfOrder: ("note", "station__site"),
    Holder: ("note", "site"),
}  # fmt: skip
"""Texts in which somebody may have named a person, and the way to their site."""
WITH_REASONS: tuple[type[Model], ...] = (Key, Task)
"""Whose entries in the audit log say why, in somebody's words (`central.actions.keys.found_key`)."""


def forget_who_left(site: Site, now: int) -> int:
    """Forget everybody whose employment ended more than the site's ``forget_days`` ago. Returns how many."""
    limit = now - site.forget_days * DAY_S
    left = Holder.objects.filter(site=site, status=Holder.Status.ENDED, forgotten_at=None).select_related("site")
    due = [holder for holder in left if _ended_at(holder, now) < limit]
    for holder in due:
        forget(holder, {"forgotten_after_days": site.forget_days})
    return len(due)


def forget(holder: Holder, trace: dict[str, Any]) -> None:
    """Take a person's name out of everything. ``trace`` is what the audit log keeps of it.

    Raises CentralError: ``still_employed``, or ``name_in_reason`` when the reason in the trace names them.
    """
    if holder.status != Holder.Status.ENDED:
        raise CentralError("still_employed", holder=holder.number)
    names = Names(holder)
    if names.are_in(str(trace.get("reason", ""))):
        raise CentralError("name_in_reason", holder=holder.number)
    # Not followed by the audit log: it would keep the name as what was there before.
    with disable_auditlog(), change():
        holder.given_name = holder.family_name = holder.language = holder.note = ""
        holder.pin_tag, holder.pin_at = no_pin(), None
        holder.employment_begins = holder.employment_ends = None
        holder.forgotten_at = unix_now()
        holder.save()
        for permission in Permission.objects.filter(holder=holder):
            permission.delete()
        sign_permits(holder, holder.forgotten_at)
        holder.access_periods.all().delete()
        _clean_entries(holder, names)
        _clean_texts(holder, names)
        _clean_reasons(holder, names)
    LogEntry.objects.log_create(holder, force_log=True, action=LogEntry.Action.UPDATE, additional_data=trace)


class Names:
    """Finds a person's names in texts."""

    def __init__(self, holder: Holder) -> None:
        given, family = re.escape(holder.given_name), re.escape(holder.family_name)
        whole = (
            [rf"\b{given}\s+{family}{GENITIVE}", rf"\b{family}\s*,?\s+{given}{GENITIVE}"] if given and family else []
        )
        self._whole = re.compile("|".join(whole) or r"(?!)", re.IGNORECASE)
        parts = [rf"\b{name}{GENITIVE}" for name in (given, family) if name]
        self._any = re.compile("|".join([*whole, *parts]) or r"(?!)", re.IGNORECASE)

    def are_in(self, text: str) -> bool:
        """Whether the text has any of them."""
        return self._any.search(text) is not None

    def left_out(self, value: Any, *, parts: bool) -> Any:
        """A JSON value without them; with ``parts`` also without a given or family name that stands alone."""
        if isinstance(value, str):
            return (self._any if parts else self._whole).sub(LEFT_OUT, value)
        if isinstance(value, list):
            return [self.left_out(each, parts=parts) for each in value]
        if isinstance(value, dict):
            return {name: self.left_out(each, parts=parts) for name, each in value.items()}
        return value


def empty_write_ahead_log() -> None:
    """On SQLite: what was overwritten in the database is not left in the file of its last transactions either."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # A reader that is in the middle of something keeps it from being emptied: then the next time does.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _ended_at(holder: Holder, now: int) -> int:
    """The end of the last day at work, or when it was entered here, whichever was first."""
    known = [at for at in (holder.ended_at, employment_end(holder)) if at is not None]
    if not known:
        # Ended by hand, past the action that notes when: it counts from now.
        Holder.objects.filter(pk=holder.pk).update(ended_at=now)
    return min(known, default=now)


def _clean_entries(holder: Holder, names: Names) -> None:
    """What the audit log and the admin's log say of the holder's own row, and of what stood in lists below it."""
    for entry in _entries(Holder).filter(object_id=holder.pk):
        entry.object_repr = str(holder)
        changes = entry.changes if isinstance(entry.changes, dict) else {}
        entry.changes = {name: told for name, told in changes.items() if name not in NAME_FIELDS}
        entry.serialized_data, entry.changes_text = None, ""
        entry.additional_data = names.left_out(entry.additional_data, parts=True)
        entry.save()
    for each in AdminEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Holder), object_id=str(holder.pk)
    ):
        each.object_repr = str(holder)
        each.change_message = names.left_out(each.change_message, parts=True)
        each.save()


def _clean_texts(holder: Holder, names: Names) -> None:
    """What somebody wrote with the person's whole name in it; and where it is about them, with a part of it."""
    for model, (field, site_path) in FREE_TEXTS.items():
        rows = model._default_manager.filter(**{site_path: holder.site}).exclude(**{field: ""})  # noqa: SLF001
        about = {"about": LookUp.About.HOLDER, "number": holder.number} if model is LookUp else {"pk__in": []}
        mine = set(rows.filter(**about).values_list("pk", flat=True))
        for row in rows:
            cleaned = names.left_out(getattr(row, field), parts=row.pk in mine)
            if cleaned != getattr(row, field):
                setattr(row, field, cleaned)
                row.save(update_fields=[field])
        for entry in _entries(model).filter(object_id__in=rows.values("pk")):
            cleaned = names.left_out(entry.changes, parts=entry.object_id in mine)
            if cleaned != entry.changes:
                entry.changes = cleaned
                entry.save()


def _clean_reasons(holder: Holder, names: Names) -> None:
    """Why something was done to a key of the site; where it is the person's, without a part of the name either."""
    for model in WITH_REASONS:
        rows = model._default_manager.filter(site=holder.site)  # noqa: SLF001  (Django's own name)
        mine = set(rows.filter(holder=holder).values_list("pk", flat=True))
        said = _entries(model).filter(object_id__in=rows.values("pk"), additional_data__reason__isnull=False)
        for entry in said:
            cleaned = names.left_out(entry.additional_data, parts=entry.object_id in mine)
            if cleaned != entry.additional_data:
                entry.additional_data = cleaned
                entry.save()


def _entries(model: type[Model]) -> Any:
    return LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
