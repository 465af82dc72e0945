"""What the calls have in common: their documented errors and who is calling."""

from typing import Any, cast

from django.http import HttpRequest

from central.api.schemas import Problem
from central.feed.page import cursor_of, head
from central.models import Station


def answers(*errors: int, **success: Any) -> dict[int, Any]:
    """The responses of a call: ``answers(401, ok=Shape)`` for 200, ``created=Shape`` for 201."""
    codes = {"ok": 200, "created": 201, "not_modified": 304}
    return {codes[name]: shape for name, shape in success.items()} | dict.fromkeys(errors, Problem)


def caller(request: HttpRequest) -> Station:
    """The station that is calling, with its site and unit."""
    return cast(Station, request.auth)  # type: ignore[attr-defined]


def head_cursor(station: Station) -> str:
    """The cursor of the newest change: a station that has it need not poll."""
    return cursor_of(head(station.site_id))
