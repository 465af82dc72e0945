"""The smaller text: as many sentences as there is room for, on lines of their own where they fit; the rest in turn."""

import textwrap

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

TURN_S = 8.0
"""Where there is more than fits, how long each part stays: time to read eight short lines."""


class TurningNotes(Widget):
    """The reason, and further sentences: all of them, or some at a time."""

    turn: reactive[int] = reactive(0)
    """How often the next part has been shown."""

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[str, tuple[str, ...]] = "", ()
        self._turning: Timer | None = None

    def on_mount(self) -> None:
        """Show the next part every `TURN_S`."""
        self._turning = self.set_interval(TURN_S, self.show_next)

    def say(self, reason: str, notes: tuple[str, ...]) -> None:
        """Say these from the first on, if they are others than before."""
        if (reason, notes) != self._said:
            self._said = reason, notes
            self.turn = 0
            if self._turning is not None:
                self._turning.reset()
            self.refresh()

    def show_next(self) -> None:
        """Show the next part, or the first again."""
        self.turn += 1

    def render(self) -> Content:
        """The part whose turn it is."""
        columns, rows = self.content_size
        if rows < 1:
            return Content("")
        parts = fitted(*self._said, columns, rows)
        return Content(parts[self.turn % len(parts)])


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
        paragraph = wrapped(" ".join(parts), columns)
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


def wrapped(text: str, columns: int) -> list[str]:
    """``text`` on lines of at most so many columns; an empty line where there is none."""
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
