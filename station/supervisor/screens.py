"""The supervisor's own screens: starting, restarting, and out of order with where to go instead.

A screen is a few centred lines, in bytes for a terminal. The words are here as the kiosk's, in ``ui``, take longer to
load. Where to go is read from ``neighbours.json`` beside the database, which the kiosk keeps fresh: ``{"stations":
[{"name", "address"}, …], "support": [{"text", "phone", "days", "from", "to"}, …]}``, all of it text.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from station.supervisor.terminal import Size

NEIGHBOURS_FILE = "neighbours.json"
STATUS_FILE = "status.json"
FILE_LIMIT_BYTES = 16384
ENTRIES_LIMIT = 6
"""Of each kind: a console has 25 lines."""
TEXT_LIMIT_CHARACTERS = 60

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Words(NamedTuple):
    """What the screens say in one language."""

    starting: str
    restarting: str
    key_switched_off: str
    out_of_order: str
    cannot_switch_keys: str
    use_another_station: str
    tries_again: str
    days: Mapping[str, str]
    """By central's names of them."""


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH = Words(
    starting="Starting …",
    restarting="Restarting …",
    key_switched_off="A key in the socket is switched OFF. Then type the PIN again.",
    out_of_order="Out of order",
    cannot_switch_keys="This station cannot switch keys on or off now.",
    use_another_station="Use another station:",
    tries_again="It tries again every minute.",
    days=dict(zip(_DAYS, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], strict=True)),
)
_SWEDISH = Words(
    starting="Startar …",
    restarting="Startar om …",
    key_switched_off="Sitter en nyckel i stängs den AV. Slå sedan PIN-koden igen.",
    out_of_order="Ur funktion",
    cannot_switch_keys="Stationen kan varken slå på eller stänga av nycklar nu.",
    use_another_station="Gå till en annan station:",
    tries_again="Den försöker igen varje minut.",
    days=dict(zip(_DAYS, ["mån", "tis", "ons", "tor", "fre", "lör", "sön"], strict=True)),
)
_DANISH = Words(
    starting="Starter …",
    restarting="Genstarter …",
    key_switched_off="En e-nøgle, der sidder i, bliver SLUKKET. Tast derefter PIN-koden igen.",
    out_of_order="Ude af drift",
    cannot_switch_keys="Stationen kan ikke aktivere eller slukke e-nøgler nu.",
    use_another_station="Gå til en anden station:",
    tries_again="Den prøver igen hvert minut.",
    days=dict(zip(_DAYS, ["man", "tir", "ons", "tor", "fre", "lør", "søn"], strict=True)),
)
_NORWEGIAN = Words(
    starting="Starter …",
    restarting="Starter på nytt …",
    key_switched_off="En nøkkel som står i, slås AV. Slå deretter PIN-koden igjen.",
    out_of_order="Ute av drift",
    cannot_switch_keys="Stasjonen kan ikke slå nøkler på eller av nå.",
    use_another_station="Gå til en annen stasjon:",
    tries_again="Den prøver igjen hvert minutt.",
    days=dict(zip(_DAYS, ["man", "tir", "ons", "tor", "fre", "lør", "søn"], strict=True)),
)
_FINNISH = Words(
    starting="Käynnistyy …",
    restarting="Käynnistyy uudelleen …",
    key_switched_off="Paikallaan oleva avain kytketään POIS päältä. Näppäile sitten PIN-koodi uudelleen.",
    out_of_order="Epäkunnossa",
    cannot_switch_keys="Asema ei nyt voi kytkeä avaimia päälle eikä pois päältä.",
    use_another_station="Mene toiselle asemalle:",
    tries_again="Se yrittää uudelleen minuutin välein.",
    days=dict(zip(_DAYS, ["ma", "ti", "ke", "to", "pe", "la", "su"], strict=True)),
)
LANGUAGES: Mapping[str, Words] = {
    "sv": _SWEDISH,
    "da": _DANISH,
    "nb": _NORWEGIAN,
    "fi": _FINNISH,
    "en": _ENGLISH,
}
DEFAULT_LANGUAGE = "sv"
"""As in ``station.toml``."""


class Support(NamedTuple):
    """Whom to call, and when."""

    text: str
    phone: str
    days: str
    """As ``mon-fri``."""
    hours: str
    """As ``08:00-16:30``."""


class WhereToGo(NamedTuple):
    """Other stations, and whom to call. Every text is printable and short."""

    stations: Sequence[str] = ()
    """Name and address."""
    support: Sequence[Support] = ()


def starting(words: Words, size: Size) -> bytes:
    """The first screen of all."""
    return _centred([words.starting], size)


def restarting(words: Words, size: Size, *, switches_off: bool) -> bytes:
    """The screen from the death of a kiosk to the first screen of the next.

    ``switches_off``: that one is going to switch off a key in the socket, as far as we know.
    """
    return _centred([words.restarting, *(["", words.key_switched_off] if switches_off else [])], size)


def out_of_order(words: Words, size: Size, where_to_go: WhereToGo) -> bytes:
    """The screen that says where to go instead, and whom to call."""
    lines = [words.out_of_order, "", words.cannot_switch_keys]
    if where_to_go.stations:
        lines += ["", words.use_another_station, *where_to_go.stations]
    if where_to_go.support:
        lines += ["", *(_support_line(support, words) for support in where_to_go.support)]
    return _centred([*lines, "", words.tries_again], size)


def reader_is_broken(folder: Path) -> bool:
    """Whether the last kiosk had no contact with its key reader, by its ``status.json`` in ``folder``."""
    try:
        with os.fdopen(os.open(folder / STATUS_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return b'"reader": "broken"' in file.read(FILE_LIMIT_BYTES)
    except OSError:
        return False


def read_where_to_go(folder: Path) -> WhereToGo:
    """What ``neighbours.json`` in ``folder`` says; nothing where there is none, or it is damaged."""
    # Rarely needed, and the supervisor stays small.
    import json  # noqa: PLC0415

    try:
        with os.fdopen(os.open(folder / NEIGHBOURS_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = json.loads(file.read(FILE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return WhereToGo()
    if not isinstance(content, dict):
        return WhereToGo()
    stations = (", ".join(filter(None, _texts(each, "name", "address"))) for each in _entries(content.get("stations")))
    support = [
        Support(text, phone, days, f"{begin}-{end}" if begin and end else "")
        for each in _entries(content.get("support"))
        for text, phone, days, begin, end in [_texts(each, "text", "phone", "days", "from", "to")]
    ]
    return WhereToGo(tuple(station for station in stations if station), tuple(support))


def _support_line(support: Support, words: Words) -> str:
    """As ``Key support: 000-000 01 (Mon-Fri 08:00-16:30)``."""
    days = "-".join(words.days.get(day, day) for day in support.days.split("-"))
    when = " ".join(filter(None, [days, support.hours]))
    return f"{support.text}: {support.phone}" + (f" ({when})" if when else "")


def _centred(lines: Sequence[str], size: Size) -> bytes:
    """``lines`` in the middle, the first one bold. What does not fit is cut off: the last lines matter least."""
    shown = [line[: size.columns] for line in lines][: size.rows]
    top = (size.rows - len(shown)) // 2 + 1
    screen = ""
    for number, line in enumerate(shown):
        left = (size.columns - len(line)) // 2 + 1
        bold = _BOLD if number == 0 else ""
        screen += f"\x1b[{top + number};{left}H{bold}{line}{_PLAIN}"
    return screen.encode()


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
