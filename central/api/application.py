"""The API object: its routers, its errors, its OpenAPI document."""

import json
import logging
from typing import Any

from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from central.api.calls import open_calls, station_calls
from central.api.http import refusal, unavailable
from central.doors.faults import AWAY
from central.errors import Refused

log = logging.getLogger("central.api")


class StrictParser(Parser):
    """JSON without NaN and Infinity, one object at the top."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The body. Raises ValueError."""
        try:
            body = json.loads(request.body, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(body, dict):
            raise ValueError("not an object")  # noqa: TRY004  (one kind of error for every malformed body)
        return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


api = NinjaAPI(
    title="Sync station central",
    version="1",
    description="What stations ask of the central server. Times are whole Unix seconds, byte strings base64url "
    "without padding.",
    docs_url=None,
    parser=StrictParser(),
    urls_namespace="stations",
)
for router in (open_calls, station_calls):
    api.add_router("", router)


@api.exception_handler(Refused)
def _refused(_request: HttpRequest, error: Refused) -> HttpResponse:
    return refusal(error)


def _database_fault(_request: HttpRequest, error: DatabaseFault | type[DatabaseFault]) -> HttpResponse:
    # One line for each call: when the database is away, every station asks in vain.
    log.error("database.failed %s", type(error).__name__)
    return refusal(unavailable())


for kind in AWAY:
    api.add_exception_handler(kind, _database_fault)


@api.exception_handler(AuthenticationError)
def _unknown_caller(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return refusal(Refused(401, "unauthorized", "no or a wrong token", {"WWW-Authenticate": "Bearer"}))


@api.exception_handler(ValidationError)
def _malformed(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Where and what kind, never the value: it may be a secret.
    places = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['type']}" for e in error.errors[:5])
    return refusal(Refused(400, "bad_request", places))


@api.exception_handler(HttpError)
def _other(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return refusal(Refused(error.status_code, "bad_request", "the body is not a JSON object"))
