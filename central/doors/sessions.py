"""Sessions end: when nobody has used them for a while, and at the end of a shift however busy they are."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from central.clock import unix_now

BEGAN, SEEN = "began_at", "seen_at"
NOTED_EVERY_S = 60


def note_beginnings() -> None:
    """Have each session say when it was logged in to. Once for a process."""
    user_logged_in.connect(_note_beginning, dispatch_uid="sessions_begin")


def _note_beginning(request: HttpRequest, **_: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = unix_now()


class SessionEndMiddleware:
    """Ends a session after ``SESSION_IDLE_S`` unused and ``SESSION_LIMIT_S`` in all. After Django's authentication.

    Django's own age of a session counts from its last change, and a session in use changes each minute.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        if request.user.is_authenticated:
            now = unix_now()
            # One that does not say when it began is over.
            began, seen = request.session.get(BEGAN, 0), request.session.get(SEEN, 0)
            if now - seen > settings.SESSION_IDLE_S or now - began >= settings.SESSION_LIMIT_S:
                logout(request)
            elif now - seen >= NOTED_EVERY_S:
                request.session[SEEN] = now
        return self.get_response(request)
