"""The calls of the API. Each finds out who asks, has an action do it, and puts the answer into its shape."""

from typing import Annotated, Any, TypeAlias, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Status

from central.actions.events import receive_events
from central.actions.hand_out import OwnKey, hand_out_key, proven_key
from central.actions.station_health import note_mirror
from central.actions.stations import enrol_station, renew_station_certificate
from central.api.auth import StationAuth, counting_bad_enrolments, counting_bad_provisions, token_of
from central.api.http import GZIP_HEADERS, JSON, gzip_of, json_answer, takes_gzip
from central.api.polls import Poll, let_wait
from central.api.schemas import (
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
    Snapshot,
    TimeIn,
    TimeOut,
    self_report_in,
)
from central.api.site_facts import chain_of, pin_settings_of
from central.clock import unix_now
from central.doors import limits
from central.doors.addresses import network_of
from central.errors import Refused
from central.feed import pages
from central.feed.cursors import LIMIT_CHARACTERS, Cursor, newest_cursor
from central.feed.reading import told_object
from central.models import CentralKey, Site, Station
from central.models.base import MAX_UINT32
from central.signing.records import sign_time
from station.records.base64url import decoded, encoded

CURSOR = "^[A-Za-z0-9_-]+$"
NONCE = "^[A-Za-z0-9_-]{21}[AQgw]$"
"""Of the four spellings of sixteen bytes the one whose spare bits are zero."""

Nonce: TypeAlias = Annotated[str, Query(min_length=22, max_length=22, pattern=NONCE, description="16 random bytes")]

open_calls = Router()
station_calls = Router(auth=StationAuth())


def _answers(*errors: int, **success: Any) -> dict[int, Any]:
    """The responses of a call: ``_answers(401, ok=Shape)`` for 200, ``created=Shape`` for 201."""
    codes = {"ok": 200, "created": 201}
    return {codes[name]: shape for name, shape in success.items()} | dict.fromkeys((*errors, 503), Problem)


def _caller(request: HttpRequest) -> Station:
    """The station that is calling, with its site and unit."""
    return cast(Station, request.auth)  # type: ignore[attr-defined]


def _refuse_boxes(station: Station) -> None:
    """Raise Refused (403) for an activation box: it needs little, and whoever steals it gets no more."""
    if station.role == Station.Role.ACTIVATION_BOX:
        raise Refused(403, "forbidden", "an activation box does not ask this")


@open_calls.get("/healthz", response=_answers(ok=Health), auth=None)
def healthz(request: HttpRequest) -> Health:
    """The server answers."""
    return Health(status="ok")


@open_calls.post("/enrol", response=_answers(400, 403, 410, 413, 429, created=EnrolOut), auth=None)
def enrol(request: HttpRequest, body: EnrolIn) -> Status[EnrolOut]:
    """Enrol a station. The same code and public key give the same answer for 15 minutes, until its token is used."""
    with counting_bad_enrolments(request):
        station, token = enrol_station(body.code, body.public_key, body.proof, unix_now())
    answer = EnrolOut(
        station=station.number,
        site=station.site.number,
        role=station.role,
        token=token,
        certificate=encoded(bytes(station.certificate or b"")),
        central_keys=chain_of(station.site),
        pin=pin_settings_of(station.site),
    )
    return Status(201, answer)


@open_calls.post("/time", response=_answers(400, 404, 413, 429, ok=TimeOut), auth=None)
def time(request: HttpRequest, body: TimeIn) -> TimeOut:
    """The time, signed, for the asker of this nonce. Without a token: whose clock is lost believes no certificate."""
    limits.require(limits.TIME, network_of(request))
    site = Site.objects.filter(number=body.site).first()
    if site is None:
        raise Refused(404, "unknown_site", "no such site")
    record = sign_time(site, body.nonce, unix_now())
    links = CentralKey.objects.filter(site=site).order_by("number").values_list("record", flat=True)
    return TimeOut(record=encoded(record), central_keys=[encoded(bytes(link)) for link in links])


@station_calls.get("/pin", response=_answers(401, 429, ok=PinSettings))
def pin(request: HttpRequest) -> PinSettings:
    """What turns a PIN into its tags, in every version that PINs are tagged with."""
    return pin_settings_of(_caller(request).site)


@station_calls.post("/certificate", response=_answers(401, 409, 413, 429, ok=CertificateOut))
def certificate(request: HttpRequest) -> CertificateOut:
    """Renew the certificate of the enrolled public key, never another.

    From half of its life on, or at once where an older central key has signed it than signs certificates now.
    """
    station = _caller(request)
    renewed = renew_station_certificate(station, unix_now())
    return CertificateOut(certificate=encoded(renewed), cursor=newest_cursor(station.site_id))


@station_calls.get("/mirror/snapshot", response=_answers(400, 401, 429, ok=Snapshot))
def snapshot(request: HttpRequest, nonce: Nonce) -> StreamingHttpResponse:
    """Everything that the station should have, gzip-compressed and streamed."""
    pieces = pages.snapshot(pages.Asked(_caller(request), decoded(nonce)))
    if not takes_gzip(request):
        return StreamingHttpResponse(pieces, content_type=JSON)
    return StreamingHttpResponse(gzip_of(pieces), content_type=JSON, headers=GZIP_HEADERS)


@station_calls.get("/mirror/changes", response=_answers(400, 401, 403, 410, 429, ok=Changes))
def changes(
    request: HttpRequest,
    since: Annotated[str, Query(max_length=LIMIT_CHARACTERS, pattern=CURSOR)],
    nonce: Nonce,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    wait: Annotated[int, Query(ge=0, le=50, description="seconds to wait for a change")] = 0,
    key: Annotated[int | None, Query(ge=1, le=MAX_UINT32, description="the key that is in the socket")] = None,
) -> HttpResponse:
    """What has changed since a cursor, at once or when something does, and the head that confirms it."""
    station = _caller(request)
    if key is not None:
        _refuse_boxes(station)
    asked, cursor = pages.Asked(station, decoded(nonce), key), Cursor.of(since)
    poll = Poll(asked, cursor, limit, token_of(request), takes_gzip=takes_gzip(request))
    page = pages.changes(asked, cursor, limit)
    note_mirror(station, cursor.revision, unix_now(), self_report_in(request.headers.get("Station-Health", "")))
    if wait and page.is_empty:
        let_wait(request, poll, wait, page.cursor.revision)
    return poll.answer(page)


@station_calls.post("/events", response=_answers(400, 401, 413, 429, ok=EventsOut))
def events(request: HttpRequest, body: EventsIn) -> HttpResponse:
    """Keep what a station reports, each event once. What is answered as accepted is on the disk."""
    station = _caller(request)
    results = receive_events(station, body.events, unix_now())
    answer = EventsOut(
        results=[EventResult(id=r.id, status=r.status, reason=r.reason) for r in results],
        cursor=newest_cursor(station.site_id),
    )
    # Compressed: the answer to a hundred events is as long as they were.
    return json_answer(answer.model_dump_json(exclude_none=True).encode(), takes_gzip=takes_gzip(request))


def _own_key(body: ProvisionIn) -> OwnKey | None:
    """The public key that is to be certified. Raises Refused (403) for one without its proof, or the other way."""
    if body.key_public is None and body.proof is None:
        return None
    if body.key_public is None or body.proof is None:
        raise Refused(403, "bad_proof", "a public key and its proof come together")
    return proven_key(body.code, body.key_public, body.proof.a, body.proof.t, body.proof.s)


@station_calls.post("/provision", response=_answers(400, 401, 403, 409, 410, 413, 429, ok=ProvisionOut))
def provision(request: HttpRequest, body: ProvisionIn) -> ProvisionOut:
    """Sign the record of the code's key; from now on stations know it. The same again for the code's 15 minutes."""
    station = _caller(request)
    own = _own_key(body)
    with counting_bad_provisions(station):
        key = hand_out_key(body.code, station, unix_now(), own)
    return ProvisionOut(key=MirrorObject.model_validate(told_object(key)))
