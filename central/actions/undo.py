"""Acts that can be taken back for a while: what was before is kept with them, and what has changed since stops it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from central.actions.access import give_back
from central.actions.keys import block_key, reopen_key, set_key_status
from central.actions.moves import undo_move
from central.actions.people import resume_employment
from central.actions.pool_keys import NotThere
from central.actions.tasks import finish_tasks
from central.clock import unix_now
from central.feed import change
from central.models import Handover, Holder, Key, Receipt, Site, Task, Undoable

UNDO_S = 600


def note_undoable(what: str, thing: Key | Holder, before: dict[str, Any], user: Any, seen: str) -> Undoable:
    """Keep what is needed to take an act back. ``what``: of `ACTS`; ``seen``: how far the audit log has come."""
    assert what in ACTS
    return Undoable.objects.create(
        site=thing.site, user=user, what=what, number=thing.pk, before=before, seen=seen, at=unix_now()
    )


def undoable(site: Site, pk: int, user: Any) -> Undoable | None:
    """Somebody's own act, while it can be taken back."""
    return Undoable.objects.filter(site=site, pk=pk, user=user, at__gte=unix_now() - UNDO_S).first()


def undo(act: Undoable, by: str) -> Key | Holder:
    """Take it back. Returns what it was done to. Once: the act is no longer there."""
    thing = ACTS[act.what](act, by)
    act.delete()
    return thing


def forget_undoable(now: int) -> None:
    """Delete what can be taken back no more."""
    Undoable.objects.filter(at__lt=now - UNDO_S).delete()


def state_of(key: Key) -> dict[str, Any]:
    """What `_undo_key` needs to know of a key from before an act."""
    last = Handover.objects.filter(key=key).first()
    return {
        "status": key.status,
        "broken": key.broken,
        "handover": _hands(last),
        "tasks": list(_tasks_about(key).filter(done_at=None).values_list("pk", flat=True)),
    }


def note_done(before: dict[str, Any], key: Key, receipt: Receipt | None) -> dict[str, Any]:
    """`state_of` from before an act, with what the act has left: its receipt, and who has the key."""
    left = _hands(Handover.objects.filter(key=key).first())
    return before | {"receipt": receipt.pk if receipt is not None else None, "left": left}


def _undo_key(act: Undoable, by: str) -> Key:
    """Its status, who has it, and the tasks are as they were; the receipt of the act is gone.

    One that was blocked is blocked anew, and that spreads anew. Raises NotThere where a station has told since who has
    it.
    """
    before = act.before
    with change():
        key = Key.objects.select_related("site", "unit", "holder").get(pk=act.number)
        status = Key.Status(before["status"])
        if key.broken != before["broken"]:
            key.broken = before["broken"]
            key.save(update_fields=["broken"])
        if status == Key.Status.BLOCKED != key.status:
            block_key(key, by)
        elif status != key.status:
            restore = reopen_key if key.status == Key.Status.BLOCKED else set_key_status
            restore(key, status, by)
        _undo_handover(key, before)
        for task in _tasks_about(key):
            if task.pk in before["tasks"] and task.done_at is not None:
                task.done_at, task.done_by = None, ""
                task.save()
        finish_tasks(_tasks_about(key).exclude(pk__in=before["tasks"]), by)
        for receipt in Receipt.objects.filter(pk=before["receipt"]):
            receipt.delete()
        return key


def _undo_handover(key: Key, before: dict[str, Any]) -> None:
    last = Handover.objects.filter(key=key).first()
    if before["left"] == before["handover"] or last is None:
        return
    if _hands(last) != before["left"]:
        raise NotThere("not_there", key=key.number)
    if before["handover"] is None:
        last.delete()
    else:
        last.is_out, last.holder, last.at = before["handover"]
        last.save()


def _hands(last: Handover | None) -> list[Any] | None:
    return None if last is None else [last.is_out, last.holder, last.at]


def _tasks_about(key: Key) -> QuerySet[Task]:
    """To collect it, and to give its holder another one."""
    collect = Q(key=key, kind=Task.Kind.COLLECT_KEY)
    return Task.objects.filter(collect | Q(holder=key.holder_id or 0, kind=Task.Kind.NEW_KEY))


def _undo_end(act: Undoable, by: str) -> Holder:
    holder = Holder.objects.select_related("site", "unit").get(pk=act.number)
    last = act.before["employment_ends"]
    resume_employment(holder, date.fromisoformat(last) if last else None, by)
    return holder


def _undo_take_back(act: Undoable, _by: str) -> Holder:
    holder = Holder.objects.select_related("site", "unit").get(pk=act.number)
    give_back(holder, act.before["permissions"])
    return holder


def _undo_move(act: Undoable, by: str) -> Holder:
    holder = Holder.objects.select_related("site", "unit").get(pk=act.number)
    undo_move(holder, act.before, by)
    return holder


ACTS: dict[str, Callable[[Undoable, str], Key | Holder]] = {
    "key": _undo_key,
    "end": _undo_end,
    "access": _undo_take_back,
    "move": _undo_move,
}
