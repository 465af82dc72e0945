"""GET /mirror/snapshot and GET /mirror/changes."""

import json
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router

from central.api.auth import StationAuth
from central.api.calls import answers, caller
from central.api.compressed import HEADERS, JSON, gzip_of, json_answer, takes_gzip
from central.api.schemas import Changes, Snapshot
from central.api.selfreport import SelfReport
from central.clock import unix_now
from central.feed import page, waiting
from central.stationhealth import note_mirror

router = Router(auth=StationAuth())
CURSOR = "^[A-Za-z0-9_-]+$"


@router.get("/mirror/snapshot", response=answers(401, 429, ok=Snapshot))
def snapshot(request: HttpRequest) -> StreamingHttpResponse:
    """Everything that the station should have, gzip-compressed and streamed."""
    pieces = page.snapshot(caller(request).site_id)
    if not takes_gzip(request):
        return StreamingHttpResponse(pieces, content_type=JSON)
    return StreamingHttpResponse(gzip_of(pieces), content_type=JSON, headers=HEADERS)


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
    return json_answer(request, body)
