"""Forgets accounts of the office: who did what stays told apart, under ``former-<number>``.

An account's name stands in its own row, as text on receipts, tasks and blocks, in the audit log and the admin's log of
all these, and in sessions.
"""

from datetime import UTC, datetime
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from central.errors import CentralError
from central.models import Block, LoggedInFrom, LookUp, Membership, OutOfOrder, PasswordToChange, Receipt, Task

SIGNED: dict[type[models.Model], tuple[str, ...]] = {
    Receipt: ("made_by", "signed_by"), Task: ("opened_by", "done_by"), Block: ("by",), OutOfOrder: ("by",),
    LookUp: ("by",),
}  # fmt: skip
"""Where it is written, as text, who did something."""
FORMER = "former-"


def forget_unused_accounts(before: int) -> int:
    """Forget accounts that are shut out or have no role, and are unused since ``before``. Returns how many."""
    users = get_user_model()._default_manager  # noqa: SLF001  (Django's own name)
    since = datetime.fromtimestamp(before, UTC)
    unused = users.annotate(seen=Coalesce(F("last_login"), F("date_joined"))).filter(seen__lt=since)
    nobody = Q(is_active=False) | Q(memberships=None, is_superuser=False, is_staff=False)
    due = list(unused.filter(nobody).exclude(username__startswith=FORMER).distinct())
    for user in due:
        forget_account(user, {"forgotten": "unused"})
    return len(due)


def forget_account(user: Any, trace: dict[str, Any]) -> None:
    """Shut somebody out who has left, and put ``former-<number>`` in the place of their name.

    Raises CentralError: ``name_in_reason`` when the reason in the trace names them.
    """
    names = {user.get_username(), user.get_full_name()} - {""}
    words = names | {user.first_name, user.last_name, user.email} - {""}
    if any(word.casefold() in str(trace.get("reason", "")).casefold() for word in words):
        raise CentralError("name_in_reason")
    new = f"{FORMER}{user.pk}"
    # Another account of the same full name: what it has signed cannot be told from this one's, and stays.
    others = get_user_model()._default_manager.exclude(pk=user.pk)  # noqa: SLF001
    names -= {other.get_full_name() for other in others.filter(first_name=user.first_name, last_name=user.last_name)}
    # Not followed by the audit log: it would keep the names as what was there before.
    with transaction.atomic(), disable_auditlog():
        _end_sessions(user)
        for membership in Membership.objects.filter(user=user):
            membership.delete()
        PasswordToChange.objects.filter(user=user).delete()
        old_username = user.get_username()
        user.username, user.first_name, user.last_name, user.email = new, "", "", ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
        for model, fields in SIGNED.items():
            for field in fields:
                model._default_manager.filter(**{f"{field}__in": names}).update(**{field: new})  # noqa: SLF001
        LoggedInFrom.objects.filter(user=user).delete()
        _clean_entries(user, {*names, old_username}, words, new)
    LogEntry.objects.log_create(user, force_log=True, action=LogEntry.Action.UPDATE, additional_data=trace)


def _end_sessions(user: Any) -> None:
    for session in Session.objects.all():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def _clean_entries(user: Any, names: set[str], words: set[str], new: str) -> None:
    """In the audit log and the admin's log, of this account, of its roles, and of what it has signed."""
    followed = ContentType.objects.get_for_models(Membership, *SIGNED, get_user_model()).values()
    for entry in LogEntry.objects.filter(content_type__in=followed):
        before = entry.object_repr, entry.changes
        entry.object_repr = _renamed(entry.object_repr, names, new)
        own = entry.content_type.model_class() is get_user_model() and entry.object_id == user.pk
        entry.changes = _changed(entry.changes, words if own else names, new)
        if before != (entry.object_repr, entry.changes):
            entry.save()
    LogEntry.objects.filter(actor=user).exclude(actor_email=None).update(actor_email=None)
    accounts = ContentType.objects.get_for_models(get_user_model(), Membership).values()
    for each in AdminEntry.objects.filter(content_type__in=accounts):
        cleaned = _renamed(each.object_repr, names, new)
        if cleaned != each.object_repr:
            each.object_repr = cleaned
            each.save()


def _renamed(text: str, names: set[str], new: str) -> str:
    """What an entry calls its object: a name alone, or before a role."""
    for name in names:
        if text == name or text.startswith(f"{name} "):
            return new + text.removeprefix(name)
    return text


def _changed(changes: Any, words: set[str], new: str) -> Any:
    if isinstance(changes, dict):
        return {name: _changed(told, words, new) for name, told in changes.items()}
    if isinstance(changes, list):
        return [_changed(each, words, new) for each in changes]
    return new if changes in words else changes
