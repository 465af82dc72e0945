"""The digits typed so far: counted on the screen, shown nowhere."""

from typing import Self

MAX_DIGITS = 16
"""Longer than any PIN: what comes after is dropped, and the entry can then match none."""


class Entry:
    """A PIN being typed. Immutable; its ``repr`` shows neither digits nor their number."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str = "") -> None:
        self._digits = digits

    def __len__(self) -> int:
        return len(self._digits)

    def __repr__(self) -> str:
        return "Entry(…)"

    def typed(self, digit: str) -> Self:
        """With one more digit."""
        return type(self)((self._digits + digit)[:MAX_DIGITS])

    def shortened(self) -> Self:
        """Without the last digit."""
        return type(self)(self._digits[:-1])

    def reveal(self) -> bytes:
        """The digits as ASCII, for the PIN check and nothing else."""
        return self._digits.encode("ascii")
