"""Whom to call and where to go when this station does not help."""

import gettext

from station.core.facts import Refusal
from station.core.screen import Line, Screen
from ui.glyphs import printable
from ui.languages import SOURCE


def notes(screen: Screen, language: str, speech: gettext.NullTranslations) -> list[str]:
    """The support line of this hour, then the nearest stations that work, each in a sentence."""
    where = screen.elsewhere
    parts: list[str] = []
    if where.support is not None:
        name = printable(in_language(where.support.texts, language))
        call = speech.gettext("Call {name}: {phone}") if name else speech.gettext("Call {phone}")
        parts.append(call.format(name=name, phone=printable(where.support.phone)))
    station_fault = screen.line in {Line.EMPTY, Line.READER_BROKEN} or screen.refusal is Refusal.STATION
    for other in where.neighbours if station_fault else ():
        place = ", ".join(printable(part) for part in (other.name, other.address) if part)
        parts.append(speech.gettext("Station {number}: {place}").format(number=other.station, place=place))
    return parts


def in_language(texts: tuple[tuple[str, str], ...], language: str) -> str:
    """The text in ``language``, else in English, else the first there is; empty without any."""
    by_language = dict(texts)
    return by_language.get(language) or by_language.get(SOURCE) or next(iter(by_language.values()), "")
