"""Locks: who may open one, and the opening log. The log is read for a stated reason, and the reading is logged."""

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from central.actions.access import how_they_open, permissions_that_open
from central.actions.look_ups import note_look_up
from central.clock import unix_now
from central.doors.table import Right
from central.models import Holder, Lock, LogGaps, LookUp, Opening
from central.office.forms import CAUSES, LookUpForm
from central.office.pages import SiteRequest
from central.office.views.answers import number_in, paged, show

LOOK_UPS_SHOWN = 30
TURNED_WITHIN_S = 3600
"""For so long the pages of a look-up's answer are part of it; afterwards it is a new one, for a reason of its own."""


def who_may_open(request: SiteRequest) -> HttpResponse:
    """Who may open a lock: the people in scope by name, the others as a number."""
    access = request.access
    words = request.GET.get("lock", "")
    number = number_in(words)
    lock = Lock.objects.filter(site=access.site, number=number).first() if number is not None else None
    if words and lock is None:
        messages.error(request, _("There is no such lock."))
    if lock is None:
        locks = Lock.objects.filter(site=access.site).select_related("area", "unit")
        return show(request, "lock", number=words, page=paged(request, locks))
    allowed = Holder.objects.filter(pk__in=permissions_that_open(lock).values("holder"))
    seen = access.holders(Right.WHO_MAY_OPEN).filter(pk__in=allowed).order_by("given_name", "family_name", "number")
    others = allowed.count() - seen.count()
    page = paged(request, seen)
    ways = how_they_open(lock, page)
    rows = [(holder, ways.get(holder.pk, [])) for holder in page]
    return show(
        request, "lock", number=words, lock=lock, page=page, rows=rows, others=others, today=access.site.today()
    )


def log(request: SiteRequest) -> HttpResponse:
    """Who opened a lock, or what somebody opened. The look-up is kept before anything is shown."""
    access = request.access
    form = LookUpForm(access, request.POST or None)
    if form.is_valid():
        since, until = form.window()
        told = form.cleaned_data
        asked = note_look_up(
            access.site, unix_now(), LookUp.Cause(told["cause"]), user=access.user, about=told["about"],
            number=told["number"], since=since, until=until, reason=told["reason"],
        )  # fmt: skip
        answer: HttpResponse = redirect(f"{request.path}?look_up={asked.pk}")
        return answer
    look_up = _own_look_up(request)
    page, names = (None, {}) if look_up is None else _openings(request, look_up)
    now = unix_now()
    rows = [(row, names.get(row.holder or 0, ""), row.doubt_shown(now)) for row in page] if page is not None else []
    gaps = LogGaps.objects.filter(key__site=access.site, key__number__in={row.key for row, *_rest in rows if row.key})
    latest = LookUp.objects.filter(site=access.site).select_related("user")[:LOOK_UPS_SHOWN]
    return show(
        request,
        "log",
        form=form,
        rows=rows,
        page=page,
        look_up=look_up,
        earlier=[(each, CAUSES[LookUp.Cause(each.cause)]) for each in latest],
        gaps=gaps.exclude(missing=[]).select_related("key"),
    )


def _own_look_up(request: SiteRequest) -> LookUp | None:
    """The one whose answer is being read: one's own, of just now."""
    number = number_in(request.GET.get("look_up", ""))
    if number is None:
        return None
    since = unix_now() - TURNED_WITHIN_S
    found = LookUp.objects.filter(pk=number, site=request.access.site, user=request.access.user, at__gte=since)
    return found.first()


def _openings(request: SiteRequest, asked: LookUp) -> "tuple[Page[Opening], dict[int, str]]":
    """A page of the rows that were asked for, and the names of the people in them."""
    about = {asked.about: asked.number}
    found = Opening.objects.filter(site=asked.site_id, at__gte=asked.since, at__lt=asked.until, **about)
    page = paged(request, found.order_by("-at", "-pk"))
    numbers = {row.holder for row in page if row.holder}
    people = Holder.objects.filter(site=asked.site_id, number__in=numbers)
    return page, {holder.number: str(holder) for holder in people}
