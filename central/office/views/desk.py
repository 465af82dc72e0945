"""The first page of a site: what is to be done, and what is not as it should be."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from central.clock import unix_now
from central.issuing import blocklists
from central.models import Key, Site, Station
from central.office import pools
from central.office.desk import AtDesk, Desk, deed, page
from central.office.models import Receipt, Task
from central.office.paging import paged
from central.office.roles import Act
from central.office.views.answers import go, show

ROWS_SHOWN = 30
"""Of each list of the first page; further ones are turned."""


@never_cache
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """The user's sites; straight to the only one."""
    sites = [site for site in Site.objects.order_by("number") if Desk(request.user, site).is_seated]
    if len(sites) == 1:
        return redirect("office:home", site=sites[0].number)
    return render(request, "office/start.html", {"sites": sites})


@never_cache
@login_required
def home(request: HttpRequest, site: int) -> HttpResponse:
    """The page that the user's roles begin with."""
    desk = Desk(request.user, get_object_or_404(Site, number=site))
    if not desk.is_seated:
        raise Http404
    for act, name in (
        (Act.SEE_TASKS, "today"), (Act.SEE_PEOPLE, "people"), (Act.READ_LOG, "log"), (Act.SEE_STATIONS, "stations"),
    ):  # fmt: skip
        if desk.may(act):
            return redirect(f"office:{name}", site=site)
    return redirect("office:start")


@page(Act.SEE_TASKS)
def today(request: AtDesk) -> HttpResponse:
    """Open tasks, pool keys that are late, emergency keys that are left, stations in trouble, receipts to sign."""
    desk = request.desk
    found = pools.pool_keys(_pool(desk), unix_now())
    receipts = desk.receipts().filter(signed_at=None).exclude(kind=Receipt.Kind.PIN).order_by("-made_at", "-pk")
    return show(
        request,
        "today",
        tasks=paged(request, desk.tasks().filter(done_at=None), "tasks", ROWS_SHOWN),
        overdue=[p for p in found if p.is_overdue],
        emergency_left=pools.emergency_left(found),
        few_emergency=pools.emergency_left(found) < pools.EMERGENCY_KEYS_WANTED,
        locked=[key for key in desk.keys(Act.SEE_KEYS).filter(locked_at__isnull=False) if key.is_locked],
        blocked=blocklists.filling(desk.site),
        down=desk.stations(Act.SEE_STATIONS).filter(status=Station.Status.DOWN),
        receipts=paged(request, receipts, "receipts", ROWS_SHOWN),
    )


@page(Act.SEE_POOLS)
def pool(request: AtDesk) -> HttpResponse:
    """Every pool key: who has it since when."""
    found = pools.pool_keys(_pool(request.desk), unix_now())
    left = pools.emergency_left(found)
    few = left < pools.EMERGENCY_KEYS_WANTED
    return show(request, "pools", pool=found, emergency_left=left, few_emergency=few)


def _pool(desk: Desk) -> list[Key]:
    kinds = (Key.Kind.SUBSTITUTE, Key.Kind.EMERGENCY)
    return list(desk.keys(Act.SEE_POOLS).filter(kind__in=kinds, status=Key.Status.ACTIVE))


@deed(Act.FINISH_TASK)
def task_done(request: AtDesk, pk: int) -> HttpResponse:
    """Somebody has done it. That every PIN is renewed is seen, not said."""
    for task in request.desk.tasks().filter(pk=pk, done_at=None).exclude(kind=Task.Kind.RENEW_PINS):
        task.done_at, task.done_by = unix_now(), request.desk.name
        task.save()
    return go(request, "today")


@page(Act.SEE_PEOPLE)
def receipt(request: AtDesk, pk: int) -> HttpResponse:
    """A receipt, to print again: never with the PIN."""
    found = request.desk.receipts().filter(pk=pk).first()
    return show(request, "slip", receipt=found, fresh=False) if found else go(request, "people")


@deed(Act.SIGN_RECEIPT)
def sign(request: AtDesk, pk: int) -> HttpResponse:
    """The section manager has the signed paper."""
    for found in request.desk.receipts().filter(pk=pk, signed_at=None, unit__in=request.desk.units(Act.SIGN_RECEIPT)):
        found.signed_at, found.signed_by = unix_now(), request.desk.name
        found.save()
    return go(request, "today")
