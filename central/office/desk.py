"""Where a user sits: a site, and what their memberships let them see and do there. Enforces `central.office.roles`.

A site where somebody has no membership does not exist for them (404), nor does an object that is not in their scope; an
act that none of their roles has is refused (403).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from central.issuing.blocklists import BlocklistFull
from central.models import Area, Holder, Key, Permission, Site, Station, Unit
from central.office.models import Membership, Receipt, Task
from central.office.roles import HOURLY_ROLES, SITE_ACTS, TABLE, UNIT_ROLES, Act, Role
from central.security.attempts import attempts
from central.security.client import address_of

NOTHING = Q(pk__in=[])
NOT_DONE = gettext_lazy("Not done: you had been logged out. Log in and do it again.")
FULL = gettext_lazy("Not done: no more keys or stations can be blocked. Take back those that have been found.")


class Desk:
    """A user at a site."""

    def __init__(self, user: Any, site: Site) -> None:
        self.user = user
        self.site = site
        found = Membership.objects.filter(user=user, site=site).select_related("unit")
        # A unit role without a unit, whoever wrote it into the table, is good for nothing.
        self._members = [m for m in found if m.unit_id is not None or Role(m.role) not in UNIT_ROLES]
        self.is_seated = bool(self._members)

    @property
    def name(self) -> str:
        """As it is written on receipts."""
        return str(self.user.get_full_name() or self.user.get_username())

    @property
    def acts(self) -> set[str]:
        """The names of all acts that they may do to something here; for templates."""
        return {act.name for act in Act if self.may(act)}

    def may(self, act: Act) -> bool:
        """Whether any of their roles has the act."""
        return bool(self._granting(act))

    def require(self, act: Act) -> None:
        """Raises PermissionDenied."""
        if not self.may(act):
            raise PermissionDenied

    def units(self, act: Act) -> QuerySet[Unit]:
        """The units in which they may do it."""
        wanted = NOTHING
        for member in self._granting(act):
            wanted |= Q(pk=member.unit_id) if member.unit_id else Q(site=self.site)
        return Unit.objects.filter(wanted, site=self.site)

    def areas(self, act: Act) -> QuerySet[Area]:
        """The areas that they may give: for a unit, those that its people have already."""
        here = Area.objects.filter(site=self.site)
        if any(member.unit_id is None for member in self._granting(act)):
            return here
        units = self.units(act)
        known = Permission.objects.filter(Q(unit__in=units) | Q(unit=None, holder__unit__in=units))
        return here.filter(permission__in=known).distinct()

    def holders(self, act: Act) -> QuerySet[Holder]:
        """The people to whom they may do it. Those who may use a unit's pool are seen by it, besides its own."""
        wanted = NOTHING
        for member in self._granting(act):
            mine = Q(site=self.site)
            if member.unit_id:
                mine = Q(unit=member.unit_id)
                if act == Act.SEE_PEOPLE:
                    mine |= Q(pk__in=Holder.objects.filter(permissions__unit=member.unit_id).values("pk"))
            if member.role in HOURLY_ROLES:
                mine &= Q(category=Holder.Category.HOURLY)
            wanted |= mine
        return Holder.objects.filter(wanted, site=self.site).select_related("unit", "site")

    def keys(self, act: Act) -> QuerySet[Key]:
        """The keys to which they may do it."""
        wanted = NOTHING
        for member in self._granting(act):
            mine = Q(unit=member.unit_id) if member.unit_id else Q(site=self.site)
            if member.role in HOURLY_ROLES:
                mine &= Q(kind=Key.Kind.SUBSTITUTE)
            wanted |= mine
        return Key.objects.filter(wanted, site=self.site).select_related("unit", "holder", "site")

    def stations(self, act: Act) -> QuerySet[Station]:
        """The stations to which they may do it."""
        return Station.objects.filter(site=self.site, unit__in=self.units(act)).select_related("unit", "site")

    def tasks(self) -> QuerySet[Task]:
        """The tasks of their units; those of no unit for those who have all."""
        units = self.units(Act.SEE_TASKS)
        wanted = Q(unit__in=units)
        if any(member.unit_id is None for member in self._granting(Act.SEE_TASKS)):
            wanted |= Q(unit=None)
        return Task.objects.filter(wanted, site=self.site).select_related("holder", "key", "station", "unit")

    def receipts(self) -> QuerySet[Receipt]:
        """The receipts of their units' people."""
        found = Receipt.objects.filter(site=self.site, holder__in=self.holders(Act.SEE_PEOPLE))
        return found.select_related("holder", "key", "unit", "site")

    def holder(self, number: int, act: Act) -> Holder:
        """One of `holders`. Raises Http404."""
        return get_object_or_404(self.holders(act), number=number)

    def key(self, number: int, act: Act) -> Key:
        """One of `keys`. Raises Http404."""
        return get_object_or_404(self.keys(act), number=number)

    def station(self, number: int, act: Act) -> Station:
        """One of `stations`. Raises Http404."""
        return get_object_or_404(self.stations(act), number=number)

    def acts_on(self, thing: Holder | Key | Station) -> set[str]:
        """The names of the acts that they may do to this one; for templates."""
        reach: dict[type, Callable[[Act], Any]] = {Holder: self.holders, Key: self.keys, Station: self.stations}
        of = reach[type(thing)]
        return {act.name for act in Act if self.may(act) and of(act).filter(pk=thing.pk).exists()}

    def _granting(self, act: Act) -> list[Membership]:
        having = [member for member in self._members if act in TABLE[Role(member.role)]]
        return [member for member in having if member.unit_id is None] if act in SITE_ACTS else having


class AtDesk(HttpRequest):
    """A request of somebody at a desk."""

    desk: Desk


View = Callable[..., HttpResponse]


def page(act: Act) -> Callable[[View], View]:
    """A page at a site: ``view(request, …)`` with ``request.desk``; needs a login, a membership there, and the act."""

    def decorate(view: View) -> View:
        @never_cache
        @wraps(view)
        def seated(request: HttpRequest, site: int, **rest: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_the_login(request, site)
            found = Site.objects.filter(number=site).first()
            desk = Desk(request.user, found) if found is not None else None
            if desk is None or not desk.is_seated:
                return _stranger(request)
            desk.require(act)
            there = cast(AtDesk, request)
            there.desk = desk
            return view(there, **rest)

        seated.act = act  # type: ignore[attr-defined]
        return seated

    return decorate


def _posted(view: View) -> View:
    @wraps(view)
    def done(request: AtDesk, **rest: Any) -> HttpResponse:
        if request.method == "POST":
            return view(request, **rest)
        # Somebody has gone to the address of a slip, or of a button, again.
        answer = render(request, "404.html", status=405)
        answer["Allow"] = "POST"
        return answer

    return done


def _refusing(view: View) -> View:
    @wraps(view)
    def done(request: AtDesk, **rest: Any) -> HttpResponse:
        try:
            return view(request, **rest)
        except BlocklistFull:
            messages.error(request, FULL)
            return redirect("office:home", site=request.desk.site.number)

    return done


def _to_the_login(request: HttpRequest, site: int) -> HttpResponse:
    """And back to the page that was looked at: what was posted when the session was over is not done."""
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    messages.warning(request, NOT_DONE)
    return redirect_to_login(_page_before(request) or reverse("office:home", kwargs={"site": site}))


def _page_before(request: HttpRequest) -> str | None:
    """Where the posted form was, if that is a page of this server that can be looked at again."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return None
    path, query = urlsplit(before)[2:4]
    try:
        is_page = not getattr(resolve(path).func, "posted", False)
    except Resolver404:
        return None
    return (f"{path}?{query}" if query else path) if is_page else None


def _stranger(request: HttpRequest) -> HttpResponse:
    """No such site for them; and whoever goes on trying numbers waits. Raises Http404."""
    client = address_of(request)
    wait_s = attempts.wait_s(client)
    attempts.failed(client)
    if not wait_s:
        raise Http404
    answer = render(request, "429.html", status=429)
    answer["Retry-After"] = str(wait_s)
    return answer


def deed(act: Act) -> Callable[[View], View]:
    """As `page`, for what is posted only."""

    def decorate(view: View) -> View:
        done = page(act)(_posted(_refusing(view)))
        done.posted = True  # type: ignore[attr-defined]
        return done

    return decorate
