"""The envelope of a record: a COSE_Sign1 array in deterministic CBOR, signed with Ed25519.

Sources: RFC 9052 (COSE_Sign1, Sig_structure), RFC 8949 section 4.2.1 (deterministic encoding), RFC 8032 (Ed25519).
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar, cast

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from station.errors import StationError
from station.records.claims import ClaimError, Claims
from station.records.keys import PublicKey, SigningKey

DIGEST_BYTES = 16
C = TypeVar("C", bound=Claims)

KEYS_KEPT = 64
"""Public keys that are not made ready anew for each record: a first mirror has 80,000, mostly of one."""
_ALGORITHM, _EDDSA, _KID = 1, -8, 4
_FOUR, _EMPTY_MAP = b"\x84", b"\xa0"
_SIGNATURE1 = _FOUR + b"\x6aSignature1"


class RecordError(StationError):
    """A record that must not be believed. ``code`` says which check failed; nothing of the record is in it."""


def digest(record: bytes) -> bytes:
    """What an activation names a permit by: the first 16 bytes of SHA-256 over the whole record."""
    return hashlib.sha256(record).digest()[:DIGEST_BYTES]


def sign(claims: Claims, key: SigningKey) -> bytes:
    """The record of ``claims``, signed. Raises RecordError if a claim is out of range or the record too long."""
    try:
        payload = _encode(claims.to_map())
    except ClaimError as error:
        raise RecordError("record_claims", type=claims.TYPE) from error
    protected = _protected(key.public)
    record = _enveloped(protected, payload, key.sign(_to_be_signed(claims.TYPE, protected, payload)))
    if len(record) > claims.LIMIT_BYTES:
        raise RecordError("record_too_long", type=claims.TYPE)
    return record


def verify(kind: type[C], record: bytes, signers: Iterable[PublicKey]) -> C:
    """The claims of ``record``, which one of ``signers`` has signed as a record of this kind.

    The signature is checked before any claim is looked at. Raises RecordError for anything that the strict decoding of
    the contract does not allow, whoever signed it.
    """
    protected, payload, signature = _opened(kind, record)
    signer = next((s for s in signers if _protected(s) == protected), None)
    if signer is None:
        raise RecordError("record_unknown_signer", type=kind.TYPE)
    try:
        message = _to_be_signed(kind.TYPE, protected, payload)
        _verifier(signer).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise RecordError("record_bad_signature", type=kind.TYPE) from error
    return _claims(kind, payload)


def claimed(kind: type[C], record: bytes | None) -> C | None:
    """What ``record`` says before its signature has been looked at: only to choose whose signature to look for."""
    try:
        return _claims(kind, _opened(kind, record)[1]) if record else None
    except RecordError:
        return None


def verified(kind: type[C], record: bytes | None, signers: Iterable[PublicKey]) -> C | None:
    """As `verify`, with None for a record that is missing or must not be believed."""
    try:
        return verify(kind, record, signers) if record else None
    except RecordError:
        return None


def _opened(kind: type[Claims], record: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature. Raises RecordError for what is no envelope of the one form."""
    if len(record) > kind.LIMIT_BYTES:
        raise RecordError("record_too_long", type=kind.TYPE)
    parts = _decode(record)
    if not isinstance(parts, list) or len(parts) != 4:
        raise RecordError("record_malformed", type=kind.TYPE)
    protected, _, payload, signature = parts
    shaped = isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)
    # Encoding the parts anew also refuses trailing bytes, tags, long integers and anything in the unprotected map.
    if not shaped or _enveloped(protected, payload, signature) != record:
        raise RecordError("record_malformed", type=kind.TYPE)
    return protected, payload, signature


def _claims(kind: type[C], payload: bytes) -> C:
    claimed_map = _decode(payload)
    try:
        claims = kind.from_map(claimed_map)
    except ClaimError as error:
        raise RecordError("record_claims", type=kind.TYPE) from error
    # What was read says each claim in the one way there is, if CBOR's 1.0 and true have not passed for a number.
    if (
        not all(type(number) is int for number in cast(dict[object, object], claimed_map))
        or _encode(claimed_map) != payload
    ):
        raise RecordError("record_not_deterministic", type=kind.TYPE)
    return claims


@lru_cache(KEYS_KEPT)
def _verifier(signer: PublicKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(signer)


@lru_cache(KEYS_KEPT)
def _protected(signer: PublicKey) -> bytes:
    return _encode({_ALGORITHM: _EDDSA, _KID: hashlib.sha256(signer).digest()[:8]})


def _to_be_signed(record_type: str, protected: bytes, payload: bytes) -> bytes:
    return _SIGNATURE1 + _octets(protected) + _octets(record_type.encode("ascii")) + _octets(payload)


def _enveloped(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return _FOUR + _octets(protected) + _EMPTY_MAP + _octets(payload) + _octets(signature)


def _octets(data: bytes) -> bytes:
    """A byte string in CBOR. By hand, as the lists around it: a first mirror has 80,000 records."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 2**8:
        return bytes((0x58, size)) + data
    return bytes((0x59, *size.to_bytes(2, "big"))) + data if size < 2**16 else b"\x5a" + size.to_bytes(4, "big") + data


def _encode(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def _decode(data: bytes) -> object:
    try:
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise RecordError("record_malformed") from error
