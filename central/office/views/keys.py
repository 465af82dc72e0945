"""Keys: the list, one of them, and what can be done with it."""

from collections.abc import Iterable

from auditlog.models import LogEntry
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.acts import keys
from central.clock import unix_now
from central.codes import new_provision_code
from central.models import Holder, Key
from central.office.desk import AtDesk, Desk, deed, page
from central.office.numbers import number_in
from central.office.paging import paged
from central.office.pools import pool_keys
from central.office.reach import Reach, reach_of
from central.office.roles import Act
from central.office.views.answers import go, once, show, slip

HISTORY_SHOWN = 50
TOLD = ("status", "holder", "unit", "locked_at", "unlocked_at")
UNMET_SHOWN = 100
CARRIERS_SHOWN = 200


@page(Act.SEE_KEYS)
def listed(request: AtDesk) -> HttpResponse:
    """The keys in scope, by number or status."""
    found = request.desk.keys(Act.SEE_KEYS)
    words, status = request.GET.get("q", ""), request.GET.get("status", "")
    number = number_in(words)
    if number is not None:
        found = found.filter(number=number)
    if status in Key.Status.values:
        found = found.filter(status=status)
    return show(request, "keys", page=paged(request, found), q=words, status=status, statuses=Key.Status.values)


@page(Act.SEE_KEYS)
def one(request: AtDesk, number: int) -> HttpResponse:
    """A key, and where its blocking has reached."""
    key = request.desk.key(number, Act.SEE_KEYS)
    can = request.desk.acts_on(key)
    lendable = keys.lendable(key.unit) if "LEND_EMERGENCY" in can and key.kind == Key.Kind.PERSONAL else []
    # What somebody has already is not on the shelf.
    lendable = [held.key for held in pool_keys(lendable, unix_now()) if not held.is_out]
    reach = reach_of(key) if key.status == Key.Status.BLOCKED else None
    carriers = sorted(_carriers_in_scope(request.desk, reach)) if reach else []
    return show(
        request,
        "key",
        key=key,
        can=can,
        reach=reach,
        carriers=carriers[:CARRIERS_SHOWN],
        lendable=lendable,
        history=[(entry, _told(entry)) for entry in _history(key)],
    )


@page(Act.SEE_KEYS)
def trail(request: AtDesk, number: int) -> HttpResponse:
    """A lost key from the report to the last lock."""
    key = request.desk.key(number, Act.SEE_KEYS)
    reach = reach_of(key) if key.status == Key.Status.BLOCKED else None
    if reach is None:
        return go(request, "key", number=number)
    return show(
        request,
        "trail",
        key=key,
        reach=reach,
        page=paged(request, reach.trail()),
        mine=_carriers_in_scope(request.desk, reach),
        waiting=[station for station, at in reach.stations if at is None],
        unmet=reach.unmet[:UNMET_SHOWN],
        more_unmet=len(reach.unmet) > UNMET_SHOWN,
    )


def _carriers_in_scope(desk: Desk, reach: Reach) -> set[int]:
    """Other units' keys are counted, not named."""
    return {number for number in desk.keys(Act.SEE_KEYS).values_list("number", flat=True) if number in reach.carried}


def _history(key: Key) -> list[LogEntry]:
    entries: Iterable[LogEntry] = (
        LogEntry.objects.get_for_object(key).select_related("actor").order_by("-timestamp", "-pk")[:HISTORY_SHOWN]
    )
    return list(entries)


def _told(entry: LogEntry) -> list[tuple[str, str, str]]:
    """Field, old, new: of the fields that the page has words for. The whole of it is on the operator's pages."""
    return [(field, *values[:2]) for field, values in entry.changes_dict.items() if field in TOLD]


@deed(Act.BLOCK_KEY)
def block(request: AtDesk, number: int) -> HttpResponse:
    """Lost or stolen: one click."""
    key = request.desk.key(number, Act.BLOCK_KEY)
    keys.block(key, request.desk.name)
    if key.holder is not None and key.holder.status == Holder.Status.ACTIVE:
        keys.open_new_key_task(key.holder, request.desk.name)
    messages.success(request, _("Key %(key)s is blocked.") % {"key": key})
    return go(request, "key", number=number)


@deed(Act.UNLOCK_KEY)
def unlock(request: AtDesk, number: int) -> HttpResponse:
    """After ten wrong PINs."""
    key = request.desk.key(number, Act.UNLOCK_KEY)
    keys.unlock(key)
    messages.success(request, _("Key %(key)s is unlocked.") % {"key": key})
    return go(request, "key", number=number)


@deed(Act.TAKE_BACK_KEY)
def take_back(request: AtDesk, number: int) -> HttpResponse:
    """Handed in: a return receipt for a personal key."""
    key = request.desk.key(number, Act.TAKE_BACK_KEY)
    receipt = keys.take_back(key, request.desk.name)
    return slip(request, receipt) if receipt else go(request, "key", number=number)


@deed(Act.HAND_OUT_KEY)
def code(request: AtDesk, number: int) -> HttpResponse:
    """The one-time code that makes a blank key this one, at any station."""
    key = request.desk.key(number, Act.HAND_OUT_KEY)
    if key.status in (Key.Status.BLOCKED, Key.Status.RETURNED):
        messages.error(request, _("This key is not to be handed out."))
        return go(request, "key", number=number)
    return once(request, _("Code for key %(key)s, good for 15 minutes") % {"key": key}, new_provision_code(key))


@deed(Act.LEND_EMERGENCY)
def broken(request: AtDesk, number: int) -> HttpResponse:
    """The own key is broken: an emergency key now, a new key tomorrow."""
    key = request.desk.key(number, Act.LEND_EMERGENCY)
    chosen = request.POST.get("emergency", "")
    emergency = next((e for e in keys.lendable(key.unit) if str(e.number) == chosen), None)
    if key.holder is None or key.status not in (Key.Status.ACTIVE, Key.Status.BLOCKED) or emergency is None:
        messages.error(request, _("Choose an emergency key."))
        return go(request, "key", number=number)
    receipt, _task = keys.replace_broken(key, emergency, request.desk.name)
    return slip(request, receipt)
