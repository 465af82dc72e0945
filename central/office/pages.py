"""Pages below a site: each needs a log-in, a role there, and the right that it names."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from central.models import Site
from central.office.access import SiteAccess
from central.office.roles import Right
from central.security import address_of, attempts
from central.signing.blocklists import BlocklistFull

NOT_DONE = gettext_lazy("Not done: you had been logged out. Log in and do it again.")
FULL = gettext_lazy("Not done: no more keys or stations can be blocked. Take back those that have been found.")


class SiteRequest(HttpRequest):
    """A request of somebody who has a role at the site."""

    access: SiteAccess


View = Callable[..., HttpResponse]


def page(right: Right) -> Callable[[View], View]:
    """A page at a site: ``view(request, …)`` with ``request.access``; needs a login, a role there, and the right."""

    def decorate(view: View) -> View:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, site: int, **rest: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _log_in_first(request, site)
            found = Site.objects.filter(number=site).first()
            access = SiteAccess(request.user, found) if found is not None else None
            if access is None or not access.has_role:
                return _no_such_site(request)
            access.require(right)
            of_site = cast(SiteRequest, request)
            of_site.access = access
            return view(of_site, **rest)

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return decorate


def post(right: Right) -> Callable[[View], View]:
    """Guard a view as `page` does, and let it only be posted to."""

    def decorate(view: View) -> View:
        done = page(right)(_posted(_refusing(view)))
        done.posted = True  # type: ignore[attr-defined]
        return done

    return decorate


def _posted(view: View) -> View:
    @wraps(view)
    def done(request: SiteRequest, **rest: Any) -> HttpResponse:
        if request.method == "POST":
            return view(request, **rest)
        # Somebody has gone to the address of a slip, or of a button, again.
        answer = render(request, "404.html", status=405)
        answer["Allow"] = "POST"
        return answer

    return done


def _refusing(view: View) -> View:
    @wraps(view)
    def done(request: SiteRequest, **rest: Any) -> HttpResponse:
        try:
            return view(request, **rest)
        except BlocklistFull:
            messages.error(request, FULL)
            return redirect("office:home", site=request.access.site.number)

    return done


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
    path, query = urlsplit(before)[2:4]
    try:
        is_page = not getattr(resolve(path).func, "posted", False)
    except Resolver404:
        return None
    return (f"{path}?{query}" if query else path) if is_page else None


def _no_such_site(request: HttpRequest) -> HttpResponse:
    """No such site for them; and whoever goes on trying numbers waits. Raises Http404."""
    client = address_of(request)
    wait_s = attempts.wait_s(client)
    attempts.failed(client)
    if not wait_s:
        raise Http404
    answer = render(request, "429.html", status=429)
    answer["Retry-After"] = str(wait_s)
    return answer
