"""The contract's worked examples: what is accepted, with which claims, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from station.records.claims import Claims
from station.records.envelope import RecordError, sign, verified, verify
from station.records.keys import SigningKey
from tests.records.strategies import CLAIMS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())
KINDS: dict[str, type[Claims]] = {kind.TYPE: kind for kind in CLAIMS}
SIGNERS = {
    SigningKey(bytes.fromhex(key["seed_hex"])).public: SigningKey(bytes.fromhex(key["seed_hex"]))
    for key in VECTORS["keys"].values()
}


def as_in_json(payload: dict[int, Any]) -> dict[str, Any]:
    return {str(number): value.hex() if isinstance(value, bytes) else value for number, value in payload.items()}


def test_the_keys_are_what_the_vectors_say() -> None:
    for key in VECTORS["keys"].values():
        assert SigningKey(bytes.fromhex(key["seed_hex"])).public.hex() == key["public_hex"]


@pytest.mark.parametrize("vector", [v for v in VECTORS["records"] if v["valid"]], ids=lambda v: v["name"])
def test_valid(vector: dict[str, Any]) -> None:
    record, signer = bytes.fromhex(vector["record_hex"]), bytes.fromhex(vector["signer_public_hex"])
    claims = verify(KINDS[vector["type"]], record, [signer])
    assert as_in_json(claims.to_map()) == vector["claims"]
    # Ed25519 signs without chance: our own record of these claims is the same, byte for byte.
    assert sign(claims, SIGNERS[signer]) == record


@pytest.mark.parametrize("vector", [v for v in VECTORS["records"] if not v["valid"]], ids=lambda v: v["name"])
def test_invalid(vector: dict[str, Any]) -> None:
    kind, record = KINDS[vector["type"]], bytes.fromhex(vector["record_hex"])
    signer = bytes.fromhex(vector["signer_public_hex"])
    with pytest.raises(RecordError) as refused:
        verify(kind, record, [signer])
    assert refused.value.code.startswith("record_")
    assert verified(kind, record, [signer]) is None


def test_every_record_type_has_an_example() -> None:
    assert {v["type"] for v in VECTORS["records"] if v["valid"]} == KINDS.keys()
