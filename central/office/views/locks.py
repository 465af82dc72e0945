"""Who may open a lock."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.access import how_they_open, permissions_that_open
from central.doors.table import Right
from central.models import Holder, Lock, Unit
from central.models.people import full_name
from central.office.last_night import note_asked
from central.office.lists import Column, choice, page_of
from central.office.pages import SiteRequest
from central.office.views.answers import number_in, show

COLUMNS = (
    Column("number", gettext_lazy("Lock"), lambda row: row.number),
    Column("area", gettext_lazy("Area"), lambda row: row.area__name),
    Column("unit", gettext_lazy("Unit"), lambda row: row.unit__name),
)


BY_NAME = Column("person", gettext_lazy("Person"), lambda row: full_name(row.given_name, row.family_name))


def who_may_open(request: SiteRequest) -> HttpResponse:
    """Who may open a lock: the people in scope by name, the others as a number."""
    access = request.access
    words = request.GET.get("lock", "")
    number = number_in(words)
    lock = Lock.objects.filter(site=access.site, number=number).first() if number is not None else None
    if words and lock is None:
        messages.error(request, _("There is no such lock."))
    if lock is None:
        chosen = choice(request, "locks", COLUMNS, units=Unit.objects.filter(site=access.site), usual_sort="number")
        locks = Lock.objects.filter(site=access.site).select_related("area", "unit")
        if chosen.unit is not None:
            locks = locks.filter(unit__number=chosen.unit)
        every = locks.values_list("pk", "number", "area__name", "unit__name", named=True)
        # What is not there is said, and nothing is listed.
        page = None if words else page_of(request, chosen, every, locks)
        return show(request, "lock", number=words, page=page, chosen=chosen)
    if "page" not in request.GET:
        note_asked(access, lock)
    allowed = Holder.objects.filter(pk__in=permissions_that_open(lock).values("holder"))
    seen = access.holders(Right.WHO_MAY_OPEN).filter(pk__in=allowed).order_by("number")
    others = allowed.count() - seen.count()
    names = seen.values_list("pk", "given_name", "family_name", named=True)
    page = page_of(request, choice(request, "may-open", (BY_NAME,), usual_sort="person"), names, seen)
    ways = how_they_open(lock, page)
    rows = [(holder, ways.get(holder.pk, [])) for holder in page]
    return show(
        request, "lock", number=words, lock=lock, page=page, rows=rows, others=others, today=access.site.today()
    )
