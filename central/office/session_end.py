"""How long a session goes on: pages warn before it ends, and prolong it while somebody works on them."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from central.clock import unix_now
from central.doors.sessions import BEGAN, SEEN


def seconds_left(request: Any) -> int:
    """Until the session ends if nothing more is asked for in it."""
    began, seen = request.session.get(BEGAN, 0), request.session.get(SEEN, 0)
    end: int = min(seen + settings.SESSION_IDLE_S, began + settings.SESSION_LIMIT_S)
    return max(0, end - unix_now())


@never_cache
def stay(request: HttpRequest) -> HttpResponse:
    """Prolong the session: being asked for is enough (`central.doors.sessions`). Says how long it goes on."""
    request.session[SEEN] = unix_now()
    return JsonResponse({"left_s": seconds_left(request)})
