"""From which address a request comes."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address; behind the proxy (``CENTRAL_TLS=1``) the one that the proxy saw, the last in its list.

    What stands before the last was written by the caller itself: whoever believed it could be locked out of nothing.
    """
    if settings.USE_TLS:
        seen = str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip()
        if seen:
            return seen[:64]
    return str(request.META.get("REMOTE_ADDR", ""))
