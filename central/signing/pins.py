"""PINs and their tags. Central makes PINs, shows each once, and keeps only the tag."""

import hashlib
import hmac
import secrets
from itertools import pairwise

from argon2.low_level import Type, hash_secret_raw

TIME_COST = 2
MEMORY_KIB = 19456
LANES = 1
HASH_BYTES = 32
TAG_BYTES = 16
PIN_DIGITS = 6
SALT_BYTES = 16
PEPPER_BYTES = 32


def pin_tag(pin: str, site_salt: bytes, pepper: bytes) -> bytes:
    """HMAC-SHA256(pepper, Argon2id(PIN, site salt)), the first 16 bytes. Takes about 30 ms and 19 MiB."""
    stretched = hash_secret_raw(pin.encode("ascii"), site_salt, TIME_COST, MEMORY_KIB, LANES, HASH_BYTES, Type.ID)
    return hmac.digest(pepper, stretched, hashlib.sha256)[:TAG_BYTES]


def random_pin() -> str:
    """Six random digits, none of those that people would guess first."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
        if not is_guessable(pin):
            return pin


def is_guessable(pin: str) -> bool:
    """Whether it has two digits at most, or all its steps are the same (123456, 987654)."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return len(set(pin)) <= 2 or len(steps) == 1
