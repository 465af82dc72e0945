"""Event ids: UUID version 7, RFC 9562 section 5.7, monotone within a process (section 6.2, method 2)."""

import os
import time
from collections.abc import Callable

_RANDOM_BITS = 74
"""``rand_a`` (12) and ``rand_b`` (62), taken as one number that counts within a millisecond."""
_RANDOM_BYTES = 10
_SPARE_BITS = 6
_STEP_BYTES = 4
"""Two ids of one millisecond differ by a random step, so that one cannot be guessed from the other."""
_TIMESTAMP_MAX = (1 << 48) - 1
_VERSION = 0b0111
_VARIANT = 0b10


def system_unix_ms() -> int:
    """The system's wall clock in milliseconds since 1970. Events are never ordered by it; it only has to make ids."""
    return time.time_ns() // 1_000_000


class EventIds:
    """Makes UUIDv7s, each greater than the one before, also when the clock stands still or is set back.

    Layout, most significant first: ``unix_ts_ms`` 48 bits, version 4, ``rand_a`` 12, variant 2, ``rand_b`` 62.
    """

    def __init__(self, unix_ms: Callable[[], int] = system_unix_ms) -> None:
        self._unix_ms = unix_ms
        self._last = -1

    def next(self) -> str:
        """A new id in the canonical form (36 characters, lower case)."""
        # A board without a battery can start before 1970 when its clock is set by hand.
        unix_ms = min(max(self._unix_ms(), 0), _TIMESTAMP_MAX)
        within_last = unix_ms <= self._last >> _RANDOM_BITS
        if within_last:
            # An overflow of the random part carries into the timestamp, which the RFC allows.
            self._last += 1 + int.from_bytes(os.urandom(_STEP_BYTES), "big")
        else:
            self._last = unix_ms << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BYTES), "big") >> _SPARE_BITS
        return _uuid7(self._last)


def _uuid7(value: int) -> str:
    """The 122 free bits with version and variant put where they belong, written out."""
    rand_b = value & ((1 << 62) - 1)
    rand_a = value >> 62 & 0xFFF
    timestamp = value >> _RANDOM_BITS & _TIMESTAMP_MAX
    digits = f"{timestamp << 80 | _VERSION << 76 | rand_a << 64 | _VARIANT << 62 | rand_b:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
