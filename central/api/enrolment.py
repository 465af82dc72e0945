"""POST /enrol: a one-time code makes its sender a station. GET /healthz."""

from django.http import HttpRequest
from ninja import Router, Status

from central.api.auth import counted, fingerprint
from central.api.calls import answers, head_cursor
from central.api.schemas import Argon2, EnrolIn, EnrolOut, Health, PinSettings
from central.clock import DAY_S, unix_now
from central.codes import derived_token, find
from central.errors import Refused
from central.feed import change
from central.issuing import certificates, keyring
from central.models import EnrolmentCode, Station, StationToken
from central.models.base import base64url
from central.pins import LANES, MEMORY_KIB, TIME_COST

router = Router()
OVERLAP_S = DAY_S
"""How long the token before stays good, so that a station that is set up anew is not locked out half-way."""


@router.get("/healthz", response=answers(ok=Health), auth=None)
def healthz(request: HttpRequest) -> Health:
    """The server answers."""
    return Health(status="ok")


@router.post("/enrol", response=answers(400, 403, 410, 413, 429, created=EnrolOut), auth=None)
def enrol(request: HttpRequest, body: EnrolIn) -> Status[EnrolOut]:
    """Enrol a station. The same code with the same public key gives the same answer for its 15 minutes."""
    now = unix_now()
    with counted(request):
        found = find(EnrolmentCode, body.code, now)
    token = derived_token(body.code, body.public_key)
    # A code that somebody else has used counts like a wrong one.
    with counted(request), change():
        # Read again inside the transaction: of two that come at once with different keys, one is too late.
        code = EnrolmentCode.objects.select_for_update().get(pk=found.pk)
        station = Station.objects.select_related("site", "unit").get(pk=code.station_id)
        if code.used_at is None:
            if station.stolen:
                raise Refused(403, "bad_code", "no such code")
            _enrol(station, body.public_key, token, now)
            code.used_at, code.used_public_key = now, body.public_key
            code.save(update_fields=["used_at", "used_public_key"])
        elif bytes(code.used_public_key or b"") != body.public_key or station.stolen:
            raise Refused(410, "code_spent", "this code has been used: ask for a new one")
    return Status(201, _answer(station, token))


def _enrol(station: Station, public_key: bytes, token: str, now: int) -> None:
    # Two at most: one that an earlier enrolment has already set an end to goes at once.
    station.tokens.exclude(expires_at=None).delete()
    station.tokens.update(expires_at=now + OVERLAP_S)
    StationToken.objects.create(sha256=fingerprint(token), station=station, created_at=now)
    station.status, station.last_contact = Station.Status.UP, now
    certificates.certify(station, public_key, now)


def _answer(station: Station, token: str) -> EnrolOut:
    secrets = keyring.pin_secrets(station.site)
    return EnrolOut(
        station=station.number,
        site=station.site.number,
        role=station.role,
        token=token,
        certificate=base64url(bytes(station.certificate or b"")),
        central_keys=[base64url(key) for key in keyring.public_keys(station.site)],
        pin=PinSettings(
            site_salt=base64url(secrets.site_salt),
            pepper=base64url(secrets.pepper),
            argon2=Argon2(time=TIME_COST, memory_kib=MEMORY_KIB, lanes=LANES),
        ),
        cursor=head_cursor(station),
    )
