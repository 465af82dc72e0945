"""Answers to stations without the headers that are there for browsers: on a mobile network every poll pays for them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Headers: TypeAlias = list[tuple[str, str]]
Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

KEPT = frozenset(
    {
        *("allow", "cache-control", "content-encoding", "content-length", "content-type", "location"),
        *("retry-after", "transfer-encoding", "www-authenticate"),
    }
)
"""What a station's call may be answered with. All else (policies for pages, frames, referrers, languages) says nothing
to a program, and was more than half of an answer without news."""
NOTHING_NEW = "304"
"""Has no body that a header could be about."""


class LeanHeaders:
    """A WSGI application around another. It touches only what shows a bearer token, which no browser does by itself."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI's protocol (PEP 3333)."""
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            return self._application(environ, start_response)

        def start_lean(status: str, headers: Headers, exc_info: Any = None) -> Any:
            kept = frozenset() if status.startswith(NOTHING_NEW) else KEPT
            lean = [(name, value) for name, value in headers if name.lower() in kept]
            return start_response(status, lean, exc_info)

        return self._application(environ, start_lean)
