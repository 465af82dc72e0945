"""Handing out keys at a station: codes of ten digits, and the record that makes a blank key the one that was meant.

A code is short because a station's token guards the call (`central.doors.limits.PROVISION`), and good for 15 minutes.
A key that can prove itself does so with it, and its public key goes into its record (claim 36) for good.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from central import datafolder
from central.actions.audit_notes import noting
from central.clock import unix_now
from central.errors import Refused
from central.feed import change
from central.models import Key, ProvisionCode, Station
from central.signing.blocklists import lock_site
from central.signing.records import sign_key_record
from station.records.proofs import provision_proven

DIGITS = 10
VALID_S = 15 * 60


@dataclass(frozen=True)
class OwnKey:
    """A key's public key; it has proved that it has the private one."""

    public: bytes


def proven_key(shown_code: str, key_public: bytes, a: bytes, t: int | None, s: bytes) -> OwnKey:
    """The key that has proved itself with this code.

    ``a``, ``t`` and ``s`` are the contract's: the digest of its ``act`` file, its clock, its signature. Raises Refused
    (403 ``bad_proof``), also for a public key that is none, or of small order.
    """
    if not provision_proven(shown_code, key_public, a, t, s):
        raise Refused(403, "bad_proof", "the key has not proved that this public key is its own")
    return OwnKey(key_public)


def new_provision_code(key: Key) -> str:
    """Make a code that hands out this key. Earlier unused ones of the key end."""
    ProvisionCode.objects.filter(key=key, used_at=None).delete()
    now = unix_now()
    code = _digits()
    while ProvisionCode.objects.filter(code_hash=_hash(key.site_id, code)).exists():
        code = _digits()
    ProvisionCode.objects.create(code_hash=_hash(key.site_id, code), key=key, created_at=now, expires_at=now + VALID_S)
    return code


def hand_out_key(shown_code: str, station: Station, now: int, own: OwnKey | None = None) -> Key:
    """Make a blank key, at a station, the one that the code names: sign its record; from now on stations know it.

    The same station may ask again for the same key for the code's 15 minutes. Raises Refused: 403 ``bad_code``,
    409 ``number_taken``, 410 ``code_spent``.
    """
    key_public = own.public if own is not None else None
    code_hash = _hash(station.site_id, shown_code)
    with change():
        # One hand-out of the site at a time: of two keys with one public key, the second is refused.
        lock_site(station.site)
        code = ProvisionCode.objects.filter(code_hash=code_hash, key__site=station.site_id).first()
        if code is None:
            raise Refused(403, "bad_code", "no such code")
        there = Key.objects.select_related("site", "unit", "holder")
        key = there.select_for_update(of=("self",), no_key=True).get(pk=code.key_id)
        if code.used_at is None:
            if now >= code.expires_at or key.status in (Key.Status.BLOCKED, Key.Status.RETURNED):
                raise Refused(410, "code_spent", "this code is good for nothing any more: ask for a new one")
            _check_number(key, key_public)
            with noting(station=station.number):
                key.status, key.key_public = Key.Status.ACTIVE, key_public
                key.save(update_fields=["status", "key_public"])
                sign_key_record(key, now)
            code.used_at, code.used_by, code.used_key_public = now, station, key_public
            code.save(update_fields=["used_at", "used_by", "used_key_public"])
        elif now >= code.expires_at or code.used_by_id != station.pk or _bytes(code.used_key_public) != key_public:
            raise Refused(410, "code_spent", "this code has been used: ask for a new one")
    return key


def _check_number(key: Key, key_public: bytes | None) -> None:
    """Raise Refused (409) where a record with this public key, or with none, would let another key pass for this one.

    Records never end: a clone with an older ``id`` of this number must not open.
    """
    if key.record is not None and _bytes(key.key_public) != key_public:
        raise Refused(409, "number_taken", "this number has been handed out to another key: take a new number")
    others = Key.objects.filter(site=key.site_id, key_public=key_public).exclude(pk=key.pk)
    if key_public is not None and others.exists():
        raise Refused(409, "number_taken", "this key has been handed out under another number")


def _digits() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def _hash(site: int, code: str) -> str:
    message = f"provision/{site}/{code}".encode("utf-8", "surrogatepass")
    return hmac.new(datafolder.derived_key("code"), message, hashlib.sha256).hexdigest()


def _bytes(value: object) -> bytes | None:
    """As a database gives binary values: PostgreSQL's are views."""
    return None if value is None else bytes(value)  # type: ignore[call-overload]
