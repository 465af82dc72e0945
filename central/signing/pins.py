"""PINs: how many digits, and none that people would guess first. Their tags are `station.records.pins`'."""

import secrets
from itertools import pairwise

SALT_BYTES = 16
PEPPER_BYTES = 32


def random_pin(digits: int) -> str:
    """So many random digits, none of those that people would guess first."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(digits))
        if not is_guessable(pin):
            return pin


def is_guessable(pin: str) -> bool:
    """Whether it has two digits at most, or all its steps are the same (123456, 987654)."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return len(set(pin)) <= 2 or len(steps) == 1
