"""The first page of a site: what is to be done, and what is not as it should be."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from central.actions.pool_keys import EMERGENCY_KEYS_WANTED, emergency_left, pool_keys
from central.actions.tasks import finish_tasks, note_receipts_signed
from central.clock import unix_now
from central.doors.table import Right
from central.models import Key, Receipt, Site, Station, Task
from central.office.access import SiteAccess
from central.office.pages import SiteRequest
from central.office.views.answers import go, paged, show
from central.signing.blocklists import filling

FIRST_PAGES = {
    Right.SEE_TASKS: "today",
    Right.SEE_PEOPLE: "people",
    Right.READ_LOG: "log",
    Right.SEE_STATIONS: "stations",
}
"""The page that a user begins with is the first of these that they may see."""
ROWS_SHOWN = 30
"""Of each list of the first page; further ones are turned."""


@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """The user's sites; straight to the only one."""
    sites = [site for site in Site.objects.order_by("number") if SiteAccess(request.user, site).has_role]
    if len(sites) == 1:
        return redirect("office:home", site=sites[0].number)
    return render(request, "office/start.html", {"sites": sites})


@never_cache
def home(request: HttpRequest, site: int) -> HttpResponse:
    """The page that the user's roles begin with."""
    access = SiteAccess(request.user, get_object_or_404(Site, number=site))
    if not access.has_role:
        raise Http404
    for right, name in FIRST_PAGES.items():
        if access.may(right):
            return redirect(f"office:{name}", site=site)
    return redirect("office:start")


def today(request: SiteRequest) -> HttpResponse:
    """Open tasks, pool keys that are late, emergency keys that are left, stations in trouble, receipts to sign."""
    access = request.access
    found = pool_keys(_pool(access), unix_now())
    unsigned = access.receipts(Right.SEE_PEOPLE).filter(signed_at=None).exclude(kind=Receipt.Kind.PIN)
    return show(
        request,
        "today",
        mine=set(access.tasks(Right.FINISH_TASK).filter(done_at=None).values_list("pk", flat=True)),
        to_sign=set(access.receipts(Right.SIGN_RECEIPT).filter(signed_at=None).values_list("pk", flat=True)),
        tasks=paged(request, access.tasks(Right.SEE_TASKS).filter(done_at=None), "tasks", ROWS_SHOWN),
        overdue=[p for p in found if p.is_overdue],
        emergency_left=emergency_left(found),
        few_emergency=emergency_left(found) < EMERGENCY_KEYS_WANTED,
        locked=[key for key in access.keys(Right.SEE_KEYS).filter(locked_at__isnull=False) if key.is_locked],
        blocked=filling(access.site),
        down=access.stations(Right.SEE_STATIONS).filter(status=Station.Status.DOWN),
        receipts=paged(request, unsigned.order_by("-made_at", "-pk"), "receipts", ROWS_SHOWN),
    )


def pool(request: SiteRequest) -> HttpResponse:
    """Every pool key: who has it since when."""
    found = pool_keys(_pool(request.access), unix_now())
    left = emergency_left(found)
    few = left < EMERGENCY_KEYS_WANTED
    return show(request, "pools", pool=found, emergency_left=left, few_emergency=few)


def _pool(access: SiteAccess) -> list[Key]:
    kinds = (Key.Kind.SUBSTITUTE, Key.Kind.EMERGENCY)
    return list(access.keys(Right.SEE_POOLS).filter(kind__in=kinds, status=Key.Status.ACTIVE))


def task_done(request: SiteRequest, pk: int) -> HttpResponse:
    """Note that a task is done. That every PIN is renewed is seen, not said."""
    mine = request.access.tasks(Right.FINISH_TASK)
    task = get_object_or_404(mine, pk=pk)
    finish_tasks(mine.filter(pk=task.pk).exclude(kind=Task.Kind.RENEW_PINS), request.access.name)
    return go(request, "today")


def receipt(request: SiteRequest, pk: int) -> HttpResponse:
    """A receipt, to print again: never with the PIN."""
    found = get_object_or_404(request.access.receipts(Right.SEE_PEOPLE), pk=pk)
    return show(request, "slip", receipt=found, fresh=False)


def sign(request: SiteRequest, pk: int) -> HttpResponse:
    """Note that the section manager has the signed paper."""
    mine = request.access.receipts(Right.SIGN_RECEIPT)
    note_receipts_signed(mine.filter(pk=get_object_or_404(mine, pk=pk).pk), request.access.name)
    return go(request, "today")
