"""Acts that can be taken back for a while: what was before is kept with them, and what has changed since stops it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from central.actions.access import give_back
from central.actions.keys import reopen_key
from central.actions.people import resume_employment
from central.clock import unix_now
from central.models import Holder, Key, Site, Undoable

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


def _undo_block(act: Undoable, by: str) -> Key:
    key = Key.objects.select_related("site", "unit", "holder").get(pk=act.number)
    reopen_key(key, Key.Status(act.before["status"]), by)
    return key


def _undo_end(act: Undoable, by: str) -> Holder:
    holder = Holder.objects.select_related("site", "unit").get(pk=act.number)
    last = act.before["employment_ends"]
    resume_employment(holder, date.fromisoformat(last) if last else None, by)
    return holder


def _undo_take_back(act: Undoable, _by: str) -> Holder:
    holder = Holder.objects.select_related("site", "unit").get(pk=act.number)
    give_back(holder, act.before["permissions"])
    return holder


ACTS: dict[str, Callable[[Undoable, str], Key | Holder]] = {
    "block": _undo_block,
    "end": _undo_end,
    "access": _undo_take_back,
}
