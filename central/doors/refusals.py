"""Refusals as pages, and every 403 in the log: who, from where, for what."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from central.doors.addresses import address_of
from central.doors.log_text import plain
from central.errors import Refused

FORBIDDEN = 403

log = logging.getLogger("central.access")


class RefusalsMiddleware:
    """After Django's authentication; outside of everything that refuses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        response = self.get_response(request)
        if response.status_code == FORBIDDEN:
            log.warning(
                "access.refused user=%s address=%s method=%s path=%s",
                _who(request), address_of(request), plain(request.method), plain(request.path),
            )  # fmt: skip
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's protocol."""
        if not isinstance(error, Refused):
            return None
        answer = render(request, f"{error.status}.html", status=error.status)
        for name, value in error.headers.items():
            answer[name] = value
        return answer


def _who(request: HttpRequest) -> str:
    station = getattr(request, "auth", None)
    if station is not None:
        return f"station:{station.site.number}/{station.number}"
    user = getattr(request, "user", None)
    return plain(user.get_username()) if user is not None and user.is_authenticated else "-"
