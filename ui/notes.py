"""The smaller text: as many sentences as there is room for, on lines of their own where they fit; the rest in turn."""

import re
import textwrap

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

TURN_S = 8.0
"""Where there is more than fits, how long each part stays: time to read eight short lines."""


AIR_FROM_ROWS = 4
"""More rows than that below the headline are parted from it by an empty one."""
ROWS_BELOW = 3
"""Where there are fewer, the headline is one paragraph."""
BAR_COLUMNS, RIGHT_COLUMNS = 2, 1


_STAYS_TOGETHER = re.compile(r"(?<=[\d-]) (?=[\d-])| (?=#)")
"""A telephone number, and a key of the keypad with the word before it."""


class TurningNotes(Widget):
    """What to do, why, and further sentences: all of them, or some at a time below the first.

    Trouble has a bar of two columns before its lines, in the colour ``bar``.
    """

    turn: reactive[int] = reactive(0)
    """How often the next part has been shown."""
    bar: reactive[str] = reactive("")
    """The name of a colour of the console's; empty: no bar."""
    margin_columns: reactive[int] = reactive(3)
    """Before the text; the bar is in it."""

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[str, str, tuple[str, ...]] = "", "", ()
        self._turning: Timer | None = None

    def on_mount(self) -> None:
        """Show the next part every `TURN_S`."""
        self._turning = self.set_interval(TURN_S, self.show_next)

    def say(self, headline: str, reason: str, notes: tuple[str, ...]) -> None:
        """Say these from the first on, if they are others than before."""
        if (headline, reason, notes) != self._said:
            self._said = headline, reason, notes
            self.turn = 0
            if self._turning is not None:
                self._turning.reset()
            self.refresh()

    def show_next(self) -> None:
        """Show the next part, or the first again."""
        self.turn += 1

    def render_line(self, y: int) -> Strip:
        """A line of the part whose turn it is, behind the bar."""
        plain, margin = self.rich_style, self.margin_columns
        above, lines = self._lines(self.size.width - margin - RIGHT_COLUMNS, self.size.height)
        if y >= len(lines):
            return Strip.blank(self.size.width, plain)
        bar = Style(color=self.bar, reverse=True) if self.bar else Style()
        before = [Segment(" " * (margin - 1 - BAR_COLUMNS), plain), Segment(" " * BAR_COLUMNS, plain + bar)]
        text = plain + Style(bold=True) if y < above else plain
        strip = Strip([*before, Segment(" ", plain), Segment(lines[y], text)])
        return strip.adjust_cell_length(self.size.width, plain)

    def _lines(self, columns: int, rows: int) -> tuple[int, list[str]]:
        """How many lines the headline has, and what stands on all of them."""
        headline, reason, notes = self._said
        above = [line for part in one_sentence_a_line(headline) for line in wrapped(part, columns)] if headline else []
        if rows - len(above) < ROWS_BELOW and (reason or notes):
            above = wrapped(headline, columns) if headline else []
        rest = rows - len(above)
        if not (reason or notes) or rest < 1:
            return len(above), above[:rows]
        if reason and len(wrapped(reason, columns)) >= rest:
            reason, notes = "", (reason, *notes)
        with_air = rest - 1 if above and rest > AIR_FROM_ROWS else rest
        parts = fitted(reason, notes, columns, with_air)
        shown = parts[self.turn % len(parts)].split("\n")
        air = [""] if above and len(shown) < rest else []
        return len(above), [*above, *air, *shown]


def one_sentence_a_line(text: str) -> list[str]:
    """What to do is found at a glance."""
    return text.replace(". ", ".\n").split("\n")


def fitted(reason: str, notes: tuple[str, ...], columns: int, rows: int) -> list[str]:
    """What to show in turn: ``reason`` each time, and as many of ``notes`` as fit.

    Each on its own lines, else all in one paragraph, else fewer. One that does not fit alone goes on in the next part.
    """
    above = wrapped(reason, columns) if reason else []
    if notes and len(above) >= rows and len(wrapped(f"{reason} {notes[0]}", columns)) > rows and above:
        return ["\n".join(above[:rows]), *fitted("", notes, columns, rows)]
    parts: list[str] = []
    left = notes
    while True:
        part, left = _part(reason, left, columns, rows)
        parts.append(part)
        if not left:
            return parts


def _part(reason: str, notes: tuple[str, ...], columns: int, rows: int) -> tuple[str, tuple[str, ...]]:
    """As much as fits, and what is left."""
    for kept in range(len(notes), 0 if notes else -1, -1):
        parts = [part for part in (reason, *notes[:kept]) if part]
        lines = [line for part in parts for line in wrapped(part, columns)]
        spaced = [line for part in parts for line in (*wrapped(part, columns), "")][:-1]
        paragraph = wrapped(_in_one(parts), columns)
        for shape in (spaced, lines, paragraph):
            if len(shape) <= rows:
                return "\n".join(shape), notes[kept:]
    above = wrapped(reason, columns)[:rows] if reason else []
    if not notes:
        return "\n".join(above), ()
    lines = wrapped(notes[0], columns)
    room = max(rows - len(above), 1)
    rest = " ".join(lines[room:])
    return "\n".join([*above, *lines[:room]]), (*([rest] if rest else []), *notes[1:])


def _in_one(parts: list[str]) -> str:
    """One after another; what is no sentence, as a telephone number, is kept apart from the next."""
    text = ""
    for part in parts:
        text += ("" if not text else " " if text[-1] in ".?!:" else " · ") + part
    return text


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """``text`` on lines of at most so many columns, ``indent`` before all but the first; an empty one without text."""
    whole = _STAYS_TOGETHER.sub("\N{NO-BREAK SPACE}", text)
    lines = textwrap.wrap(whole, max(columns, 1), subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines] or [""]
