"""Key records, station certificates, the signed time, and heads: what a station's mirror is at an instant."""

from central.clock import DAY_S
from central.errors import Refused
from central.models import Key, Site, Station
from central.signing.keyring import central_key, signing_key
from station.records import claims
from station.records.envelope import claimed, sign, verified
from station.records.keys import SigningKey
from station.records.mirror_digest import MirrorSum
from station.records.mirror_head import Call

CERTIFICATE_DAYS = 60
BOX_CERTIFICATE_DAYS = 400
"""Activation boxes meet no network: somebody has to go there."""


def sign_key_record(key: Key, now: int) -> None:
    """Sign what the key is and whose, and keep it: a key with a record is known to stations. Inside a change."""
    # Read again, under a lock: of two that sign at once, the second goes on from what the first has signed.
    mine = Key.objects.select_related("unit", "holder", "site").select_for_update(of=("self",), no_key=True)
    key.record = signed_key_record(mine.get(pk=key.pk), now)
    key.save(update_fields=["record"])


def signed_key_record(key: Key, now: int) -> bytes:
    """What `sign_key_record` keeps: for a key that is yet to be saved."""
    # Later than the one before: by this a station knows which to write to the key.
    before = claimed(claims.KeyRecord, None if key.record is None else bytes(key.record))
    record = claims.KeyRecord(
        issued=now if before is None else max(now, before.issued + 1),
        key=key.number,
        kind=claims.KeyKind(key.kind),
        unit=key.unit.number,
        holder=key.holder.number if key.holder else None,
        key_public=bytes(key.key_public) if key.key_public is not None else None,
    )
    return sign(record, signing_key(key.site))


def sign_certificate(station: Station, public_key: bytes, now: int) -> None:
    """Sign a new station's certificate for that public key, and keep it. Inside a change.

    By the key that signs heads, also while another one signs all else: by it a station knows which key is current. It
    may renew it at once.
    """
    _sign_certificate(station, public_key, central_key(station.site, station.site.current_key), now)


def _sign_certificate(station: Station, public_key: bytes, signer: SigningKey, now: int) -> None:
    days = BOX_CERTIFICATE_DAYS if station.role == Station.Role.ACTIVATION_BOX else CERTIFICATE_DAYS
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
        signer,
    )
    # Its own fields alone: whoever revokes it meanwhile is not undone.
    station.save(update_fields=["public_key", "certificate", "certificate_issued", "certificate_expires"])


def renew_certificate(station: Station, now: int) -> None:
    """Sign anew for the enrolled public key, never another. Inside a change.

    Raises Refused (409 ``too_early``) before half of its life is over.
    """
    assert station.public_key is not None
    issued, expires = station.certificate_issued or 0, station.certificate_expires or 0
    # One by a central key that is being retired is renewed whenever its station asks.
    mine = verified(claims.StationCertificate, bytes(station.certificate or b""), [signing_key(station.site).public])
    if mine is not None and now < issued + (expires - issued) // 2:
        raise Refused(409, "too_early", "a certificate is renewed from half of its life on")
    _sign_certificate(station, bytes(station.public_key), signing_key(station.site), now)


def sign_time(site: Site, nonce: bytes, now: int) -> bytes:
    """The time as a record, for whoever made this nonce."""
    return sign(claims.TimeAnswer(issued=now, nonce=nonce), central_key(site, site.current_key))


def sign_head(
    site: Site,
    current_key: int,
    call: Call,
    revision: int,
    whole: MirrorSum,
    log_seen: claims.LogPosition | None,
    now: int,
) -> bytes:
    """What the calling station's mirror is at revision ``revision``: the sum over ``whole`` of it.

    ``current_key``: the number of the central key that signs heads at that revision. ``log_seen``: of the key that the
    call named; None without entries of it.
    """
    head = claims.Head(
        issued=now,
        station=call.station,
        version=revision,
        nonce=call.nonce,
        count=whole.count,
        mirror_digest=whole.digest(),
        key=None if log_seen is None else call.key,
        log_seen=log_seen,
    )
    return sign(head, central_key(site, current_key))
