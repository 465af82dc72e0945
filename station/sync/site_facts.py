"""What the mirror says of the site for people to read: neighbours, support lines, help, the privacy notice.

None of it is signed and none of it decides anything. Whatever is not as it should be is left out, not refused: a
misspelt telephone plan must not keep a mirror from being stored.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from station.display.idle import HelpTopic
from station.ports import Json, MirrorObject
from station.records.claims import Role
from station.rules.facts import LookUpReason, LookUps
from station.rules.support import DAYS, MINUTES_PER_DAY, Neighbour, Position, SupportLine, nearest
from station.visit.entry import MAX_DIGITS

TEXT_LIMIT = 1000
HELP_LIMIT = 2000
"""Central's own."""
PHONE_LIMIT = 30
LINES_LIMIT = 10
LANGUAGES_LIMIT = 10
LOG_DAYS_LIMIT = 3650
"""Central's own."""


def neighbours(stations: Sequence[MirrorObject], down: Collection[int], own: int, unit: int) -> tuple[Neighbour, ...]:
    """The other sync stations, nearest first; those that central says are ``down`` are silent."""
    found = [
        Neighbour(
            other.id,
            _text(other.body.get("name")),
            _text(other.body.get("address")),
            _number(other.body, "unit"),
            _position(other.body),
            other.id in down,
        )
        for other in stations
        if other.id != own and takes_every_key(other)
    ]
    here = next((_position(each.body) for each in stations if each.id == own), None)
    return nearest([other for other in found if other.name], unit, here)


def station_name(stations: Sequence[MirrorObject], own: int) -> str:
    """What this station is called."""
    return next((_text(each.body.get("name")) for each in stations if each.id == own), "")


def _position(body: Mapping[str, Json]) -> Position | None:
    lat, lon = _number(body, "lat"), _number(body, "lon")
    return None if lat is None or lon is None else Position(lat, lon)


def takes_every_key(station: MirrorObject) -> bool:
    """Whether it is one to send people to: no box."""
    return station.body.get("role") == Role.SYNC_STATION


def support_lines(site: Mapping[str, Json]) -> tuple[SupportLine, ...]:
    """The ``support`` list of the site.

    Each: ``days`` (a mask), ``from`` and ``to`` (minutes of the day), ``holidays``, ``phone``, ``text`` by language.
    """
    plan = site.get("support")
    lines = [_line(each) for each in (plan if isinstance(plan, list) else [])[:LINES_LIMIT]]
    return tuple(line for line in lines if line is not None)


def privacy(site: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """The site's notice, by language."""
    return _by_language(site.get("privacy"))


def help_texts(site: Mapping[str, Json]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The site's own help: by topic, then by language."""
    found: dict[str, list[tuple[str, str]]] = {topic: [] for topic in HelpTopic}
    by_language = site.get("help")
    for language, topics in list(by_language.items() if isinstance(by_language, Mapping) else ())[:LANGUAGES_LIMIT]:
        for topic, texts in found.items() if isinstance(topics, Mapping) else ():
            if text := _text(topics.get(topic), HELP_LIMIT):
                texts.append((str(language)[:10], text))
    return {topic: tuple(texts) for topic, texts in found.items() if texts}


def log_days(site: Mapping[str, Json]) -> int | None:
    """For how many days central keeps what is logged; None: it does not say."""
    days = _number(site, "log_days")
    return days if days is not None and 0 < days <= LOG_DAYS_LIMIT else None


def look_ups(site: Mapping[str, Json]) -> LookUps | None:
    """How often the log was read in the year that central counts, and in the one before."""
    told = site.get("lookups")
    if not isinstance(told, Mapping) or type(year := told.get("year")) is not int:
        return None
    by_year = {year: told.get("counts"), year - 1: told.get("last_year")}
    return LookUps({each: _by_reason(counts) for each, counts in by_year.items() if isinstance(counts, Mapping)})


def _by_reason(counts: Mapping[str, Json]) -> Mapping[LookUpReason, int]:
    found = Counter[LookUpReason]()
    for reason, count in counts.items():
        if type(count) is int and count > 0:
            found[next((known for known in LookUpReason if known == reason), LookUpReason.OTHER)] += count
    return found


def _line(each: Json) -> SupportLine | None:
    if not isinstance(each, Mapping):
        return None
    days = _days(each.get("days"))
    from_min, to_min = _minutes(each.get("from"), 0, MINUTES_PER_DAY - 1), _minutes(each.get("to"), 1, MINUTES_PER_DAY)
    phone = _text(each.get("phone"))[:PHONE_LIMIT]
    if not days or from_min is None or to_min is None or not phone:
        return None
    texts = _by_language(each.get("text"))
    return SupportLine(days, from_min, to_min, each.get("holidays") is True, phone, texts)


def _days(mask: Json) -> frozenset[int]:
    """As claim 24 has them: bit 0 is Monday."""
    if type(mask) is not int or not 0 < mask < 1 << len(DAYS):
        return frozenset()
    return frozenset(day for day in range(len(DAYS)) if mask >> day & 1)


def _minutes(value: Json, low: int, high: int) -> int | None:
    return value if type(value) is int and low <= value <= high else None


def _by_language(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return ()
    texts = [(str(language)[:10], _text(text)) for language, text in list(value.items())[:LANGUAGES_LIMIT]]
    return tuple((language, text) for language, text in texts if text)


def _text(value: Json, limit: int = TEXT_LIMIT) -> str:
    return value.strip()[:limit] if isinstance(value, str) else ""


def _number(body: Mapping[str, Json], name: str) -> int | None:
    value = body.get(name)
    return value if type(value) is int else None


def pin_digits(digits: Json) -> int:
    """How many digits the site's PINs have, as central says it; 0 for what cannot be that."""
    return digits if type(digits) is int and 0 < digits <= MAX_DIGITS else 0
