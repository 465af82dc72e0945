"""Tells the change that is going on what is saved, deleted or given other relations."""

from typing import Any

from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from central.feed.change import current
from central.models.area import Area, Lock
from central.models.base import Watched
from central.models.permission import Permission


def connect() -> None:
    """Listen to Django's signals. Once for a process."""
    pre_save.connect(_about_to_be_saved, dispatch_uid="feed_about_to_be_saved")
    post_save.connect(_saved, dispatch_uid="feed_saved")
    pre_delete.connect(_about_to_go, dispatch_uid="feed_about_to_go")
    for relation in (Permission.areas.through, Permission.locks.through):
        m2m_changed.connect(_related, sender=relation, dispatch_uid=f"feed_{relation.__name__}")


def _about_to_be_saved(instance: object, **_: Any) -> None:
    # Before it is written: outside a change there is no transaction that would take it back.
    if isinstance(instance, Watched):
        current()


def _saved(instance: object, **_: Any) -> None:
    if isinstance(instance, Watched):
        current().touch(instance)


def _about_to_go(instance: object, **_: Any) -> None:
    # Before, not after: what it belongs to may be deleted with it.
    if isinstance(instance, Watched):
        current().remove(instance)
    # Deleting an area or a lock takes it out of permissions without a word from Django.
    if isinstance(instance, Area | Lock):
        for permission in Permission.objects.filter(**{f"{type(instance).__name__.lower()}s": instance}):
            current().touch(permission)


def _related(instance: object, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:  # noqa: FBT001
    change = current()
    if isinstance(instance, Permission):
        change.touch(instance)
    elif reverse and isinstance(instance, Area | Lock) and action in ("post_add", "pre_remove", "pre_clear"):
        relation = f"{type(instance).__name__.lower()}s"
        chosen = {"pk__in": pk_set} if pk_set else {relation: instance}
        for permission in Permission.objects.filter(**chosen):
            change.touch(permission)
