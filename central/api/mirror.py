"""GET /mirror/snapshot and GET /mirror/changes."""

import json
import zlib
from collections.abc import Iterator
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router

from central.api.auth import StationAuth
from central.api.calls import answers, caller
from central.api.schemas import Changes, Snapshot
from central.api.selfreport import SelfReport
from central.clock import unix_now
from central.feed import page, waiting
from central.stationhealth import note_mirror

router = Router(auth=StationAuth())
JSON = "application/json"
COMPRESSED_FROM_BYTES = 500
LEVEL = 6
CURSOR = "^[A-Za-z0-9_-]+$"


@router.get("/mirror/snapshot", response=answers(401, 429, ok=Snapshot))
def snapshot(request: HttpRequest) -> StreamingHttpResponse:
    """Everything that the station should have, gzip-compressed and streamed."""
    pieces = page.snapshot(caller(request).site_id)
    if not _takes_gzip(request):
        return StreamingHttpResponse(pieces, content_type=JSON)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return StreamingHttpResponse(_gzip(pieces), content_type=JSON, headers=headers)


@router.get("/mirror/changes", response=answers(400, 401, 410, 429, ok=Changes, not_modified=None))
def changes(
    request: HttpRequest,
    since: Annotated[str, Query(max_length=page.CURSOR_LIMIT_CHARACTERS, pattern=CURSOR)],
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    wait: Annotated[int, Query(ge=0, le=50, description="seconds to wait for a change")] = 0,
) -> HttpResponse:
    """What has changed since a cursor; 304 if nothing has, after waiting for it."""
    station = caller(request)
    site = station.site_id
    revision = page.revision_of(site, since)
    note_mirror(station, revision, unix_now(), SelfReport.read(request.headers.get("Station-Health", "")))
    if not waiting.wait_until(site, lambda: page.head(site) > revision, wait):
        return HttpResponse(status=304)
    found = page.changes(site, revision, limit)
    rest: dict[str, Any] = {
        "removes": [{"type": type_, "id": number} for type_, number in found.removes],
        "cursor": page.cursor_of(found.revision),
        "more": found.more,
        "count": found.count,
        "digest": found.digest,
    }
    body = f'{{"upserts":[{",".join(found.upserts)}],{json.dumps(rest)[1:]}'.encode()
    if len(body) < COMPRESSED_FROM_BYTES or not _takes_gzip(request):
        return HttpResponse(body, content_type=JSON)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return HttpResponse(b"".join(_gzip(iter([body]))), content_type=JSON, headers=headers)


def _takes_gzip(request: HttpRequest) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
