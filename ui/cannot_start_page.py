"""The page of a station that cannot start: what is true of the key in its socket, what is wrong, whom to ring.

Plain text, in all languages where it is not known which one the station speaks.
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
_CANNOT_BE_USED = {
    "sv": "Stationen kan inte användas: gå till en annan station.",
    "da": "Stationen kan ikke bruges: gå til en anden station.",
    "nb": "Stasjonen kan ikke brukes: gå til en annen stasjon.",
    "fi": "Asemaa ei voi käyttää: mene toiselle asemalle.",
    "en": "This station cannot be used: go to another one.",
}
SOCKET: Mapping[SocketSays | None, Mapping[str, str]] = {
    None: _CANNOT_BE_USED,
    SocketSays.READER_BROKEN: _CANNOT_BE_USED,
    SocketSays.EMPTY: {
        "sv": "Stationen kan bara stänga AV nycklar. Börja passet vid en annan station.",
        "da": "Stationen kan kun slukke e-nøgler. Begynd vagten ved en anden station.",
        "nb": "Stasjonen kan bare slå AV nøkler. Begynn vakten ved en annen stasjon.",
        "fi": "Asema voi vain kytkeä avaimia POIS päältä. Aloita vuoro toisella asemalla.",
        "en": "This station can only switch keys OFF. Start your shift at another one.",
    },
    SocketSays.SWITCHING_OFF: {
        "sv": "Vänta. Låt nyckeln sitta.",
        "da": "Vent. Lad e-nøglen sidde.",
        "nb": "Vent. La nøkkelen stå.",
        "fi": "Odota. Anna avaimen olla.",
        "en": "Wait. Leave the key in.",
    },
    SocketSays.OFF: {
        "sv": "Nyckeln är AV. Ta ut den.",
        "da": "E-nøglen er SLUKKET. Tag den ud.",
        "nb": "Nøkkelen er AV. Ta den ut.",
        "fi": "Avain on POIS päältä. Ota se pois.",
        "en": "Key is OFF. Take it out.",
    },
    SocketSays.STILL_ON: {
        "sv": "Nyckeln kan fortfarande vara PÅ. Sätt den i en annan station.",
        "da": "E-nøglen er måske stadig AKTIV. Sæt den i en anden station.",
        "nb": "Nøkkelen kan fortsatt være PÅ. Sett den i en annen stasjon.",
        "fi": "Avain voi yhä olla PÄÄLLÄ. Pane se toiseen asemaan.",
        "en": "The key may still be ON. Put it in another station.",
    },
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
    language: str | None = None
    """The station's, None: not known."""


def page(fault: CannotStart, socket: SocketSays | None, columns: int, rows: int) -> str:
    """The text, wrapped to ``columns``; at most ``rows`` lines of it, as the first ones must not scroll away."""
    lines = _lines(fault, socket, columns)
    while len(lines) > rows and fault.stations:
        fault = replace(fault, stations=fault.stations[:-1])
        lines = _lines(fault, socket, columns)
    return "\n".join(lines[:rows])


def socket_lines(socket: SocketSays | None, language: str | None) -> Sequence[str]:
    """What is true of the key: in the station's language and in English, in all where the first is not known."""
    texts = SOCKET[socket]
    return [texts[each] for each in dict.fromkeys([language, "en"] if language else texts)]


def _lines(fault: CannotStart, socket: SocketSays | None, columns: int) -> Sequence[str]:
    contacts = [*fault.stations, *fault.support]
    paragraphs = [
        *socket_lines(socket, fault.language),
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
