"""What surrounds every API call: a limit on bodies, also after decompression, and errors that are JSON."""

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from central.errors import Refused
from central.security.attempts import attempts
from central.security.client import address_of

API_PATH = "/api/"
BODY_LIMIT_BYTES = 1024 * 1024
DISCARD_LIMIT_BYTES = 8 * BODY_LIMIT_BYTES

_ERRORS = {404: ("not_found", "no such call"), 405: ("method_not_allowed", "this call has another method")}


def refusal(error: Refused) -> HttpResponse:
    """The answer to a call that is refused."""
    return JsonResponse({"error": error.code, "detail": error.detail}, status=error.status, headers=error.headers)


class ApiMiddleware:
    """Only touches what is under ``/api/``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        if not request.path.startswith(API_PATH):
            return self.get_response(request)
        try:
            body = _body(request)
        except Refused as error:
            return refusal(_limited(request, error))
        request._body = body  # noqa: SLF001  (where Django keeps a body that was read)
        request._stream = BytesIO(body)  # noqa: SLF001
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        if response.status_code in _ERRORS and not response.get("Content-Type", "").startswith("application/json"):
            code, detail = _ERRORS[response.status_code]
            allowed = {"Allow": response["Allow"]} if "Allow" in response else None
            return refusal(Refused(response.status_code, code, detail, allowed))
        return response


def _limited(request: HttpRequest, error: Refused) -> Refused:
    """A body that cannot be taken is a failed attempt: whoever goes on sending such is told to wait."""
    client = address_of(request)
    wait_s = attempts.wait_s(client)
    attempts.failed(client)
    if not wait_s:
        return error
    return Refused(429, "too_many_tries", "too many failed attempts: wait", {"Retry-After": str(wait_s)})


def _body(request: HttpRequest) -> bytes:
    chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    # Django reads nothing without a length; the server's own stream ends where the chunks do.
    stream = request.environ["wsgi.input"] if chunked else request  # type: ignore[attr-defined]
    try:
        body = bytes(stream.read(BODY_LIMIT_BYTES + 1))
        if len(body) > BODY_LIMIT_BYTES:
            _discard(stream)
            raise _too_large()
    except OSError as error:
        raise Refused(400, "bad_request", "the body ended early") from error
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding == "gzip":
        return _gunzip(body)
    raise Refused(400, "bad_request", "bodies are plain or gzip")


def _discard(stream: Any) -> None:
    """Read on for a while, so that the sender gets to hear the answer instead of a closed connection."""
    for _ in range(DISCARD_LIMIT_BYTES // BODY_LIMIT_BYTES):
        if not stream.read(BODY_LIMIT_BYTES):
            return


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
