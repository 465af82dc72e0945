"""Offers to take back what was just done: a message with a button, for ten minutes."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.actions.pool_keys import NotThere
from central.actions.undo import note_done, note_undoable, undo, undoable
from central.models import Holder, Key, Receipt
from central.models.base import Watched
from central.office import seen
from central.office.pages import NotDone, SiteRequest
from central.office.views.answers import go

TAG = "undo-"


def say_undoable(
    request: SiteRequest, text: str, what: str, thing: Key | Holder, before: dict[str, Any], *also: Watched
) -> None:
    """Say that something was done, with a button that takes it back. Call it after the act.

    ``also``: what it was done to besides: whoever changes that in between is not overruled.
    """
    act = note_undoable(what, thing, before, request.user, seen.mark([thing, *also]))
    messages.success(request, text, extra_tags=f"{TAG}{act.pk}")


def say_key_undoable(
    request: SiteRequest, text: str, key: Key, before: dict[str, Any], receipt: Receipt | None = None
) -> None:
    """As `say_undoable`, of an act on a key. ``before``: `central.actions.undo.state_of` from before it."""
    say_undoable(request, text, "key", key, note_done(before, key, receipt))


def undo_it(request: SiteRequest, pk: int) -> HttpResponse:
    """Take back one's own act of just now. Refused where somebody has changed something about it since."""
    act = undoable(request.access.site, pk, request.user)
    if act is None:
        raise NotDone(_("This can be undone no more."), "home")
    seen.check(act.seen)
    try:
        thing = undo(act, request.access.name)
    except NotThere:
        raise NotDone(_("Not undone: a station has told since who has the key."), "home") from None
    messages.success(request, _("Undone: it is as it was before."))
    return go(request, "key" if isinstance(thing, Key) else "person", number=thing.number)
