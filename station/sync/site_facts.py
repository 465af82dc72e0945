"""What the mirror says of the site for people to read: neighbours, support lines, the privacy notice.

None of it is signed and none of it decides anything. Whatever is not as it should be is left out, not refused: a
misspelt telephone plan must not keep a mirror from being stored.
"""

from collections.abc import Mapping, Sequence

from station.ports import Json, MirrorObject
from station.rules.support import DAYS, MINUTES_PER_DAY, Neighbour, SupportLine, nearest
from station.visit.entry import MAX_DIGITS

TEXT_LIMIT = 1000
PHONE_LIMIT = 30
LINES_LIMIT = 10
LANGUAGES_LIMIT = 10
SYNC_STATION = "sync_station"


def neighbours(stations: Sequence[MirrorObject], own: int, unit: int) -> tuple[Neighbour, ...]:
    """The other sync stations that are known to work, nearest first."""
    found = [
        Neighbour(
            other.id, _text(other.body.get("name")), _text(other.body.get("address")), _number(other.body, "unit")
        )
        for other in stations
        if other.id != own and other.body.get("status") == "up" and takes_every_key(other)
    ]
    return nearest([other for other in found if other.name], unit)


def takes_every_key(station: MirrorObject) -> bool:
    """Whether it is one to send people to: no box. A central that names no role has none."""
    return bool(station.body.get("role", SYNC_STATION) == SYNC_STATION)


def support_lines(site: Mapping[str, Json]) -> tuple[SupportLine, ...]:
    """The ``support`` list of the site.

    Each: ``days`` (``mon-fri`` or ``mon``), ``from`` and ``to`` (``08:00``), ``holidays``, ``phone``, ``text`` by
    language.
    """
    plan = site.get("support")
    lines = [_line(each) for each in (plan if isinstance(plan, list) else [])[:LINES_LIMIT]]
    return tuple(line for line in lines if line is not None)


def privacy(site: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """The site's notice, by language."""
    return _by_language(site.get("privacy"))


def _line(each: Json) -> SupportLine | None:
    if not isinstance(each, Mapping):
        return None
    days, from_min, to_min = _days(each.get("days")), _minutes(each.get("from")), _minutes(each.get("to"))
    phone = _text(each.get("phone"))[:PHONE_LIMIT]
    if not days or from_min is None or to_min is None or not phone:
        return None
    texts = _by_language(each.get("text"))
    return SupportLine(days, from_min, to_min, each.get("holidays") is True, phone, texts)


def _days(value: Json) -> frozenset[int]:
    """``mon-fri``, ``fri-mon`` (over the weekend) or one day."""
    first, _, last = _text(value).partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        return frozenset()
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + day) % len(DAYS) for day in range((end - begin) % len(DAYS) + 1))


def _minutes(value: Json) -> int | None:
    hours, colon, minutes = _text(value).partition(":")
    if not colon or not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        return None
    at = int(hours[:3]) * 60 + int(minutes[:3])
    return at if 0 <= at <= MINUTES_PER_DAY and int(minutes[:3]) < 60 else None


def _by_language(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return ()
    texts = [(str(language)[:10], _text(text)) for language, text in list(value.items())[:LANGUAGES_LIMIT]]
    return tuple((language, text) for language, text in texts if text)


def _text(value: Json) -> str:
    return value.strip()[:TEXT_LIMIT] if isinstance(value, str) else ""


def _number(body: Mapping[str, Json], name: str) -> int | None:
    value = body.get(name)
    return value if type(value) is int else None


def pin_digits(site: Mapping[str, Json]) -> int:
    """How many digits the site's PINs have; 0 where central does not say."""
    digits = site.get("pin_digits")
    return digits if isinstance(digits, int) and not isinstance(digits, bool) and 0 < digits <= MAX_DIGITS else 0
