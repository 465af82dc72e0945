"""The calls of the API. Each finds out who asks, has an action do it, and puts the answer into its shape."""

import json
from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Status

from central.actions.events import receive_events
from central.actions.keys import hand_out_key
from central.actions.station_health import note_mirror
from central.actions.stations import enrol_station, renew_station_certificate
from central.api.auth import StationAuth, counting_bad_enrolments, counting_bad_provisions, token_of
from central.api.http import GZIP_HEADERS, JSON, gzip_of, json_answer, takes_gzip
from central.api.schemas import (
    Argon2,
    CertificateOut,
    Changes,
    EnrolIn,
    EnrolOut,
    EventResult,
    EventsIn,
    EventsOut,
    Health,
    MirrorObject,
    PinSettings,
    Problem,
    ProvisionIn,
    ProvisionOut,
    RecordOut,
    Snapshot,
    TimeIn,
    self_report_in,
)
from central.clock import unix_now
from central.doors import limits
from central.doors.addresses import network_of
from central.feed import pages
from central.feed.long_poll import wait_until
from central.models import Key, MirrorRow, Station
from central.signing import keyring
from central.signing.pins import LANES, MEMORY_KIB, TIME_COST
from central.signing.records import sign_time
from station.records.base64url import encoded

CURSOR = "^[A-Za-z0-9_-]+$"

open_calls = Router()
station_calls = Router(auth=StationAuth())


def _answers(*errors: int, **success: Any) -> dict[int, Any]:
    """The responses of a call: ``_answers(401, ok=Shape)`` for 200, ``created=Shape`` for 201."""
    codes = {"ok": 200, "created": 201, "not_modified": 304}
    return {codes[name]: shape for name, shape in success.items()} | dict.fromkeys(errors, Problem)


def _caller(request: HttpRequest) -> Station:
    """The station that is calling, with its site and unit."""
    return cast(Station, request.auth)  # type: ignore[attr-defined]


def _head_cursor(station: Station) -> str:
    """The cursor of the newest change: a station that has it need not poll."""
    return pages.cursor_of(pages.head(station.site_id))


@open_calls.get("/healthz", response=_answers(ok=Health), auth=None)
def healthz(request: HttpRequest) -> Health:
    """The server answers."""
    return Health(status="ok")


@open_calls.post("/enrol", response=_answers(400, 403, 410, 413, 429, created=EnrolOut), auth=None)
def enrol(request: HttpRequest, body: EnrolIn) -> Status[EnrolOut]:
    """Enrol a station. The same code with the same public key gives the same answer for its 15 minutes."""
    with counting_bad_enrolments(request):
        station, token = enrol_station(body.code, body.public_key, unix_now())
    secrets = keyring.pin_secrets(station.site)
    answer = EnrolOut(
        station=station.number,
        site=station.site.number,
        role=station.role,
        token=token,
        certificate=encoded(bytes(station.certificate or b"")),
        central_keys=[encoded(key) for key in keyring.public_keys(station.site)],
        pin=PinSettings(
            site_salt=encoded(secrets.site_salt),
            pepper=encoded(secrets.pepper),
            argon2=Argon2(time=TIME_COST, memory_kib=MEMORY_KIB, lanes=LANES),
        ),
        cursor=_head_cursor(station),
    )
    return Status(201, answer)


@station_calls.post("/time", response=_answers(400, 401, 413, 429, ok=RecordOut))
def time(request: HttpRequest, body: TimeIn) -> RecordOut:
    """The time, signed, for the asker of this nonce."""
    limits.require(limits.TIME, network_of(request))
    station = _caller(request)
    record = sign_time(station.site, body.nonce, unix_now())
    return RecordOut(record=encoded(record), cursor=_head_cursor(station))


@station_calls.post("/certificate", response=_answers(401, 409, 413, 429, ok=CertificateOut))
def certificate(request: HttpRequest) -> CertificateOut:
    """Renew the certificate of the enrolled public key, never another, from half of its life on."""
    station = _caller(request)
    renewed = renew_station_certificate(station, unix_now())
    return CertificateOut(certificate=encoded(renewed), cursor=_head_cursor(station))


@station_calls.get("/mirror/snapshot", response=_answers(401, 429, ok=Snapshot))
def snapshot(request: HttpRequest) -> StreamingHttpResponse:
    """Everything that the station should have, gzip-compressed and streamed."""
    pieces = pages.snapshot(_caller(request).site_id)
    if not takes_gzip(request):
        return StreamingHttpResponse(pieces, content_type=JSON)
    return StreamingHttpResponse(gzip_of(pieces), content_type=JSON, headers=GZIP_HEADERS)


@station_calls.get("/mirror/changes", response=_answers(400, 401, 410, 429, ok=Changes, not_modified=None))
def changes(
    request: HttpRequest,
    since: Annotated[str, Query(max_length=pages.CURSOR_LIMIT_CHARACTERS, pattern=CURSOR)],
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    wait: Annotated[int, Query(ge=0, le=50, description="seconds to wait for a change")] = 0,
) -> HttpResponse:
    """What has changed since a cursor; 304 if nothing has, after waiting for it."""
    station = _caller(request)
    site = station.site_id
    revision = pages.revision_of(site, since)
    note_mirror(station, revision, unix_now(), self_report_in(request.headers.get("Station-Health", "")))
    if not wait_until(site, lambda: pages.head(site) > revision, wait, token_of(request)):
        return HttpResponse(status=304)
    found = pages.changes(site, revision, limit)
    rest: dict[str, Any] = {
        "removes": [{"type": type_, "id": number} for type_, number in found.removes],
        "cursor": pages.cursor_of(found.revision),
        "more": found.more,
        "count": found.count,
        "digest": found.digest,
    }
    body = f'{{"upserts":[{",".join(found.upserts)}],{json.dumps(rest)[1:]}'.encode()
    return json_answer(request, body)


@station_calls.post("/events", response=_answers(400, 401, 413, 429, ok=EventsOut))
def events(request: HttpRequest, body: EventsIn) -> HttpResponse:
    """Keep what a station reports, each event once. What is answered as accepted is on the disk."""
    station = _caller(request)
    results = receive_events(station, body.events, unix_now())
    answer = EventsOut(
        results=[EventResult(id=r.id, status=r.status, reason=r.reason) for r in results],
        cursor=_head_cursor(station),
    )
    # Compressed: the answer to a hundred events is as long as they were.
    return json_answer(request, answer.model_dump_json(exclude_none=True).encode())


@station_calls.post("/provision", response=_answers(400, 401, 403, 410, 413, 429, ok=ProvisionOut))
def provision(request: HttpRequest, body: ProvisionIn) -> ProvisionOut:
    """Sign the record of the code's key; from now on stations know it. The same again for the code's 15 minutes."""
    station = _caller(request)
    with counting_bad_provisions(station):
        key = hand_out_key(body.code, station, unix_now())
    row = MirrorRow.objects.get(site=station.site_id, type=Key.MIRROR_TYPE, number=key.number)
    mirror_object = MirrorObject.model_validate(json.loads(pages.with_revision(row.content, row.revision)))
    return ProvisionOut(key=mirror_object, cursor=_head_cursor(station))
