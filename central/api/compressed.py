"""Answers as JSON, compressed where that is worth it and the caller takes it."""

import zlib
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse

JSON = "application/json"
COMPRESSED_FROM_BYTES = 500
LEVEL = 6
HEADERS = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def takes_gzip(request: HttpRequest) -> bool:
    """Whether the caller says so."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


def gzip_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of one text, compressed as they come."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def json_answer(request: HttpRequest, body: bytes) -> HttpResponse:
    """The JSON text ``body`` as an answer."""
    if len(body) < COMPRESSED_FROM_BYTES or not takes_gzip(request):
        return HttpResponse(body, content_type=JSON)
    return HttpResponse(b"".join(gzip_of(iter([body]))), content_type=JSON, headers=HEADERS)
