"""The JSON of central's answers, of which two readers can never understand two things, and its one canonical text.

An answer is refused whole for anything that would leave room: a name twice in an object, a name that is not ASCII,
half a surrogate pair, a number that is not an integer from -(2^53 - 1) to 2^53 - 1 or is written as ``1.0`` or ``-0``,
more than 32 levels. What is left has just one canonical text (RFC 8785). Source: the central API, "Confirming the
mirror".
"""

import json
from typing import Any

from station.errors import StationError

MAX_NUMBER = 2**53 - 1
LEVELS_LIMIT = 32
"""Arrays and objects within each other, the outermost included."""
_NUMBER_LIMIT_CHARACTERS = len(str(-MAX_NUMBER))


class JsonRefused(StationError):
    """An answer that is not taken. ``code`` says why; nothing of the answer is in it."""


def read(text: bytes) -> Any:
    """What ``text`` (UTF-8) says. Raises JsonRefused."""
    try:
        value = _DECODER.decode(text.decode("utf-8"))
    except RecursionError:
        raise JsonRefused("json_too_deep") from None
    except ValueError:
        raise JsonRefused("json_malformed") from None
    _check(value, LEVELS_LIMIT)
    return value


def read_at(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at ``at``, and where it ends: of an answer that is read piece by piece.

    `canonical` looks at the rest: texts, names and levels. Raises JsonRefused, ``json_malformed`` also for a value that
    is not whole yet.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise JsonRefused("json_too_deep") from None
    except ValueError:
        raise JsonRefused("json_malformed") from None


def canonical(value: Any, levels: int = LEVELS_LIMIT) -> bytes:
    """The canonical text (RFC 8785) of a value that `read` could have read, in UTF-8. Raises JsonRefused for others.

    ``levels``: how many it may have, where others are around it.
    """
    _check(value, levels)
    # For ASCII names the order of RFC 8785 (UTF-16 units) is that of Python's strings, and without fractions there is
    # nothing to say about numbers; what it escapes, and how, is what Python does.
    return _ENCODER.encode(value).encode("utf-8")


def _check(value: Any, levels: int) -> None:
    """Raise JsonRefused for what JSON cannot hold in exactly one way."""
    if value is None or value is True or value is False:
        return
    if type(value) is str:
        _check_text(value)
    elif type(value) is int:
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise JsonRefused("json_number")
    elif type(value) is dict or type(value) is list:
        if not levels:
            raise JsonRefused("json_too_deep")
        for name in value if type(value) is dict else ():
            if type(name) is not str or not name.isascii():
                raise JsonRefused("json_name")
        for each in value.values() if type(value) is dict else value:
            # Most members are short texts and small numbers, and there are a million of them in a first mirror.
            if (type(each) is str and each.isascii()) or (type(each) is int and -MAX_NUMBER <= each <= MAX_NUMBER):
                continue
            _check(each, levels - 1)
    else:
        raise JsonRefused("json_number" if type(value) is float else "json_type")


def _check_text(text: str) -> None:
    try:
        if not text.isascii():
            text.encode("utf-8")
    except UnicodeEncodeError:
        raise JsonRefused("json_surrogate") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two members of one name some readers take the first, others the last.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonRefused("json_name_twice")
    return members


def _integer(digits: str) -> int:
    if digits == "-0" or len(digits) > _NUMBER_LIMIT_CHARACTERS:
        raise JsonRefused("json_number")
    return int(digits)


def _no_number(_: str) -> None:
    raise JsonRefused("json_number")


# Made once, not for each of the 100,000 objects of a first mirror.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
)
