"""Faults of the server's own, as pages: also where the database is away, and so nobody knows who asks."""

import logging
import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

AWAY = (InterfaceError, InternalError, OperationalError)
"""The database is away, restarting, read-only, out of connections, or two changes were in each other's way: nothing
was done, and the same again may well succeed."""
RETRY_AFTER_S = 15

log = logging.getLogger("central.doors")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of what nobody caught: 503 where trying again helps, else 500."""
    error = sys.exc_info()[1]
    if not isinstance(error, AWAY):
        return defaults.server_error(request)
    log.error("database.failed %s", type(error).__name__)
    page = loader.render_to_string("unavailable.html")
    headers = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    answer = HttpResponse(page, status=503, headers=headers)
    # One line for each, and not Django's pages of traceback: while the database is away everybody asks in vain.
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return answer
