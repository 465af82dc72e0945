"""Numbers that somebody has typed, or written into an address."""

DIGITS_LIMIT = 18
"""Fits into 63 bits: a database takes it, and Python reads no text of ten thousand digits for it."""


def number_in(text: str) -> int | None:
    """The whole number that the text is; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_LIMIT else None
