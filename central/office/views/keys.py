"""Keys: the list, one of them, and what can be done with it."""

from collections.abc import Iterable
from typing import Any

from auditlog.models import LogEntry
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.hand_out import new_provision_code
from central.actions.keys import (
    block_key,
    break_key,
    found_key,
    hand_out_again,
    has_another,
    mend_key,
    note_battery,
    replace_broken_key,
    take_back_key,
    unlock_key,
)
from central.actions.people import shown_name
from central.actions.pool_keys import NotThere, lendable_keys, pool_keys
from central.actions.undo import state_of
from central.clock import unix_now
from central.doors.table import Right
from central.letters import means
from central.models import Key, LogGaps
from central.models.people import full_name
from central.office.access import SiteAccess
from central.office.block_spread import BlockSpread, spread_of_block
from central.office.lists import Column, choice, page_of
from central.office.pages import NotDone, SiteRequest, still_as_seen
from central.office.templatetags.office import day as in_words
from central.office.templatetags.office import told
from central.office.undo import say_key_undoable
from central.office.views.answers import day_in, go, once, paged, show, slip
from central.office.views.people_offered import Offered, borrowers, offered, person_in, without_key

HISTORY_SHOWN = 50
UNMET_SHOWN = 100
CARRIERS_SHOWN = 200
REASON_LIMIT = 300
"""Characters."""


def _name_of(row: Any) -> str:
    return full_name(row.holder__given_name or "", row.holder__family_name or "")


COLUMNS = (
    Column("number", gettext_lazy("Key"), lambda row: row.number),
    Column("kind", gettext_lazy("Kind"), lambda row: row.kind),
    Column("unit", gettext_lazy("Unit"), lambda row: row.unit__name),
    Column("person", gettext_lazy("Person"), _name_of),
    Column("status", gettext_lazy("Status"), lambda row: row.status),
)
FIELDS = ("pk", "number", "kind", "unit__name", "holder__given_name", "holder__family_name", "status")


def listed(request: SiteRequest) -> HttpResponse:
    """The keys in scope, by number or the person's name, unit, status."""
    units = request.access.units(Right.SEE_KEYS)
    chosen = choice(request, "keys", COLUMNS, units=units, statuses=Key.Status.values, usual_sort="number")
    found = request.access.keys(Right.SEE_KEYS)
    if chosen.unit is not None:
        found = found.filter(unit__number=chosen.unit)
    if chosen.status:
        found = found.filter(status=chosen.status)
    rows: list[Any] = list(found.order_by("number").values_list(*FIELDS, named=True))
    if chosen.q:
        rows = [row for row in rows if means(chosen.q, row.number, _name_of(row))]
    return show(request, "keys", page=page_of(request, chosen, rows, found), chosen=chosen)


def one(request: SiteRequest, number: int) -> HttpResponse:
    """A key, and where its blocking has reached."""
    key = request.access.key(number, Right.SEE_KEYS)
    can = request.access.rights_over(key)
    (pool_key,) = pool_keys([key], unix_now())
    seen = request.access.holders(Right.SEE_PEOPLE)
    is_personal = key.kind == Key.Kind.PERSONAL
    people: list[Offered] = []
    if "LEND_KEY" in can and key.status == Key.Status.ACTIVE and not is_personal and not pool_key.is_out:
        people = offered(borrowers(seen, [key]))
    elif "HAND_OUT_KEY" in can and key.status == Key.Status.RETURNED and is_personal:
        people = offered(without_key(request.access.holders(Right.HAND_OUT_KEY)))
    spread = spread_of_block(key) if key.status == Key.Status.BLOCKED else None
    carriers = sorted(_carriers_in_scope(request.access, spread)) if spread else []
    return show(
        request,
        "key",
        key=key,
        can=can,
        spread=spread,
        carriers=carriers[:CARRIERS_SHOWN],
        lendable=lendable_keys(key.unit) if "LEND_KEY" in can and is_personal else [],
        pool_key=pool_key,
        borrower_seen=pool_key.holder is not None and seen.filter(pk=pool_key.holder.pk).exists(),
        people=people,
        has_another=has_another(key),
        today=request.access.site.today(),
        receipts=request.access.receipts(Right.SEE_PEOPLE).filter(key=key).order_by("-made_at", "-pk")[:HISTORY_SHOWN],
        missing=_missing(key),
        history=[(entry, told(entry)) for entry in _history(key)],
    )


def trail(request: SiteRequest, number: int) -> HttpResponse:
    """A lost key from the report to the last lock."""
    key = request.access.key(number, Right.SEE_KEYS)
    spread = spread_of_block(key) if key.status == Key.Status.BLOCKED else None
    if spread is None:
        return go(request, "key", number=number)
    return show(
        request,
        "trail",
        key=key,
        spread=spread,
        page=paged(request, spread.trail()),
        mine=_carriers_in_scope(request.access, spread),
        waiting=[station for station, at in spread.stations if at is None],
        unmet=spread.unmet[:UNMET_SHOWN],
        more_unmet=len(spread.unmet) > UNMET_SHOWN,
    )


def _carriers_in_scope(access: SiteAccess, spread: BlockSpread) -> set[int]:
    """Other units' keys are counted, not named."""
    return {
        number for number in access.keys(Right.SEE_KEYS).values_list("number", flat=True) if number in spread.carried
    }


def _missing(key: Key) -> list[list[int]]:
    """First, last, since when it is known: entries of its log that were never told."""
    gaps = LogGaps.objects.filter(key=key).first()
    return gaps.missing if gaps is not None else []


def _history(key: Key) -> list[LogEntry]:
    entries: Iterable[LogEntry] = (
        LogEntry.objects.get_for_object(key).select_related("actor").order_by("-timestamp", "-pk")[:HISTORY_SHOWN]
    )
    return list(entries)


def block(request: SiteRequest, number: int) -> HttpResponse:
    """Block a key that is lost or stolen: one click, and for ten minutes one to take it back."""
    key = request.access.key(number, Right.BLOCK_KEY)
    before = state_of(key)
    block_key(key, request.access.name)
    said = _("Key %(key)s is blocked.") % {"key": key}
    if before["status"] == Key.Status.BLOCKED:
        messages.success(request, said)
    else:
        say_key_undoable(request, said, key, before)
    return go(request, "key", number=number)


def found(request: SiteRequest, number: int) -> HttpResponse:
    """A lost key has been found: unblock it, with a reason."""
    key = request.access.key(number, Right.UNBLOCK_KEY)
    reason = shown_name(request.POST.get("reason", ""))
    if key.status != Key.Status.BLOCKED:
        raise NotDone(_("Key %(key)s is not blocked.") % {"key": key}, "key", number=number)
    if has_another(key):
        raise NotDone(_("Not unblocked: %(person)s has another key, or has left.") % {"person": key.holder}, "key",
                      number=number)  # fmt: skip
    if not reason or len(reason) > REASON_LIMIT:
        raise NotDone(_("Not unblocked: say why."), "key", number=number)
    before = state_of(key)
    found_key(key, reason, request.access.name)
    say_key_undoable(request, _("Key %(key)s is unblocked: stations switch it on again.") % {"key": key}, key, before)
    return go(request, "key", number=number)


def unlock(request: SiteRequest, number: int) -> HttpResponse:
    """Unlock a key that ten wrong PINs locked."""
    key = request.access.key(number, Right.UNLOCK_KEY)
    unlock_key(key)
    messages.success(request, _("Key %(key)s is unlocked.") % {"key": key})
    return go(request, "key", number=number)


def take_back(request: SiteRequest, number: int) -> HttpResponse:
    """Take back a key that is handed in: a return receipt for a personal one."""
    key = request.access.key(number, Right.TAKE_BACK_KEY)
    if key.status == Key.Status.RETURNED:
        raise NotDone(_("Key %(key)s has been handed in already.") % {"key": key}, "key", number=number)
    before = state_of(key)
    receipt = take_back_key(key, request.access.name)
    say_key_undoable(request, _("Key %(key)s is out of use.") % {"key": key}, key, before, receipt)
    return slip(request, receipt) if receipt else go(request, "key", number=number)


def hand_out(request: SiteRequest, number: int) -> HttpResponse:
    """Hand out a key that was handed in: under the same number to somebody else, or into its pool again."""
    with still_as_seen(request):
        key = request.access.key(number, Right.HAND_OUT_KEY)
        holder = None
        if key.kind == Key.Kind.PERSONAL:
            people = without_key(request.access.holders(Right.HAND_OUT_KEY))
            holder = person_in(request.POST.get("person", ""), people)
            if holder is None:
                raise NotDone(_("Not handed out: choose somebody who has no key."), "key", number=number)
        try:
            receipt = hand_out_again(key, holder, request.access.name)
        except NotThere:
            raise NotDone(_("This key is not to be handed out."), "key", number=number) from None
    messages.success(request, _("Key %(key)s is in use again: any station writes it when it is put in.") % {"key": key})
    return slip(request, receipt) if receipt else go(request, "key", number=number)


def code(request: SiteRequest, number: int) -> HttpResponse:
    """The one-time code that makes a blank key this one, at any station."""
    key = request.access.key(number, Right.HAND_OUT_KEY)
    if key.status in (Key.Status.BLOCKED, Key.Status.RETURNED):
        raise NotDone(_("This key is not to be handed out."), "key", number=number)
    return once(request, _("Code for key %(key)s, good for 15 minutes") % {"key": key}, new_provision_code(key))


def broken(request: SiteRequest, number: int) -> HttpResponse:
    """A key does not work: out of use. Its holder gets an emergency key now, if there is one; a new key tomorrow."""
    key = request.access.key(number, Right.LEND_KEY)
    chosen = request.POST.get("emergency", "")
    if key.status not in (Key.Status.ACTIVE, Key.Status.BLOCKED):
        raise NotDone(_("Key %(key)s is not in use.") % {"key": key}, "key", number=number)
    if not chosen and key.status == Key.Status.ACTIVE:
        break_key(key, request.access.name)
        messages.success(request, _("Key %(key)s is broken, and out of use.") % {"key": key})
        return go(request, "key", number=number)
    emergency = next((e for e in lendable_keys(key.unit) if str(e.number) == chosen), None)
    if key.holder is None or emergency is None:
        raise NotDone(_("Choose an emergency key."), "key", number=number)
    try:
        receipt = replace_broken_key(key, emergency, request.access.name)
    except NotThere:
        raise NotDone(_("Choose an emergency key."), "key", number=number) from None
    return slip(request, receipt)


def mended(request: SiteRequest, number: int) -> HttpResponse:
    """A broken key works again: it may be handed out."""
    key = request.access.key(number, Right.HAND_OUT_KEY)
    mend_key(key)
    messages.success(request, _("Key %(key)s is mended: it can be handed out.") % {"key": key})
    return go(request, "key", number=number)


def battery(request: SiteRequest, number: int) -> HttpResponse:
    """Note that a key's battery was replaced, today or on the day that is said."""
    key = request.access.key(number, Right.NOTE_BATTERY)
    day = day_in(request.POST.get("day", ""))
    if day is None or day > request.access.site.today():
        raise NotDone(_("Not noted: say a day until today."), "key", number=number)
    note_battery(key, day)
    messages.success(request, _("Key %(key)s: battery replaced on %(day)s.") % {"key": key, "day": in_words(day)})
    return go(request, "key", number=number)
