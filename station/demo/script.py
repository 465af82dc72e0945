"""Scenario files: one step a line, as a person at the station would do it. Format: ``docs/reference/scripts.md``.

Parsing knows every step's shape and refuses a file with the line that is wrong; doing them is the player's work.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from station.demo.shapes import SHAPES
from station.errors import StationError

FILE_LIMIT_BYTES = 256 * 1024
STEPS_LIMIT = 2000
_BUILT_IN = "scripts"


class ScriptFault(StationError):
    """A scenario that cannot be played. Its text is one plain line, ``FILE:LINE: expected …``."""

    def __init__(self, script: str, expected: str, line: int | None = None) -> None:
        super().__init__("script_invalid", script=script, line=line, expected=expected)
        self._where = script if line is None else f"{script}:{line}"
        self._expected = expected

    def __str__(self) -> str:
        return f"{self._where}: expected {self._expected}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line: the verb and its words. ``script`` is the file's name."""

    script: str
    line: int
    verb: str
    words: tuple[str, ...]
    text: str


def names() -> Sequence[str]:
    """The scenarios that come with the program."""
    files = resources.files("station.demo").joinpath(_BUILT_IN).iterdir()
    return sorted(file.name.removesuffix(".script") for file in files if file.name.endswith(".script"))


def load(name: str) -> Sequence[Step]:
    """The steps of a built-in scenario or of a file. Raises ScriptFault."""
    if name in names():
        file = resources.files("station.demo").joinpath(_BUILT_IN, f"{name}.script")
        return parse(file.read_text("utf-8"), f"{name}.script")
    try:
        with Path(name).open("rb") as opened:
            content = opened.read(FILE_LIMIT_BYTES + 1)
    except OSError:
        raise ScriptFault(name, f"a file, or one of {' '.join(names())}") from None
    if len(content) > FILE_LIMIT_BYTES:
        raise ScriptFault(name, f"at most {FILE_LIMIT_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScriptFault(name, "UTF-8", content[: error.start].count(b"\n") + 1) from None
    return parse(text, name)


def parse(text: str, script: str) -> Sequence[Step]:
    """The steps in ``text``, which is called ``script``. Raises ScriptFault with the line of the first mistake."""
    steps: list[Step] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        try:
            # Not shlex's comments: a # also ends a PIN.
            words = [] if raw.lstrip().startswith("#") else shlex.split(raw)
        except ValueError:
            raise ScriptFault(script, "quotes that are closed", number) from None
        if not words:
            continue
        if len(steps) == STEPS_LIMIT:
            raise ScriptFault(script, f"at most {STEPS_LIMIT} steps", number)
        verb, *rest = words
        shape = SHAPES.get(verb)
        if shape is None:
            raise ScriptFault(script, f"one of {' '.join(SHAPES)}", number)
        if not shape.fits(rest):
            raise ScriptFault(script, shape.usage(verb), number)
        steps.append(Step(script, number, verb, tuple(rest), raw.strip()))
    return steps
