"""Which bytes are a public key: only those that somebody can sign for, and nobody else."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from station.records.keys import SigningKey
from station.records.public_keys import is_public_key

P = 2**255 - 19
ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
"""Of this "key", (R, 0) with R the key itself is a signature over one message in eight."""


def encoded(y: int, *, sign: bool = False) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


@given(seed=st.binary(min_size=32, max_size=32))
def test_every_key_that_is_made_is_one(seed: bytes) -> None:
    assert is_public_key(SigningKey(seed).public)


def test_small_order_forgery() -> None:
    # What makes these keys worthless: OpenSSL accepts a signature that nobody with a secret has made.
    key = bytes.fromhex(ORDER_EIGHT)
    forged = 0
    for n in range(64):
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(key + bytes(32), b"activation %d" % n)
        except InvalidSignature:
            continue
        forged += 1
    assert forged
    assert not is_public_key(key)


@pytest.mark.parametrize("sign", [False, True])
@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, 2**255 - 1])
def test_small_order_and_not_reduced(y: int, sign: bool) -> None:
    assert not is_public_key(encoded(y, sign=sign))


def test_half_of_all_bytes_are_no_point() -> None:
    # The roots that RFC 8032's decoding finds, by Euler's criterion.
    d = -121665 * pow(121666, -1, P) % P
    for y in range(2, 200):
        there_is_a_root = pow((y * y - 1) * (d * y * y + 1), (P - 1) // 2, P) == 1
        assert is_public_key(encoded(y)) is is_public_key(encoded(y, sign=True)) is there_is_a_root


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_another_length(size: int) -> None:
    assert not is_public_key(SigningKey(b"\1" * 32).public[:31] + bytes(size))
