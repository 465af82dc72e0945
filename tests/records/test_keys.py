"""Signing keys: RFC 8032's own examples, and that a key does not show itself."""

import json
import pickle
import traceback

import pytest

from station.records.keys import SigningKey

# RFC 8032, section 7.1, TEST 1 and TEST 2: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
MARKED_SEED = b"marked-seed-that-nobody-may-see!"


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert key.seed().hex() == seed


def test_new_keys_differ() -> None:
    assert SigningKey.generate().seed() != SigningKey.generate().seed()


def test_a_seed_of_another_length() -> None:
    with pytest.raises(ValueError, match="32"):
        SigningKey(b"x" * 31)


def shown(key: SigningKey) -> list[str]:
    """Every way in which an object ends up in a log or on a crash screen."""
    try:
        key.sign("not bytes")  # type: ignore[arg-type]
    except TypeError as error:
        with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
        crash = "".join(with_locals.format())
    else:
        raise AssertionError
    return [repr(key), str(key), f"{key}", f"{key!r:>20}", "%s" % key, repr([key]), repr({"k": key}), crash]  # noqa: UP031


def test_a_signing_key_does_not_show_itself() -> None:
    for text in shown(SigningKey(MARKED_SEED)):
        assert "SigningKey(…)" in text
        assert "marked" not in text
        assert MARKED_SEED.hex() not in text


def test_a_signing_key_is_not_pickled_or_made_json_of() -> None:
    key = SigningKey(MARKED_SEED)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(key, protocol)
    with pytest.raises(TypeError):
        json.dumps(key)
    assert not hasattr(key, "__dict__")
