"""The opening log: what a lock, key or person has to do with. Read for a stated reason, and the reading is logged."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from central.actions.look_ups import CASE_OPEN_S, note_look_up
from central.clock import DAY_S, END_OF_DATES, unix_now
from central.models import Holder, Key, LogGaps, LookUp, Opening, Site
from central.models.events import Doubt
from central.office.log_form import CAUSES, LookUpForm
from central.office.pages import SiteRequest
from central.office.refusal_words import refusal_words
from central.office.templatetags.office import zone_of
from central.office.views.answers import ROWS, number_in, paged, show

LOOK_UPS_SHOWN = 30
PRINT_ROWS, CSV_ROWS = 5_000, 50_000
"""On one page to print, and in one file: no browser and no table shows more of use."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is computed by the program that opens the file, whoever wrote it."""


def look_up(request: SiteRequest) -> HttpResponse:
    """What a lock, key or person has to do with. The look-up is kept before anything is shown."""
    access = request.access
    form = LookUpForm(access, request.GET.get("case"), request.POST or None)
    thing = form.picked() if form.is_valid() else None
    if thing is not None:
        since, until = form.window()
        asked = note_look_up(
            access.site, unix_now(), **form.why(), user=access.user, about=thing.about, number=thing.number,
            since=since, until=until,
        )  # fmt: skip
        answer: HttpResponse = redirect(f"{request.path}?look_up={asked.pk}&case={asked.case}")
        return answer
    found = _own_look_up(request)
    if found is None:
        return show(request, "log", form=form, earlier=_earlier(request))
    page = paged(request, _openings(found), per_page=PRINT_ROWS if "print" in request.GET else ROWS)
    rows = _told(found, page.object_list)
    gaps = LogGaps.objects.filter(key__site=access.site, key__number__in={row["key"] for row in rows if row["key"]})
    return show(
        request,
        "log",
        form=form,
        look_up=found,
        about=_name_of(found),
        cause=CAUSES[LookUp.Cause(found.cause)],
        first_day=access.site.local_time(found.since),
        last_day=access.site.local_time(found.until - 1),
        rows=rows,
        page=page,
        printed="print" in request.GET,
        gaps=gaps.exclude(missing=[]).select_related("key"),
        earlier=_earlier(request),
    )


def as_csv(request: SiteRequest) -> HttpResponse:
    """The answer of a look-up as a file, with who asked and why: UTF-8 with its mark, semicolons, no formulas."""
    asked = _own_look_up(request)
    if asked is None:
        raise Http404
    site = request.access.site
    head = [
        [_("Opening log"), site.name],
        [_("Looked up"), _name_of(asked)],
        [_("From"), *_machine_time(asked.since, site)],
        [_("To"), *_machine_time(asked.until, site)],
        [_("Because of"), str(CAUSES[LookUp.Cause(asked.cause)])],
        [_("Reason"), asked.reason],
        [_("Read by"), request.access.name],
        [_("Read at"), *_machine_time(asked.at, site)],
        [],
        [_("Time"), _("Time zone"), _("Lock"), _("Person"), _("Number"), _("Key"), _("What"), _("Note")],
    ]
    rows = _told(asked, _openings(asked)[:CSV_ROWS])
    columns = ("lock", "name", "holder", "key", "what", "doubt")
    lines = [[*_machine_time(row["at"], site), *(row[name] for name in columns)] for row in rows]
    if len(lines) == CSV_ROWS:
        lines.append([_("There are more.")])
    response = HttpResponse(_file(head + lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="log-{asked.about}-{asked.number}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _own_look_up(request: SiteRequest) -> LookUp | None:
    """The one whose answer is being read: one's own, of just now."""
    number = number_in(request.GET.get("look_up", ""))
    if number is None:
        return None
    since = unix_now() - CASE_OPEN_S
    found = LookUp.objects.filter(pk=number, site=request.access.site, user=request.access.user, at__gte=since)
    return found.first()


def _openings(asked: LookUp) -> Any:
    found = Opening.objects.kept(asked.site, unix_now()).filter(at__gte=asked.since, at__lt=asked.until)
    return found.filter(**{asked.about: asked.number}).order_by("-at", "-pk")


def _told(asked: LookUp, openings: Iterable[Opening]) -> list[dict[str, Any]]:
    """The rows in words, with the names of the people in them."""
    openings, now = list(openings), unix_now()
    people = Holder.objects.filter(site=asked.site_id, number__in={row.holder for row in openings if row.holder})
    names = {holder.number: str(holder) for holder in people}
    return [
        {
            "at": row.at,
            "lock": row.lock or "",
            "name": names.get(row.holder or 0, ""),
            "holder": row.holder or "",
            "key": row.key or "",
            "what": _what(row),
            "doubt": _doubt(row, now),
        }
        for row in openings
    ]


def _machine_time(at: int, site: Site) -> tuple[str, str]:
    """As programs read it: a time by the site's clocks, and how far those are from UTC."""
    if at >= END_OF_DATES - DAY_S:
        return str(at), ""
    local = site.local_time(at)
    return f"{local:%Y-%m-%d %H:%M:%S}", zone_of(local)


def _what(row: Opening) -> str:
    if row.type == "lock_opened":
        return _("opened")
    if row.type == "log_gap":
        return _("log is incomplete")
    return f"{_('refused')}: {refusal_words(row.data.get('outcome'))}"


def _doubt(row: Opening, now: int) -> str:
    match row.doubt_shown(now), row.doubt:
        case "unjudged", _any:
            return _("unjudged: the key had no time, the entry was read then")
        case "doubtful", Doubt.TOLD_TWICE:
            return _("doubtful: the key's log says two things of it")
        case "doubtful", _any:
            return _("doubtful: nothing tells that the key was active for that person then")
    return ""


def _name_of(asked: LookUp) -> str:
    """What it is about. What is registered no more is a number."""
    number = asked.number or 0
    if asked.about == LookUp.About.HOLDER:
        holder = Holder.objects.filter(site=asked.site_id, number=number).first()
        return f"{_('Person')} {number}" + (f", {holder}" if holder else "")
    if asked.about == LookUp.About.KEY:
        key = Key.objects.filter(site=asked.site_id, number=number).select_related("holder").first()
        return f"{_('Key')} {number}" + (f", {key.holder}" if key and key.holder else "")
    return f"{_('Lock')} {number}"


def _earlier(request: SiteRequest) -> list[tuple[LookUp, Any]]:
    latest = LookUp.objects.filter(site=request.access.site).select_related("user")[:LOOK_UPS_SHOWN]
    return [(each, CAUSES[LookUp.Cause(each.cause)]) for each in latest]


def _file(lines: Iterable[list[Any]]) -> bytes:
    """As the table programs of the Nordic countries take it."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([_cell(each) for each in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text
