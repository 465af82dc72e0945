"""The page of a station that cannot start: what is true of the key in its socket, what is wrong, whom to ring.

Plain text, in three languages where staff read it: which language the station speaks may not be known.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from station.key.switching_off import SocketSays

NOT_SET_UP = "This station is not set up yet"
CANNOT_START = "This station cannot start"
SET_UP = (
    "Enrol it:   station enrol --code CODE --url URL",
    "or put a whole, valid file at   {file}",
    "and check it with   station config check {file}",
    "It starts by itself as soon as everything is right.",
)
MEND = ("Look closer with   station doctor", "It tries again by itself every few seconds.")
SOCKET: Mapping[SocketSays | None, Sequence[str]] = {
    None: (
        "Stationen kan inte användas: gå till en annan station.",
        "Stationen kan ikke bruges: gå til en anden station.",
        "This station cannot be used: go to another one.",
    ),
    SocketSays.READER_BROKEN: (
        "Stationen kan inte användas: gå till en annan station.",
        "Stationen kan ikke bruges: gå til en anden station.",
        "This station cannot be used: go to another one.",
    ),
    SocketSays.EMPTY: (
        "Stationen kan bara stänga AV nycklar. Börja passet vid en annan station.",
        "Stationen kan kun slukke nøgler. Begynd vagten ved en anden station.",
        "This station can only switch keys OFF. Start your shift at another one.",
    ),
    SocketSays.SWITCHING_OFF: (
        "Vänta. Låt nyckeln sitta.",
        "Vent. Lad nøglen sidde.",
        "Wait. Leave the key in.",
    ),
    SocketSays.OFF: (
        "Nyckeln är AV. Ta ut den.",
        "Nøglen er SLUKKET. Tag den ud.",
        "Key is OFF. Take it out.",
    ),
    SocketSays.STILL_ON: (
        "Nyckeln kan fortfarande vara PÅ. Sätt den i en annan station.",
        "Nøglen er måske stadig TÆNDT. Sæt den i en anden station.",
        "The key may still be ON. Put it in another station.",
    ),
}
"""None: this station has no key reader that it knows of."""
PROBLEMS_LIMIT = 8


@dataclass(frozen=True, slots=True)
class CannotStart:
    """Why a station does not start."""

    file: str
    """Where its configuration belongs."""
    problems: Sequence[str]
    is_set_up: bool
    """It has been set up, and something is broken."""
    stations: Sequence[str] = ()
    """Other stations."""
    support: Sequence[str] = ()
    """Whom to ring."""


def page(fault: CannotStart, socket: SocketSays | None, columns: int, rows: int) -> str:
    """The text, wrapped to ``columns``; at most ``rows`` lines of it, as the first ones must not scroll away."""
    lines = _lines(fault, socket, columns)
    while len(lines) > rows and fault.stations:
        fault = replace(fault, stations=fault.stations[:-1])
        lines = _lines(fault, socket, columns)
    return "\n".join(lines[:rows])


def _lines(fault: CannotStart, socket: SocketSays | None, columns: int) -> Sequence[str]:
    contacts = [*fault.stations, *fault.support]
    paragraphs = [
        *SOCKET[socket],
        *(["", *contacts] if contacts else []),
        "",
        f"{CANNOT_START if fault.is_set_up else NOT_SET_UP}.",
        *(line.format(file=fault.file) for line in (MEND if fault.is_set_up else SET_UP)),
        "",
        "What is wrong now:",
        *(f"  {problem}" for problem in fault.problems[:PROBLEMS_LIMIT]),
    ]
    if len(fault.problems) > PROBLEMS_LIMIT:
        paragraphs.append(f"  and {len(fault.problems) - PROBLEMS_LIMIT} more")
    lines: list[str] = []
    for paragraph in paragraphs:
        # Control characters in a file's name must not reach the terminal.
        clean = "".join(letter if letter.isprintable() else "?" for letter in paragraph)
        lines += textwrap.wrap(clean, max(columns - 1, 20), subsequent_indent="    ") or [""]
    return lines
