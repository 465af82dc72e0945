"""Who may open a lock."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.doors.table import Right
from central.models import Holder, Lock, Permission
from central.office.last_night import note_asked
from central.office.pages import SiteRequest
from central.office.views.answers import number_in, paged, show


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
    if "page" not in request.GET:
        note_asked(access, lock)
    opens = Q(every_area=True) | Q(areas=lock.area) | Q(locks=lock)
    permissions = Permission.objects.filter(opens, holder__site=access.site, holder__status=Holder.Status.ACTIVE)
    allowed = Holder.objects.filter(pk__in=permissions.values("holder"))
    seen = access.holders(Right.WHO_MAY_OPEN).filter(pk__in=allowed).order_by("given_name", "family_name", "number")
    others = allowed.count() - seen.count()
    return show(request, "lock", number=words, lock=lock, page=paged(request, seen), others=others)
