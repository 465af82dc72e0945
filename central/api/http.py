"""HTTP as stations speak it: limited bodies, errors as JSON, compressed answers, no headers that are for browsers."""

import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any, TypeAlias

from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from central.actions.restored import is_open_to_stations
from central.clock import unix_now
from central.doors import limits
from central.doors.addresses import network_of
from central.doors.faults import RETRY_AFTER_S
from central.errors import Refused

log = logging.getLogger("central.api")

API_PATH = "/api/"
BODY_LIMIT_BYTES = 1024 * 1024

FAULT = 500
CLOSED_RETRY_AFTER_S = 60
OF_NO_DATABASE = frozenset({"/api/v1/healthz", "/api/v1/openapi.json"})
"""Calls that are answered also while stations are to wait: a proxy asks them."""


_ERRORS = {404: ("not_found", "no such call"), 405: ("method_not_allowed", "this call has another method")}


def refusal(error: Refused) -> HttpResponse:
    """The answer to a call that is refused."""
    return JsonResponse({"error": error.code, "detail": error.detail}, status=error.status, headers=error.headers)


def unavailable() -> Refused:
    """The answer to every fault of the server's own: the station keeps what it has to say, and comes again."""
    return Refused(503, "unavailable", "the server has a fault: try again", {"Retry-After": str(RETRY_AFTER_S)})


def closed() -> Refused:
    """The answer to every call until somebody has seen from when a restored database is: what it says may be wrong."""
    detail = "the server was restored, and is closed until its operator opens it"
    return Refused(503, "restored", detail, {"Retry-After": str(CLOSED_RETRY_AFTER_S)})


class ApiMiddleware:
    """Only touches what is under ``/api/``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        if not request.path.startswith(API_PATH):
            return self.get_response(request)
        try:
            if request.path not in OF_NO_DATABASE and not is_open_to_stations(unix_now()):
                return refusal(closed())
        except DatabaseFault as error:
            log.error("database.failed %s", type(error).__name__)  # noqa: TRY400  (one line for each call)
            return refusal(unavailable())
        try:
            body = _body(request)
        except Refused as error:
            try:
                return refusal(_limited(request, error))
            except DatabaseFault:
                return refusal(unavailable())
        request._body = body  # noqa: SLF001  (where Django keeps a body that was read)
        request._stream = BytesIO(body)  # noqa: SLF001
        response = self.get_response(request)
        if response.status_code >= FAULT:
            return refusal(unavailable())
        response["Cache-Control"] = "no-store"
        if response.status_code in _ERRORS and not response.get("Content-Type", "").startswith("application/json"):
            code, detail = _ERRORS[response.status_code]
            allowed = {"Allow": response["Allow"]} if "Allow" in response else None
            return refusal(Refused(response.status_code, code, detail, allowed))
        return response


def _limited(request: HttpRequest, error: Refused) -> Refused:
    """A body that cannot be taken is a failed attempt: whoever goes on sending such is told to wait."""
    waiting = limits.count_try(limits.BODY, network_of(request))
    return limits.too_many(waiting) if waiting else error


def _body(request: HttpRequest) -> bytes:
    # The server has read it whole, or one byte more than anybody may send.
    body = request.read(BODY_LIMIT_BYTES + 1)
    if len(body) > BODY_LIMIT_BYTES:
        raise _too_large()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding == "gzip":
        return _gunzip(body)
    raise Refused(400, "bad_request", "bodies are plain or gzip")


def _gunzip(body: bytes) -> bytes:
    """The decompressed body. A bomb is noticed at the limit: nothing beyond it is ever decompressed."""
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(body, BODY_LIMIT_BYTES + 1)
    except zlib.error as error:
        raise Refused(400, "bad_request", "not gzip") from error
    if len(plain) > BODY_LIMIT_BYTES:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(400, "bad_request", "not one whole gzip body")
    return plain


def _too_large() -> Refused:
    return Refused(413, "too_large", "a body has 1 MiB at most, decompressed")


JSON = "application/json"
COMPRESSED_FROM_BYTES = 500
GZIP_LEVEL = 6
GZIP_HEADERS = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def takes_gzip(request: HttpRequest) -> bool:
    """Whether the caller says so."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


def gzip_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of one text, compressed as they come."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def json_answer(body: bytes, *, takes_gzip: bool) -> HttpResponse:
    """The JSON text ``body`` as an answer."""
    if len(body) < COMPRESSED_FROM_BYTES or not takes_gzip:
        return HttpResponse(body, content_type=JSON)
    return HttpResponse(b"".join(gzip_of(iter([body]))), content_type=JSON, headers=GZIP_HEADERS)


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


class LeanHeaders:
    """A WSGI application around another. It touches only what shows a bearer token, which no browser does by itself."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI's protocol (PEP 3333)."""
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            return self._application(environ, start_response)

        def start_lean(status: str, headers: Headers, exc_info: Any = None) -> Any:
            lean = [(name, value) for name, value in headers if name.lower() in KEPT]
            return start_response(status, lean, exc_info)

        return self._application(environ, start_lean)
