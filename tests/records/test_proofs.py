"""Proofs of a private key: the contract's examples, and what a thief of files or of public keys can send."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from station.records.keys import SigningKey
from station.records.proofs import (
    KeyProof,
    act_digest,
    enrolment_proof,
    enrolment_proven,
    key_proof,
    provision_nonce,
    provision_proven,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ids.json").read_text())
KEY, OTHER = SigningKey(b"\1" * 32), SigningKey(b"\2" * 32)
NONCE = b"n" * 16
CODE = "12-K7QW-9ZTM"


@pytest.mark.parametrize("vector", VECTORS["enrolments"], ids=lambda v: v["name"])
def test_enrolment_vector(vector: dict[str, Any]) -> None:
    public_key, proof = bytes.fromhex(vector["public_key_hex"]), bytes.fromhex(vector["proof_hex"])
    assert enrolment_proven(vector["code"], public_key, proof) is vector["valid"]


@pytest.mark.parametrize("vector", VECTORS["provisions"], ids=lambda v: v["name"])
def test_provision_vector(vector: dict[str, Any]) -> None:
    proof, key_public = vector["proof"], bytes.fromhex(vector["key_public_hex"])
    digest, signature = bytes.fromhex(proof["a_hex"]), bytes.fromhex(proof["s_hex"])
    assert provision_proven(vector["code"], key_public, digest, proof["t"], signature) is vector["valid"]
    if vector["valid"]:
        assert act_digest(bytes.fromhex(vector["act_hex"] or "")) == digest


def test_a_station_enrols_with_its_own_key() -> None:
    proof = enrolment_proof(CODE, KEY)
    assert enrolment_proven(CODE, KEY.public, proof)
    assert not enrolment_proven(CODE, OTHER.public, proof)
    assert not enrolment_proven(CODE.lower(), KEY.public, proof)


def test_a_code_that_is_not_ascii_proves_nothing() -> None:
    assert not enrolment_proven("12-Å", KEY.public, bytes(64))
    assert not provision_proven("１２３４５６７８９０", KEY.public, bytes(16), 5, bytes(64))


@pytest.mark.parametrize("proof", [b"", bytes(63), bytes(64), bytes(65)])
def test_no_signature(proof: bytes) -> None:
    assert not enrolment_proven(CODE, KEY.public, proof)


@pytest.mark.parametrize("time_s", [None, 0, 1_795_000_000, 2**64 - 1])
def test_a_key_proves_itself(time_s: int | None) -> None:
    proof = key_proof(KEY, NONCE, b"act", time_s)
    assert proof.signed_by(KEY.public, b"act")
    assert not proof.signed_by(KEY.public, b"another act")
    assert not proof.signed_by(OTHER.public, b"act")


def test_a_proof_of_another_nonce_or_time() -> None:
    proof = key_proof(KEY, NONCE, b"", 1)
    assert not KeyProof(b"m" * 16, 1, proof.signature).signed_by(KEY.public, b"")
    assert not KeyProof(NONCE, 2, proof.signature).signed_by(KEY.public, b"")
    assert not KeyProof(NONCE, None, proof.signature).signed_by(KEY.public, b"")


@pytest.mark.parametrize("time_s", [-1, 2**64, True, 1.0])
def test_a_time_that_is_no_unsigned_number(time_s: Any) -> None:
    assert not key_proof(KEY, NONCE, b"", time_s).signed_by(KEY.public, b"")


def test_a_nonce_of_another_length_is_refused() -> None:
    assert not key_proof(KEY, b"short", b"", 1).signed_by(KEY.public, b"")


def test_the_nonce_of_a_hand_out_is_made_of_its_code() -> None:
    assert provision_nonce("0123456789") == hashlib.sha256(b"provision/1:0123456789").digest()[:16]
    proof = key_proof(KEY, provision_nonce("0123456789"), b"\0", None)
    assert provision_proven("0123456789", KEY.public, act_digest(b"\0"), None, proof.signature)
    assert not provision_proven("0123456788", KEY.public, act_digest(b"\0"), None, proof.signature)
