"""What a site says on its stations' screens in its own words: whom to call, privacy, help. Checked before it is kept.

Stations count each of these by its exact JSON text, so that what has more than one reading must not get in.
"""

import re

from django.core.exceptions import ValidationError

from station.errors import StationError
from station.records.claims import MINUTES_A_DAY
from station.records.strict_json import canonical

TOPICS = frozenset(
    ("wake", "contact", "key_red", "green_stuck", "frozen", "wear", "lost", "station_dead", "all_dead", "logged", "pin")
)
TEXT_LIMIT_CHARACTERS = 2000
SUPPORT_LIMIT = 20
EVERY_DAY = 127
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PHONE = re.compile(r"\+?[0-9 -]{2,30}")
_SUPPORT = {"days", "from", "to", "holidays", "phone", "text"}


def check_texts(value: object) -> None:
    """Refuse what is not ``{language: text}``."""
    if not _are_texts(value):
        raise ValidationError('Texts by language: {"sv": "…", "en": "…"}')


def check_help(value: object) -> None:
    """Refuse what is not ``{language: {topic: text}}``."""
    good = type(value) is dict and all(
        type(name) is str and _LANGUAGE.fullmatch(name) and type(topics) is dict
        and TOPICS.issuperset(topics) and all(map(_is_text, topics.values()))
        for name, topics in value.items()
    )  # fmt: skip
    if not good:
        raise ValidationError(f"Texts by language and topic; topics are {', '.join(sorted(TOPICS))}")


def check_support(value: object) -> None:
    """Refuse what is not a list of ``{days, from, to, holidays, phone, text}`` as stations have it."""
    if type(value) is not list or len(value) > SUPPORT_LIMIT or not all(map(_is_support, value)):
        raise ValidationError(
            'A list of {"days": 1-127 (Monday 1, Tuesday 2, Wednesday 4 …), "from": minute, "to": minute, '
            '"holidays": true or false, "phone": "…", "text": {"sv": "…"}}'
        )


def _is_support(entry: object) -> bool:
    return (
        type(entry) is dict
        and set(entry) == _SUPPORT
        and all(type(entry[name]) is int for name in ("days", "from", "to"))
        and 1 <= entry["days"] <= EVERY_DAY
        and 0 <= entry["from"] < entry["to"] <= MINUTES_A_DAY
        and type(entry["holidays"]) is bool
        and type(entry["phone"]) is str
        and _PHONE.fullmatch(entry["phone"]) is not None
        and _are_texts(entry["text"])
    )


def _are_texts(value: object) -> bool:
    return type(value) is dict and all(
        type(name) is str and _LANGUAGE.fullmatch(name) and _is_text(text) for name, text in value.items()
    )


def _is_text(text: object) -> bool:
    if type(text) is not str or len(text) > TEXT_LIMIT_CHARACTERS:
        return False
    try:
        return bool(canonical(text))
    except StationError:
        return False
