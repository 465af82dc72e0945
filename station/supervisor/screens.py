"""The supervisor's own screens: starting, restarting, and out of order with where to go instead.

A screen is a few lines, in bytes for a terminal. The words are here as the kiosk's, in ``ui``, take longer to load.
Where to go is read from ``neighbours.json`` beside the database, which the kiosk keeps fresh: ``{"stations": [{"name",
"address", "silent"?}, …], "support": [{"text", "phone", "days", "from", "to"}, …], "time_zone"}``; ``silent`` is true
where central has not heard from that station, all else is text.
"""

import os
import re
import textwrap
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

MARGIN, WIDE_COLUMNS = 4, 80
"""As on the kiosk's screen."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_BAR = "\x1b[7;31m"


class Words(NamedTuple):
    """What the screens say in one language."""

    starting: str
    restarting: str
    key_switched_off: str
    out_of_order: str
    cannot_switch_keys: str
    use_another_station: str
    silent: str
    tries_again: str
    days: Mapping[str, str]
    """By central's names of them."""


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH = Words(
    starting="Starting …",
    restarting="Restarting …",
    key_switched_off="A key in the socket is switched OFF. Then type the PIN again.",
    out_of_order="Out of order",
    cannot_switch_keys="This station cannot switch keys on or off now.",
    use_another_station="Use another station:",
    silent="silent",
    tries_again="It tries again every minute.",
    days=dict(zip(DAYS, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], strict=True)),
)
_SWEDISH = Words(
    starting="Startar …",
    restarting="Startar om …",
    key_switched_off="Sitter en nyckel i stängs den AV. Slå sedan PIN-koden igen.",
    out_of_order="Ur funktion",
    cannot_switch_keys="Stationen kan varken slå på eller stänga av nycklar nu.",
    use_another_station="Gå till en annan station:",
    silent="svarar inte",
    tries_again="Den försöker igen varje minut.",
    days=dict(zip(DAYS, ["mån", "tis", "ons", "tor", "fre", "lör", "sön"], strict=True)),
)
_DANISH = Words(
    starting="Starter …",
    restarting="Genstarter …",
    key_switched_off="En e-nøgle, der sidder i, bliver SLUKKET. Tast derefter PIN-koden igen.",
    out_of_order="Ude af drift",
    cannot_switch_keys="Stationen kan ikke aktivere eller slukke e-nøgler nu.",
    use_another_station="Gå til en anden station:",
    silent="svarer ikke",
    tries_again="Den prøver igen hvert minut.",
    days=dict(zip(DAYS, ["man", "tir", "ons", "tor", "fre", "lør", "søn"], strict=True)),
)
_NORWEGIAN = Words(
    starting="Starter …",
    restarting="Starter på nytt …",
    key_switched_off="En nøkkel som står i, slås AV. Slå deretter PIN-koden igjen.",
    out_of_order="Ute av drift",
    cannot_switch_keys="Stasjonen kan ikke slå nøkler på eller av nå.",
    use_another_station="Gå til en annen stasjon:",
    silent="svarer ikke",
    tries_again="Den prøver igjen hvert minutt.",
    days=dict(zip(DAYS, ["man", "tir", "ons", "tor", "fre", "lør", "søn"], strict=True)),
)
_FINNISH = Words(
    starting="Käynnistyy …",
    restarting="Käynnistyy uudelleen …",
    key_switched_off="Paikallaan oleva avain kytketään POIS päältä. Näppäile sitten PIN-koodi uudelleen.",
    out_of_order="Epäkunnossa",
    cannot_switch_keys="Asema ei nyt voi kytkeä avaimia päälle eikä pois päältä.",
    use_another_station="Mene toiselle asemalle:",
    silent="ei vastaa",
    tries_again="Se yrittää uudelleen minuutin välein.",
    days=dict(zip(DAYS, ["ma", "ti", "ke", "to", "pe", "la", "su"], strict=True)),
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


class Station(NamedTuple):
    """Another station."""

    place: str
    """Name and address."""
    silent: bool = False
    """Central has not heard from it lately."""


class WhereToGo(NamedTuple):
    """Other stations, and whom to call. Every text is printable and short."""

    stations: Sequence[Station] = ()
    """Nearest first."""
    support: Sequence[Support] = ()
    time_zone: str = ""
    """The site's; empty: not known."""


def starting(words: Words, size: Size) -> bytes:
    """The first screen of all."""
    return _centred([words.starting], size)


def restarting(words: Words, size: Size, *, switches_off: bool) -> bytes:
    """The screen from the death of a kiosk to the first screen of the next.

    ``switches_off``: that one is going to switch off a key in the socket, as far as we know.
    """
    return _centred([words.restarting, *(["", words.key_switched_off] if switches_off else [])], size)


def out_of_order(words: Words, size: Size, where_to_go: WhereToGo) -> bytes:
    """The screen that says whom to call and where to go instead, looking as the kiosk's own."""
    stations = [station_line(station, words) for station in where_to_go.stations]
    support = [support_line(support, words) for support in where_to_go.support]
    # What it needs is as much as all else that a supervisor has loaded.
    from station.supervisor.telephone_code import TEXT_COLUMNS, telephone_code  # noqa: PLC0415

    code = telephone_code(where_to_go.support, where_to_go.time_zone, size)
    margin = MARGIN if size.columns >= WIDE_COLUMNS else MARGIN - 1
    columns = max((TEXT_COLUMNS if code else size.columns) - margin - 1, 1)
    groups = [f"{words.out_of_order}.", words.cannot_switch_keys], support, stations, [words.tries_again]
    # The first lines matter most. Farther stations make room for them, then the last words, then everything else.
    for stations_left in range(len(stations), 0, -1):
        shown = _lines(groups, stations_left, words, columns, air=stations_left == len(stations))
        if len(shown) <= size.rows:
            break
        shown = _lines(groups, stations_left, words, columns, air=False)
        if len(shown) <= size.rows:
            break
    else:
        shown = _lines(groups, min(len(stations), 1), words, columns, air=False)
    return _barred(shown[: size.rows], margin, size) + code


def _lines(groups: Sequence[Sequence[str]], stations: int, words: Words, columns: int, *, air: bool) -> Sequence[str]:
    """The lines of the page, each short enough, with the first so many of its stations."""
    head, support, others, last = groups
    where = [words.use_another_station, *others[:stations]] if stations else []
    lines: list[str] = []
    for group in (head, support, where, last):
        if group and lines and air:
            lines.append("")
        for line in group:
            lines += textwrap.wrap(line, columns)
    return lines


def station_line(station: Station, words: Words) -> str:
    """As ``Björkdungen, Björkstigen 2 (silent)``."""
    return f"{station.place} ({words.silent})" if station.silent else station.place


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
    stations = (
        Station(", ".join(filter(None, _texts(each, "name", "address"))), each.get("silent") is True)
        for each in _entries(content.get("stations"))
    )
    support = [
        Support(text, phone, days, f"{begin}-{end}" if begin and end else "")
        for each in _entries(content.get("support"))
        for text, phone, days, begin, end in [_texts(each, "text", "phone", "days", "from", "to")]
    ]
    (time_zone,) = _texts(content, "time_zone")
    return WhereToGo(tuple(station for station in stations if station.place), tuple(support), time_zone)


def support_line(support: Support, words: Words) -> str:
    """As ``Key support: 000-000 01 (Mon-Fri 08:00-16:30)``."""
    days = re.sub("[a-z]+", lambda day: words.days.get(day[0], day[0]), support.days)
    when = " ".join(filter(None, [days, support.hours]))
    return f"{support.text}: {support.phone}" + (f" ({when})" if when else "")


def _centred(lines: Sequence[str], size: Size) -> bytes:
    """``lines`` in the middle, the first one bold. What does not fit is cut off: the last lines matter least."""
    wrapped = [part for line in lines for part in textwrap.wrap(line, size.columns) or [""]]
    shown = wrapped[: size.rows]
    top = (size.rows - len(shown)) // 2 + 1
    screen = ""
    for number, line in enumerate(shown):
        left = (size.columns - len(line)) // 2 + 1
        bold = _BOLD if number == 0 else ""
        screen += f"\x1b[{top + number};{left}H{bold}{line}{_PLAIN}"
    return screen.encode()


def _barred(lines: Sequence[str], margin: int, size: Size) -> bytes:
    """``lines`` from the top on, the first one bold, behind a red bar: in reverse video, to be seen without colours."""
    top = 2 if len(lines) < size.rows else 1
    left = max(margin - 2, 1)
    screen = ""
    for number, line in enumerate(lines):
        bold = _BOLD if number == 0 else ""
        screen += f"\x1b[{top + number};{left}H{_BAR}  {_PLAIN} {bold}{line}{_PLAIN}"
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
