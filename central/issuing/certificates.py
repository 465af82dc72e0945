"""Station certificates: 60 days, renewed at half; activation boxes, which meet no network, 400 days."""

from central.clock import DAY_S
from central.errors import Refused
from central.issuing import keyring
from central.models import Station
from station.records import claims
from station.records.envelope import sign, verified

LIFE_DAYS = 60
BOX_LIFE_DAYS = 400


def certify(station: Station, public_key: bytes, now: int) -> None:
    """Sign a certificate for that key and keep it. Inside a change."""
    days = BOX_LIFE_DAYS if station.role == Station.Role.ACTIVATION_BOX else LIFE_DAYS
    station.public_key = public_key
    station.certificate_issued = now
    station.certificate_expires = now + days * DAY_S
    station.certificate = sign(
        claims.StationCertificate(
            expires=station.certificate_expires,
            issued=now,
            unit=station.unit.number,
            station=station.number,
            public_key=public_key,
            role=claims.Role(station.role),
        ),
        keyring.signing_key(station.site),
    )
    station.save()


def renew(station: Station, now: int) -> None:
    """Sign anew for the enrolled public key, never another. Raises Refused: 409 ``too_early`` before half-life."""
    assert station.public_key is not None
    issued, expires = station.certificate_issued or 0, station.certificate_expires or 0
    # One by a central key that is being retired is renewed whenever its station asks.
    mine = verified(
        claims.StationCertificate, bytes(station.certificate or b""), [keyring.signing_key(station.site).public]
    )
    if mine is not None and now < issued + (expires - issued) // 2:
        raise Refused(409, "too_early", "a certificate is renewed from half of its life on")
    certify(station, bytes(station.public_key), now)
