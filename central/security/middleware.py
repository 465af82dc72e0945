"""Headers of every page, and sessions that end when nobody is there."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from central.clock import unix_now

GetResponse = Callable[[HttpRequest], HttpResponseBase]

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""No script and no style but this server's own files: what somebody writes into a name is never run."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=(), serial=()",
}
SEEN = "seen_at"
NOTED_EVERY_S = 60


class HeadersMiddleware:
    """IdlePage those that Django sets by itself (nosniff, referrer, opener, frames)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # Pages name people: no copy stays in a browser that the next one uses.
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class IdleMiddleware:
    """Ends a session that has not been used for ``SESSION_IDLE_S``. After Django's authentication."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        if request.user.is_authenticated:
            now = unix_now()
            seen = request.session.get(SEEN, now)
            if now - seen > settings.SESSION_IDLE_S:
                logout(request)
            elif SEEN not in request.session or now - seen >= NOTED_EVERY_S:
                request.session[SEEN] = now
        return self.get_response(request)
