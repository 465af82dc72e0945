"""Pages below a site: each needs a log-in, a role there, and the right that the table of doors names."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, URLPattern, path, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from central.doors import limits
from central.doors.keeper import is_asked_by
from central.doors.table import DOORS, Right, door_of
from central.feed import change
from central.models import Site
from central.office import seen
from central.office.access import SiteAccess
from central.office.once import do_once
from central.signing.blocklists import BlocklistFull, lock_site

NOT_DONE = gettext_lazy("Not done: you had been logged out. Log in and do it again.")
FULL = gettext_lazy("Not done: no more keys or stations can be blocked. Take back those that have been found.")
NO_LINE = (
    "office:{0} has no line with a right in DOORS. Add '\"office:{0}\": Door(GET, Right.…)' to central/doors/table.py, "
    "and a Right with its roles to RIGHTS if it needs a new one."
)


class NotDone(Exception):
    """What was asked for has not been done, and may be asked for again: the reason is said on the page named."""

    def __init__(self, text: str, name: str, **where: Any) -> None:
        super().__init__(text)
        self.text, self.name, self.where = text, name, where


class SiteRequest(HttpRequest):
    """A request of somebody who has a role at the site."""

    access: SiteAccess


View = Callable[..., HttpResponse]


def of_site(route: str, view: View, name: str) -> URLPattern:
    """The address of a page or act at a site: ``view(request, …)`` with ``request.access``, for who has the right.

    Raises ImproperlyConfigured for one that the table of doors does not know.
    """
    door = DOORS.get(f"office:{name}")
    if door is None or not isinstance(door.who, Right):
        raise ImproperlyConfigured(NO_LINE.format(name))
    return path(f"<int:site>/{route}", _guarded(view, name), name=name)


def _guarded(view: View, name: str) -> View:
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, site: int, **rest: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _log_in_first(request, site)
        found = Site.objects.filter(number=site).first()
        access = SiteAccess(request.user, found) if found is not None else None
        if access is None or not access.has_role:
            limits.require(limits.FOREIGN_SITE, str(request.user.pk))
            raise Http404
        # Looked up now, not when the address was made: the table is the one thing that says so.
        access.require(cast(Right, DOORS[f"office:{name}"].who))
        of_site = cast(SiteRequest, request)
        of_site.access = access

        def act() -> HttpResponse:
            seen.check(_mark(request))
            return view(of_site, **rest)

        try:
            return do_once(request, act) if request.method == "POST" else view(of_site, **rest)
        except BlocklistFull:
            messages.error(request, FULL)
            return redirect("office:home", site=site)
        except NotDone as error:
            messages.error(request, error.text)
            answer: HttpResponse = redirect(f"office:{error.name}", site=site, **error.where)
            return answer
        except seen.Stale as error:
            facts = {"access": access, "site": found, "may": access.rights, "changes": error.changes}
            return render(request, "office/stale.html", facts | {"page": _page_before(request)}, status=409)

    return guarded


@contextmanager
def still_as_seen(request: SiteRequest) -> Iterator[None]:
    """A change that begins by looking once more at what the form has shown, while nobody else acts at the site.

    For what is made anew, and would be made twice: of two who ask for it at once the second is told of the first.
    """
    with change():
        lock_site(request.access.site)
        seen.check(_mark(request))
        yield


def _mark(request: HttpRequest) -> str:
    return request.POST.get(seen.FIELD, "")


def _log_in_first(request: HttpRequest, site: int) -> HttpResponse:
    """And back to the page that was looked at: what was posted when the session was over is not done."""
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    messages.warning(request, NOT_DONE)
    return redirect_to_login(_page_before(request) or reverse("office:home", kwargs={"site": site}))


def _page_before(request: HttpRequest) -> str | None:
    """The address of the page with the posted form, if it is a page of this server that can be looked at again."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return None
    where, query = urlsplit(before)[2:4]
    try:
        door = door_of(resolve(where).view_name)
    except Resolver404:
        return None
    return (f"{where}?{query}" if query else where) if door is not None and is_asked_by("GET", door) else None
