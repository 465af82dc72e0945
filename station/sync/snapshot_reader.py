"""Reads ``{epoch, cursor, head, objects: […]}`` as it comes, an object at a time. Pure: bytes in, objects out.

The rules are those of `station.records.strict_json`. Memory holds what has not been taken yet and one unfinished value,
`VALUE_LIMIT_CHARACTERS` at most.
"""

import codecs
from collections.abc import Generator
from typing import Any

from pydantic import ValidationError

from station.records.strict_json import JsonRefused, read_at
from station.sync.answers import SnapshotStart

VALUE_LIMIT_CHARACTERS = 1024 * 1024
"""One object: the largest is the site's, with its own texts in every language. A record has 5,500."""
MEMBERS_LIMIT = 20
"""Beside the objects; a later central may have more than our four."""
_BLANKS = " \t\n\r"

_Reading = Generator[None, None, Any]
"""Runs until it needs more text."""


class SnapshotReader:
    """`feed` it; what it refuses, it refuses with JsonRefused."""

    def __init__(self) -> None:
        self.start: SnapshotStart | None = None
        """What stands before the objects, once that has come."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0
        self._ended = False
        self._objects: list[Any] = []
        self._reading: _Reading = self._answer()

    def feed(self, piece: bytes, *, last: bool = False) -> list[Any]:
        """The objects that are whole with this piece, whatever they are. ``last``: nothing comes after it."""
        try:
            self._text = self._text[self._at :] + self._decoder.decode(piece, last)
        except UnicodeDecodeError:
            raise JsonRefused("json_malformed") from None
        self._at, self._ended = 0, last
        next(self._reading, None)
        objects, self._objects = self._objects, []
        return objects

    def _answer(self) -> _Reading:
        members: dict[str, Any] = {}
        yield from self._sign("{")
        while True:
            name = yield from self._value()
            if type(name) is not str or not name.isascii() or len(members) >= MEMBERS_LIMIT:
                raise JsonRefused("json_name")
            if name in members:
                raise JsonRefused("json_name_twice")
            yield from self._sign(":")
            if name == "objects":
                self.start = _start(members)
                members[name] = None
                yield from self._list()
            else:
                members[name] = yield from self._value()
            if (yield from self._sign(",}")) == "}":
                break
        if self.start is None:
            raise JsonRefused("central_answer_malformed")
        while True:
            self._skip_blanks()
            if self._at < len(self._text):
                raise JsonRefused("json_malformed")
            yield

    def _list(self) -> _Reading:
        yield from self._sign("[")
        if (yield from self._next()) == "]":
            self._at += 1
            return
        while True:
            each = yield from self._value()
            # Only now: `feed` hands over the list as it is and goes on with another.
            self._objects.append(each)
            if (yield from self._sign(",]")) == "]":
                return

    def _value(self) -> _Reading:
        """The next value, once it and a character after it are there: a number could go on."""
        yield from self._next()
        worth_trying = 0
        while True:
            there = len(self._text) - self._at
            # Only with twice as much as before, or a byte at a time would cost the square of the length.
            if there >= worth_trying or self._ended:
                try:
                    value, end = read_at(self._text, self._at)
                except JsonRefused as error:
                    if error.code != "json_malformed" or self._ended:
                        raise
                else:
                    if end < len(self._text):
                        if end - self._at > VALUE_LIMIT_CHARACTERS:
                            raise JsonRefused("json_too_long")
                        self._at = end
                        return value
                if there > VALUE_LIMIT_CHARACTERS:
                    raise JsonRefused("json_too_long")
                worth_trying = min(2 * there, VALUE_LIMIT_CHARACTERS + 1)
            yield from self._more()

    def _sign(self, wanted: str) -> Generator[None, None, str]:
        sign = yield from self._next()
        if sign not in wanted:
            raise JsonRefused("json_malformed")
        self._at += 1
        return sign

    def _next(self) -> Generator[None, None, str]:
        """The next character that is no blank; it is not taken."""
        self._skip_blanks()
        while self._at >= len(self._text):
            yield from self._more()
            self._skip_blanks()
        return self._text[self._at]

    def _skip_blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _BLANKS:
            self._at += 1

    def _more(self) -> Generator[None, None, None]:
        if self._ended:
            raise JsonRefused("json_malformed")
        yield


def _start(members: dict[str, Any]) -> SnapshotStart:
    try:
        return SnapshotStart.model_validate(members)
    except ValidationError:
        pass
    raise JsonRefused("central_answer_malformed")
