"""Texts from outside (of stations, keys, files, people) for a terminal or a log line."""

from collections.abc import Mapping
from typing import Any


def one_line(text: object) -> str:
    """The text with everything escaped that is not printable: nothing in it moves a cursor or begins a new line."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(text))


def words_of(fields: Mapping[str, Any]) -> str:
    """``name=value name=value``, on one line."""
    return " ".join(f"{one_line(name)}={one_line(value)}" for name, value in fields.items())
