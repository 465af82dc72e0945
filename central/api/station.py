"""POST /time and POST /certificate."""

from django.http import HttpRequest
from ninja import Router

from central.api.auth import StationAuth
from central.api.calls import answers, caller, head_cursor
from central.api.schemas import CertificateOut, RecordOut, TimeIn
from central.clock import unix_now
from central.feed import change
from central.issuing import certificates, keyring
from central.models import Station
from central.models.base import base64url
from station.records.claims import TimeAnswer
from station.records.envelope import sign

router = Router(auth=StationAuth())


@router.post("/time", response=answers(400, 401, 413, 429, ok=RecordOut))
def time(request: HttpRequest, body: TimeIn) -> RecordOut:
    """The time, signed, for the asker of this nonce."""
    station = caller(request)
    record = sign(TimeAnswer(issued=unix_now(), nonce=body.nonce), keyring.signing_key(station.site))
    return RecordOut(record=base64url(record), cursor=head_cursor(station))


@router.post("/certificate", response=answers(401, 409, 413, 429, ok=CertificateOut))
def certificate(request: HttpRequest) -> CertificateOut:
    """Renew the certificate of the enrolled public key, never another, from half of its life on."""
    with change():
        station = Station.objects.select_related("site", "unit").get(pk=caller(request).pk)
        certificates.renew(station, unix_now())
    return CertificateOut(certificate=base64url(bytes(station.certificate or b"")), cursor=head_cursor(station))
