"""Where to send people when this station is out of order: a small file that the kiosk keeps fresh.

``neighbours.json`` beside the database: ``{"stations": [{"name", "address"}, …], "support": [{"text", "phone", "days",
"from", "to"}, …]}``, all of it text.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FILE_NAME = "neighbours.json"
FILE_LIMIT_BYTES = 16384
ENTRIES_LIMIT = 6
"""Of each kind: a console has 25 lines."""
TEXT_LIMIT_CHARACTERS = 60


class Support(NamedTuple):
    """Whom to call, and when."""

    text: str
    phone: str
    days: str
    """As ``mon-fri``."""
    hours: str
    """As ``08:00-16:30``."""


class Neighbours(NamedTuple):
    """What the file says. Every text is printable and short."""

    stations: Sequence[str] = ()
    """Name and address."""
    support: Sequence[Support] = ()


def load(folder: Path) -> Neighbours:
    """What the file in ``folder`` says; nothing where there is none, or it is damaged."""
    # Rarely needed, and the supervisor stays small.
    import json  # noqa: PLC0415

    try:
        with os.fdopen(os.open(folder / FILE_NAME, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = json.loads(file.read(FILE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return Neighbours()
    if not isinstance(content, dict):
        return Neighbours()
    places = (", ".join(filter(None, _texts(each, "name", "address"))) for each in _entries(content.get("stations")))
    support = [
        Support(text, phone, days, f"{begin}-{end}" if begin and end else "")
        for each in _entries(content.get("support"))
        for text, phone, days, begin, end in [_texts(each, "text", "phone", "days", "from", "to")]
    ]
    return Neighbours(tuple(place for place in places if place), tuple(support))


def _entries(value: object) -> Iterator[dict[object, object]]:
    for entry in value[:ENTRIES_LIMIT] if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield entry


def _texts(entry: dict[object, object], *names: str) -> list[str]:
    values = (entry.get(name) for name in names)
    return [_printable(value) if isinstance(value, str) else "" for value in values]


def _printable(text: str) -> str:
    """Names come from outside: an escape sequence among them would be the terminal's."""
    return "".join(character for character in text if character.isprintable())[:TEXT_LIMIT_CHARACTERS].strip()
