"""The first page of a site: what is to be done, and what is not as it should be."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from central.actions.pool_keys import emergency_left, pool_keys
from central.actions.tasks import finish_tasks, note_receipts_signed
from central.actions.went_back import confirm, shut_anew, thing_of
from central.clock import unix_now
from central.doors.table import Right
from central.models import Holder, Key, Receipt, Site, Station, Task, Unit
from central.office import seen
from central.office.access import SiteAccess
from central.office.last_night import last_night
from central.office.pages import SiteRequest
from central.office.views.answers import go, paged, show
from central.office.views.pools import keys_of_pools
from central.signing.blocklists import filling

FIRST_PAGES = {
    Right.SEE_TASKS: "today",
    Right.SEE_PEOPLE: "people",
    Right.READ_LOG: "log",
    Right.SEE_STATIONS: "stations",
}
"""The page that a user begins with is the first of these that they may see."""
DECIDED = (Task.Kind.RENEW_PINS, Task.Kind.WENT_BACK)
"""Tasks that end by what is done about them, not by saying so."""
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
    """The page that the user's roles begin with. Raises PermissionDenied where they have none that is good here."""
    access = SiteAccess(request.user, get_object_or_404(Site, number=site))
    if not access.has_role:
        raise Http404
    for right, name in FIRST_PAGES.items():
        if access.may(right):
            return redirect(f"office:{name}", site=site)
    # An auditor's for one unit, for example. To the start it would be a circle.
    raise PermissionDenied


def today(request: SiteRequest) -> HttpResponse:
    """Open tasks, pool keys that are late, emergency keys that are left, stations in trouble, receipts to sign."""
    access = request.access
    found = pool_keys(keys_of_pools(access), unix_now())
    few_emergency = [each for each in emergency_left(found) if each.is_few]
    overdue = sorted((p for p in found if p.is_overdue), key=lambda p: p.since or 0)
    unsigned = access.receipts(Right.SEE_PEOPLE).filter(signed_at=None).exclude(kind=Receipt.Kind.PIN)
    tasks = paged(request, access.tasks(Right.SEE_TASKS).filter(done_at=None), "tasks", ROWS_SHOWN)
    receipts = paged(request, unsigned.order_by("-made_at", "-pk"), "receipts", ROWS_SHOWN)
    mine = access.tasks(Right.FINISH_TASK).filter(done_at=None, pk__in=[task.pk for task in tasks])
    to_sign = access.receipts(Right.SIGN_RECEIPT).filter(pk__in=[receipt.pk for receipt in receipts])
    seen.look([*tasks, *receipts])
    locked = [key for key in access.keys(Right.SEE_KEYS).filter(locked_at__isnull=False) if key.is_locked]
    down = access.stations(Right.SEE_STATIONS).filter(status=Station.Status.DOWN).count()
    blocked = filling(access.site)
    is_nothing = not (tasks or overdue or few_emergency or locked or down or blocked.is_short or receipts)
    went_back = [task for task in tasks if task.kind == Task.Kind.WENT_BACK]
    return show(
        request,
        "today",
        to_decide=_to_decide(access, went_back),
        mine=set(mine.values_list("pk", flat=True)),
        to_sign=set(to_sign.values_list("pk", flat=True)),
        tasks=tasks,
        overdue=paged(request, overdue, "overdue", ROWS_SHOWN),
        few_emergency=few_emergency,
        locked=locked,
        blocked=blocked,
        down=down,
        receipts=receipts,
        is_nothing=is_nothing,
        last_night=last_night(access, unix_now()),
        today=access.site.today(),
    )


@never_cache
def accessibility(request: HttpRequest) -> HttpResponse:
    """The statement of accessibility that public bodies owe, open to everybody."""
    return render(request, "office/accessibility.html")


def task_done(request: SiteRequest, pk: int) -> HttpResponse:
    """Note that a task is done. That every PIN is renewed is seen, not said."""
    mine = request.access.tasks(Right.FINISH_TASK)
    task = get_object_or_404(mine, pk=pk)
    finish_tasks(mine.filter(pk=task.pk).exclude(kind__in=DECIDED), request.access.name)
    return go(request, "today")


def task_confirm(request: SiteRequest, pk: int) -> HttpResponse:
    """What a restored server opens again is to be open: stations hear of it anew, and free it."""
    confirm(_went_back(request.access, pk), request.access.name)
    messages.success(request, _("Confirmed: stations will hear of it."))
    return go(request, "today")


def task_anew(request: SiteRequest, pk: int) -> HttpResponse:
    """It is to be shut: block it, end it, close it or revoke it again."""
    shut_anew(_went_back(request.access, pk), request.access.name)
    messages.success(request, _("Shut again: stations will hear of it."))
    return go(request, "today")


def _went_back(access: SiteAccess, pk: int) -> Task:
    """The open task. Raises Http404, PermissionDenied."""
    mine = access.tasks(Right.FINISH_TASK).filter(kind=Task.Kind.WENT_BACK, done_at=None)
    task = get_object_or_404(mine, pk=pk)
    if not _to_decide(access, [task]):
        raise PermissionDenied
    return task


def _to_decide(access: SiteAccess, tasks: list[Task]) -> set[int]:
    """The database's numbers of those tasks that are this user's to decide.

    Whoever lets something stay open that was shut needs the right to shut it, and the other way round.
    """
    things = {task.pk: thing_of(task) for task in tasks}
    mine: set[tuple[type, int]] = {(Unit, thing.pk) for thing in things.values() if isinstance(thing, Unit)}
    for model, found in (
        (Key, access.keys(Right.BLOCK_KEY)),
        (Holder, access.holders(Right.END_EMPLOYMENT)),
        (Station, access.stations(Right.REVOKE_STATION)),
    ):
        asked = [thing.pk for thing in things.values() if isinstance(thing, model)]
        if asked:
            mine |= {(model, pk) for pk in found.filter(pk__in=asked).values_list("pk", flat=True)}
    here = access.tasks(Right.FINISH_TASK).filter(pk__in=list(things)).values_list("pk", flat=True) if things else ()
    return {pk for pk in here if (type(things[pk]), things[pk].pk) in mine}


def receipt(request: SiteRequest, pk: int) -> HttpResponse:
    """A receipt, to print again: never with the PIN."""
    found = get_object_or_404(request.access.receipts(Right.SEE_PEOPLE), pk=pk)
    return show(request, "slip", receipt=found, fresh=False)


def sign(request: SiteRequest, pk: int) -> HttpResponse:
    """Note that the section manager has the signed paper."""
    mine = request.access.receipts(Right.SIGN_RECEIPT)
    note_receipts_signed(mine.filter(pk=get_object_or_404(mine, pk=pk).pk), request.access.name)
    return go(request, "today")
