"""Locks: who may open one, and the opening log. The log is read for a stated reason, and the reading is logged."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.clock import unix_now
from central.models import Holder, Lock, Opening, Permission
from central.office.desk import AtDesk, page
from central.office.forms import LookUpForm
from central.office.models import LookUp
from central.office.roles import Act
from central.office.views.answers import show

ROWS_SHOWN = 1000
LOOK_UPS_SHOWN = 30


@page(Act.WHO_MAY_OPEN)
def who_may_open(request: AtDesk) -> HttpResponse:
    """Who may open a lock: the people in scope by name, the others as a number."""
    desk = request.desk
    number = request.GET.get("lock", "")
    lock = Lock.objects.filter(site=desk.site, number=int(number)).first() if number.isdecimal() else None
    if number and lock is None:
        messages.error(request, _("There is no such lock."))
    if lock is None:
        return show(request, "lock", number=number)
    opens = Q(every_area=True) | Q(areas=lock.area) | Q(locks=lock)
    permissions = Permission.objects.filter(opens, holder__site=desk.site, holder__status=Holder.Status.ACTIVE)
    allowed = Holder.objects.filter(pk__in=permissions.values("holder"))
    seen = desk.holders(Act.WHO_MAY_OPEN).filter(pk__in=allowed).order_by("given_name", "family_name")
    return show(request, "lock", number=number, lock=lock, holders=seen, others=allowed.count() - seen.count())


@page(Act.READ_LOG)
def log(request: AtDesk) -> HttpResponse:
    """Who opened a lock, or what somebody opened. The look-up is kept before anything is shown."""
    desk = request.desk
    form = LookUpForm(desk, request.POST or None)
    rows: list[tuple[Opening, str]] = []
    look_up = None
    if form.is_valid():
        since, until = form.window()
        told = form.cleaned_data
        look_up = LookUp.objects.create(
            site=desk.site, user=desk.user, at=unix_now(), about=told["about"], number=told["number"],
            since=since, until=until, reason=told["reason"],
        )  # fmt: skip
        found = Opening.objects.filter(site=desk.site, at__gte=since, at__lt=until, **{told["about"]: told["number"]})
        openings = list(found.order_by("-at")[:ROWS_SHOWN])
        people = Holder.objects.filter(site=desk.site, number__in={row.holder for row in openings if row.holder})
        names = {holder.number: str(holder) for holder in people}
        rows = [(row, names.get(row.holder or 0, "")) for row in openings]
    earlier = LookUp.objects.filter(site=desk.site).select_related("user")[:LOOK_UPS_SHOWN]
    return show(request, "log", form=form, rows=rows, look_up=look_up, earlier=earlier)
