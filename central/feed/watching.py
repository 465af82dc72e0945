"""Tells the change that is going on what is saved, deleted or given other relations."""

from typing import Any

from django.db.models.signals import m2m_changed, post_save, pre_delete

from central.feed.change import current
from central.models.area import Area, Lock
from central.models.base import Watched
from central.models.permission import Permission


def connect() -> None:
    """Listen to Django's signals. Once for a process."""
    post_save.connect(_saved, dispatch_uid="feed_saved")
    pre_delete.connect(_about_to_go, dispatch_uid="feed_about_to_go")
    for relation in (Permission.areas.through, Permission.locks.through):
        m2m_changed.connect(_related, sender=relation, dispatch_uid=f"feed_{relation.__name__}")


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
    if not action.startswith("post_") and action != "pre_clear":
        return
    if isinstance(instance, Permission):
        current().touch(instance)
    elif reverse and isinstance(instance, Area | Lock):
        relation = f"{type(instance).__name__.lower()}s"
        chosen = {"pk__in": pk_set} if pk_set else {relation: instance}
        for permission in Permission.objects.filter(**chosen):
            current().touch(permission)
