"""What keeps strangers and the impatient out: a limit on failed attempts, headers of pages, sessions that end."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from central.clock import unix_now


def address_of(request: HttpRequest) -> str:
    """The caller's address; behind the proxy (``CENTRAL_TLS=1``) the one that the proxy saw, the last in its list.

    What stands before the last was written by the caller itself: whoever believed it could be locked out of nothing.
    """
    if settings.USE_TLS:
        seen = str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip()
        if seen:
            return seen[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


BURST = 30
REFILL_S = 2.0
"""Seconds for each further attempt."""
CLIENTS_LIMIT = 10_000
"""The longest unseen is forgotten first: memory stays bounded when many addresses try."""


@dataclass
class _Bucket:
    left: float
    at_s: float


class Attempts:
    """The buckets of all clients. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, client: str) -> int:
        """How many seconds this client has to wait before it may fail again: 0, or at least 1."""
        with self._lock:
            bucket = self._buckets.get(client)
            if bucket is None:
                return 0
            self._refill(bucket)
            return 0 if bucket.left >= 1 else max(1, ceil((1 - bucket.left) * REFILL_S))

    def failed(self, client: str) -> None:
        """Count a failed attempt of this client."""
        with self._lock:
            bucket = self._buckets.setdefault(client, _Bucket(float(BURST), self._clock()))
            self._refill(bucket)
            bucket.left = max(0.0, bucket.left - 1)
            self._buckets.move_to_end(client)
            while len(self._buckets) > CLIENTS_LIMIT:
                self._buckets.popitem(last=False)

    def forget(self) -> None:
        """Forget everybody's failed attempts."""
        with self._lock:
            self._buckets.clear()

    def _refill(self, bucket: _Bucket) -> None:
        now_s = self._clock()
        bucket.left = min(float(BURST), bucket.left + (now_s - bucket.at_s) / REFILL_S)
        bucket.at_s = now_s


attempts = Attempts()
"""This process's."""


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
    """Sets headers of every page, beside Django's own (nosniff, referrer, opener, frames)."""

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
