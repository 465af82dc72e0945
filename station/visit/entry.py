"""The digits typed so far: counted on the screen, shown nowhere."""

from typing import Self

MAX_DIGITS = 16
"""Longer than any PIN: what comes after is dropped, and the entry can then match none."""


class Entry:
    """A PIN being typed. Immutable; its ``repr`` shows neither digits nor their number."""

    __slots__ = ("_complete", "_digits")

    def __init__(self, digits: str = "", *, complete: bool = False) -> None:
        self._digits = digits
        self._complete = complete and len(digits) > 0

    def __len__(self) -> int:
        return len(self._digits)

    def __repr__(self) -> str:
        return "Entry(…)"

    @property
    def complete(self) -> bool:
        """Whether ``#`` was typed after the digits: nothing is added any more."""
        return self._complete

    def typed(self, digit: str) -> Self:
        """With one more digit."""
        return self if self._complete else type(self)((self._digits + digit)[:MAX_DIGITS])

    def shortened(self) -> Self:
        """Without the last digit, and open again."""
        return type(self)(self._digits[:-1])

    def completed(self) -> Self:
        """As it is after ``#``; without any digit it stays open."""
        return type(self)(self._digits, complete=True)

    def reveal(self) -> bytes:
        """The digits as ASCII, for the PIN check and nothing else."""
        return self._digits.encode("ascii")
