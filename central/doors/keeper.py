"""Enforces what the table says of every address, before any view: methods, log-in, the operator.

What needs a role at a site is judged where the site is known (`central.office.pages`), what needs a token where the
token is (`central.api.auth`).
"""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from central.doors.log_text import plain
from central.doors.table import Anybody, Door, door_of

log = logging.getLogger("central.access")


class DoorMiddleware:
    """After Django's authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Django's protocol. Raises PermissionDenied."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        door = door_of(name)
        if door is None:
            log.error("access.no_line name=%s (add one to DOORS in central/doors/table.py)", plain(name))
            raise PermissionDenied
        if not is_asked_by(request.method, door):
            answer: HttpResponse = render(request, "404.html", status=405)
            answer["Allow"] = ", ".join(sorted(door.methods))
            return answer
        if door.who in (Anybody.USER, Anybody.OPERATOR) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if door.who is Anybody.OPERATOR and not getattr(request.user, "is_superuser", False):
            raise PermissionDenied
        return None


def is_asked_by(method: str | None, door: Door) -> bool:
    """Whether an address may be asked like this."""
    return ("GET" if method == "HEAD" else method) in door.methods
