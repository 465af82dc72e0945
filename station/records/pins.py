"""PIN tags: how a PIN finds its holder, without being stored anywhere.

``pin_tag = HMAC-SHA256(pepper, Argon2id(PIN, site salt))[:16]``. A database of tags is worth nothing without the
pepper; with both, Argon2id (RFC 9106) makes each guess cost what a check costs. The salt is one per site, not one per
holder, because the tag alone has to find the holder. While all PINs of a site are renewed there are two peppers, and
every PIN has a tag under each: the salt stays, so one Argon2id serves both.
"""

import hashlib
import hmac
from collections.abc import Sequence

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from station.errors import StationError

PIN_TAG_BYTES = 16
TIME_COST = 2
MEMORY_KIB = 19456
LANES = 1
"""Argon2id's parameters, of every site so far; a station takes those that its central names."""


class PinFault(StationError):
    """A tag could not be computed (``pin_tag``): impossible parameters, or no memory. Nothing of the PIN is in it."""


def pin_tags(
    pin: bytes,
    site_salt: bytes,
    peppers: Sequence[bytes],
    *,
    time: int = TIME_COST,
    memory_kib: int = MEMORY_KIB,
    lanes: int = LANES,
) -> tuple[bytes, ...]:
    """The 16 bytes that a PIN has at this site under each of ``peppers``, in their order. A PIN matches under either.

    ``pin``: its digits in ASCII. ``site_salt``: at least 8 bytes. ``time``, ``memory_kib``, ``lanes``: Argon2id's
    parameters. Takes tens of milliseconds and ``memory_kib`` of memory: off the event loop, one at a time.
    Raises PinFault.
    """
    try:
        hashed = hash_secret_raw(
            pin, site_salt, time_cost=time, memory_cost=memory_kib, parallelism=lanes, hash_len=32, type=Type.ID
        )
    except HashingError:
        raise PinFault("pin_tag", time=time, memory_kib=memory_kib, lanes=lanes) from None
    return tuple(hmac.digest(pepper, hashed, hashlib.sha256)[:PIN_TAG_BYTES] for pepper in peppers)


def pin_tag(
    pin: bytes,
    site_salt: bytes,
    pepper: bytes,
    *,
    time: int = TIME_COST,
    memory_kib: int = MEMORY_KIB,
    lanes: int = LANES,
) -> bytes:
    """As `pin_tags`, under the one pepper that a PIN is given with."""
    return pin_tags(pin, site_salt, [pepper], time=time, memory_kib=memory_kib, lanes=lanes)[0]
