"""Where each key of a TOML text stands: ``tomllib`` gives the values, an administrator needs the lines.

The scanner reads texts that ``tomllib`` has accepted, so it checks nothing; what it cannot place, it leaves out, and
`Positions.line` answers with the nearest table instead.
"""

import contextlib
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[ \t]*\.[ \t]*)+""")
_SCALAR = re.compile(r"[^,\]}\n#]*")
# The long forms first: """ would otherwise be read as an empty string and a quote. A multi-line string may end in up
# to two more quotes that belong to it.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a key and its value stand. Offsets count characters; a table has an empty value after its header."""

    line: int
    value_start: int
    value_end: int


@dataclass
class Positions:
    """The positions of all keys of one text."""

    by_path: dict[KeyPath, Position] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of the key at ``path``, else of the nearest table around it, else the first."""
        for length in range(len(path), 0, -1):
            position = self.by_path.get(path[:length])
            if position is not None:
                return position.line
        return 1


def find_positions(text: str) -> Positions:
    """The positions of all keys in ``text``, which `tomllib.loads` has accepted with ``\\n`` as the end of lines."""
    scan = _Scan(text)
    # Better some lines than none: what was found so far stays.
    with contextlib.suppress(_LostError):
        scan.document()
    return scan.positions


class _LostError(Exception):
    """The scanner does not understand what it sees."""


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions = Positions()
        self._counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        path = self._inside_arrays(self._key())
        if many:
            number = self._counts.get(path, 0)
            self._note(path, start, start, start)
            self._counts[path] = number + 1
            path = (*path, number)
        self._skip(_SPACE)
        self.at += 2 if many else 1
        self._note(path, start, self.at, self.at)
        return path

    def _inside_arrays(self, key: KeyPath) -> KeyPath:
        """``[a.b]`` after ``[[a]]`` speaks of the newest ``a``."""
        path: KeyPath = ()
        for part in key:
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
            path = (*path, part)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        key = self._key()
        self._skip(_SPACE)
        if not self.text.startswith("=", self.at):
            raise _LostError
        self.at += 1
        self._skip(_SPACE)
        value_start = self.at
        path = (*table, *key)
        for length in range(len(table) + 1, len(path)):
            self._note(path[:length], start, value_start, value_start)
        self._value(path)
        self._note(path, start, value_start, self.at)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            self._list(path, "}", keyed=True)
        elif opening == "[":
            self._list(path, "]", keyed=False)
        else:
            found = (_STRING if opening in {'"', "'"} else _SCALAR).match(self.text, self.at)
            if found is None or not found.group():
                raise _LostError
            # Blanks after a number are not the number's.
            self.at += len(found.group().rstrip())

    def _list(self, path: KeyPath, closing: str, *, keyed: bool) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            sign = self.text[self.at : self.at + 1]
            if sign in {closing, ""}:
                self.at += 1
                return
            if sign == ",":
                self.at += 1
            elif keyed:
                self._pair(path)
            else:
                start = self.at
                self._value((*path, number))
                self._note((*path, number), start, start, self.at)
                number += 1

    def _key(self) -> KeyPath:
        self._skip(_SPACE)
        match = _KEY.match(self.text, self.at)
        if match is None:
            raise _LostError
        self.at = match.end()
        parts: list[str | int] = []
        # tomllib knows how quoted keys are to be read.
        try:
            value: Any = tomllib.loads(f"{match.group()} = 0")
        except ValueError as error:
            raise _LostError from error
        while isinstance(value, dict):
            ((part, value),) = value.items()
            parts.append(part)
        return tuple(parts)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = self.at if match is None else match.end()

    def _note(self, path: KeyPath, start: int, value_start: int, value_end: int) -> None:
        line = self.text.count("\n", 0, start) + 1
        self.positions.by_path.setdefault(path, Position(line, value_start, value_end))
