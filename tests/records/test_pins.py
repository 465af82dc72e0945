"""PIN tags: the contract's examples, and that faults show nothing of the PIN."""

import json
from pathlib import Path

import pytest

from station.records import pin_secrets, pins
from station.records.pins import PinFault, pin_tag, pin_tags

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "pin.json").read_text())
SALT, PEPPER = bytes.fromhex(VECTORS["site_salt_hex"]), bytes.fromhex(VECTORS["pepper_hex"])
ARGON2 = {name: VECTORS["argon2"][name] for name in ("time", "memory_kib", "lanes")}


@pytest.mark.parametrize("pin", VECTORS["pins"])
def test_vector(pin: str) -> None:
    assert pin_tag(pin.encode(), SALT, PEPPER, **ARGON2).hex() == VECTORS["pins"][pin]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda c: c["name"])
def test_a_pin_matches_under_either_pepper(case: dict[str, str]) -> None:
    versions = [*VECTORS["peppers"]]
    peppers = [bytes.fromhex(pepper) for pepper in VECTORS["peppers"].values()]
    tags = pin_tags(case["pin"].encode(), SALT, peppers, **ARGON2)
    assert tags[versions.index(case["version"])].hex() == case["tag_hex"]
    assert len(set(tags)) == 2


def test_a_second_pepper_costs_no_second_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []

    def counted(pin: bytes, *_: bytes, **__: int) -> bytes:
        hashed.append(pin)
        return b"h" * 32

    monkeypatch.setattr(pins, "hash_secret_raw", counted)
    assert len(pin_tags(b"1234", SALT, [PEPPER, PEPPER[::-1]])) == 2
    assert hashed == [b"1234"]


def test_the_contracts_parameters_are_the_default() -> None:
    assert pin_tag(b"1234", SALT, PEPPER).hex() == VECTORS["pins"]["1234"]


def test_salt_and_pepper_and_every_parameter_count() -> None:
    cheap = {"time": 1, "memory_kib": 32}
    tags = {
        pin_tag(b"1234", SALT, PEPPER, **cheap),
        pin_tag(b"1234", SALT[::-1], PEPPER, **cheap),
        pin_tag(b"1234", SALT, PEPPER[::-1], **cheap),
        pin_tag(b"1234", SALT, PEPPER, time=2, memory_kib=32),
        pin_tag(b"1234", SALT, PEPPER, time=1, memory_kib=64),
        pin_tag(b"1234", SALT, PEPPER, time=1, memory_kib=32, lanes=2),
    }
    assert len(tags) == 6


@pytest.mark.parametrize(("salt", "memory_kib"), [(b"short", 64), (SALT, 1)])
def test_impossible_parameters(salt: bytes, memory_kib: int) -> None:
    with pytest.raises(PinFault) as error:
        pin_tag(b"314159", salt, PEPPER, memory_kib=memory_kib)
    assert error.value.code == "pin_tag"
    assert "314159" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_the_contract_s_own_secrets_are_within_the_bounds() -> None:
    assert len(SALT) in pin_secrets.SALT_BYTES
    assert len(PEPPER) in pin_secrets.PEPPER_BYTES
    assert 1 <= ARGON2["time"] <= pin_secrets.ARGON2_TIME_LIMIT
    assert ARGON2["memory_kib"] in pin_secrets.ARGON2_MEMORY_KIB
    assert 1 <= ARGON2["lanes"] <= pin_secrets.ARGON2_LANES_LIMIT
