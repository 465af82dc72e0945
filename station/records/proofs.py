"""Proofs that somebody has a private key: a key in a socket or at a lock, and a station at its enrolment.

Files can be copied, a private key in a secure element cannot. Source: the key-link contract, "Proof", and the central
API, ``/enrol``.
"""

import hashlib
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from station.records.claims import MAX_UINT64
from station.records.keys import PublicKey, SigningKey
from station.records.public_keys import is_public_key

NONCE_BYTES = 16
ACT_DIGEST_BYTES = 16


def act_digest(act: bytes) -> bytes:
    """What a proof says of the key's ``act`` file as it is, no bytes where there is none: 16 bytes of its SHA-256."""
    return hashlib.sha256(act).digest()[:ACT_DIGEST_BYTES]


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A key's answer to a nonce: its clock, and its signature over the nonce, its ``act`` and that clock."""

    nonce: bytes
    """Of the asker, 16 bytes, used for this question only; never one that came with the answer."""
    time_s: int | None
    """The key's clock in Unix seconds; None: it is unset."""
    signature: bytes

    def signed_by(self, public_key: PublicKey, act: bytes) -> bool:
        """Whether the owner of ``public_key`` has signed this, with ``act`` as the content of that file."""
        return self.signed_over(public_key, act_digest(act))

    def signed_over(self, public_key: PublicKey, digest: bytes) -> bool:
        """As `signed_by`, where only the `act_digest` of the file is known."""
        if len(self.nonce) != NONCE_BYTES or len(digest) != ACT_DIGEST_BYTES:
            return False
        # CBOR's true is another byte than 1, and Python's equal: a proof has one form.
        if self.time_s is not None and (type(self.time_s) is not int or not 0 <= self.time_s <= MAX_UINT64):
            return False
        return _signed(public_key, self.signature, _proof_message(self.nonce, digest, self.time_s))


def key_proof(key: SigningKey, nonce: bytes, act: bytes, time_s: int | None) -> KeyProof:
    """What a key with this private key answers; for emulated keys."""
    return KeyProof(nonce, time_s, key.sign(_proof_message(nonce, act_digest(act), time_s)))


def provision_nonce(code: str) -> bytes:
    """What a key is asked at its hand-out: made of the code, so that central knows it too.

    Raises ValueError for a code that is not ASCII.
    """
    return hashlib.sha256(b"provision/1:" + code.encode("ascii")).digest()[:NONCE_BYTES]


def provision_proven(code: str, key_public: PublicKey, digest: bytes, time_s: int | None, signature: bytes) -> bool:
    """Whether a key has proved at its hand-out that it has the private key of ``key_public``.

    ``digest``, ``time_s`` and ``signature`` are ``a``, ``t`` and ``s`` of the call. The time may be None, and is not
    judged: a new key's clock is unset.
    """
    if not code.isascii():
        return False
    return KeyProof(provision_nonce(code), time_s, signature).signed_over(key_public, digest)


def enrolment_proof(code: str, key: SigningKey) -> bytes:
    """What a station sends with its public key: its signature over the code.

    Raises ValueError for a code that is not ASCII.
    """
    return key.sign(_enrolment_message(code))


def enrolment_proven(code: str, public_key: PublicKey, proof: bytes) -> bool:
    """Whether who enrols has the private key of ``public_key``; False also for a key that is none, or of small order.

    Whoever only knows the public key, which is on every key in the site, gets nothing.
    """
    return code.isascii() and _signed(public_key, proof, _enrolment_message(code))


def _proof_message(nonce: bytes, digest: bytes, time_s: int | None) -> bytes:
    return cbor2.dumps(["key-proof/1", nonce, digest, time_s], canonical=True)


def _enrolment_message(code: str) -> bytes:
    return b"enrol/1:" + code.encode("ascii")


def _signed(public_key: PublicKey, signature: bytes, message: bytes) -> bool:
    if not is_public_key(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
