"""Scenario files: one step a line, as a person at the station would do it. Format: ``docs/reference/scripts.md``.

Parsing knows every step's shape and refuses a file with the line that is wrong; doing them is the player's work.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.locks import Light, Reason
from station.core.screen import Line
from station.errors import StationError

FILE_LIMIT_BYTES = 256 * 1024
STEPS_LIMIT = 2000
_BUILT_IN = "scripts"


class ScriptFault(StationError):
    """A scenario that cannot be played; ``line`` and ``expected`` say what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line: the verb and its words."""

    line: int
    verb: str
    words: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How many words a verb takes, and what they are, for the complaint."""

    least: int
    most: int
    usage: str


SHAPES: Mapping[str, Shape] = {
    "say": Shape(1, 1, 'say "what happens now"'),
    "press": Shape(1, 1, "press KEY"),
    "insert": Shape(1, 1, "insert KEY"),
    "pull": Shape(0, 0, "pull"),
    "bounce": Shape(1, 1, "bounce SECONDS"),
    "type": Shape(1, 1, "type *123456#"),
    "pin": Shape(1, 2, "pin HOLDER [start|end|only]"),
    "see": Shape(1, 2, "see LINE [REASON]"),
    "never": Shape(1, 1, "never LINE"),
    "lock": Shape(3, 5, "lock KEY LOCK AREA REASON [record]"),
    "light": Shape(2, 2, "light KEY LIGHT"),
    "network": Shape(1, 1, "network cut|restored"),
    "central": Shape(1, 1, "central refreshed"),
    "skip": Shape(1, 1, "skip SECONDS"),
    "lose-power": Shape(1, 1, "lose-power KEY"),
    "restart": Shape(0, 0, "restart"),
}
_REASONS = {*Refusal, *Hindrance, *Shortened}


def built_in(name: str) -> str | None:
    """The text of a scenario that comes with the program; None when there is none of that name."""
    if not name.isidentifier():
        return None
    file = resources.files("station.demo").joinpath(_BUILT_IN, f"{name}.script")
    return file.read_text("utf-8") if file.is_file() else None


def names() -> Sequence[str]:
    """The scenarios that come with the program."""
    files = resources.files("station.demo").joinpath(_BUILT_IN).iterdir()
    return sorted(file.name.removesuffix(".script") for file in files if file.name.endswith(".script"))


def load(name: str) -> Sequence[Step]:
    """The steps of a built-in scenario or a file. Raises ScriptFault."""
    text = built_in(name)
    if text is None:
        try:
            content = Path(name).read_bytes()
            text = content.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise ScriptFault("script_unreadable", script=name, known=",".join(names())) from None
        if len(content) > FILE_LIMIT_BYTES:
            raise ScriptFault("script_too_long", script=name)
    return parse(text)


def parse(text: str) -> Sequence[Step]:
    """The steps in ``text``. Raises ScriptFault with the line of the first mistake."""
    steps = []
    for number, raw in enumerate(text.splitlines(), start=1):
        try:
            # Not shlex's comments: a # also ends a PIN.
            words = [] if raw.lstrip().startswith("#") else shlex.split(raw)
        except ValueError:
            raise ScriptFault("script_line", line=number, expected="quotes that are closed") from None
        if words:
            steps.append(_step(number, words, raw.strip()))
        if len(steps) > STEPS_LIMIT:
            raise ScriptFault("script_line", line=number, expected=f"at most {STEPS_LIMIT} steps")
    return steps


def _step(number: int, words: Sequence[str], text: str) -> Step:
    verb, *rest = words
    shape = SHAPES.get(verb)
    if shape is None:
        raise ScriptFault("script_line", line=number, expected="one of " + " ".join(SHAPES))
    if not shape.least <= len(rest) <= shape.most or not _fits(verb, rest):
        raise ScriptFault("script_line", line=number, expected=shape.usage)
    return Step(number, verb, tuple(rest), text)


def _fits(verb: str, words: Sequence[str]) -> bool:
    match verb:
        case "press" | "insert" | "lose-power":
            return words[0].isdecimal()
        case "bounce" | "skip":
            return words[0].replace(".", "", 1).isdecimal()
        case "type":
            return set(words[0]) <= set("0123456789*#<")
        case "pin":
            return words[0].isdecimal() and words[-1] in {words[0], "start", "end", "only"}
        case "see":
            return words[0] in set(Line) and (len(words) == 1 or words[1] in _REASONS)
        case "never":
            return words[0] in set(Line)
        case "lock":
            numbers = all(word.isdecimal() for word in words[:3])
            return numbers and len(words) >= 4 and words[3] in set(Reason) and words[4:] in ([], ["record"])
        case "light":
            return words[0].isdecimal() and words[1] in set(Light)
        case "network":
            return words[0] in {"cut", "restored"}
        case "central":
            return words[0] == "refreshed"
        case _:
            return True
