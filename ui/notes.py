"""The smaller text: as many sentences as there is room for, on lines of their own where they fit; the rest in turn."""

import textwrap

from textual.app import RenderResult
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

TURN_S = 8.0
"""Where there is more than fits, how long each part stays: time to read eight short lines."""


class Notes(Widget):
    """The one smaller line, and further sentences, the most important first.

    Where there is no room for all of them they are shown in turn, `TURN_S` each, below the smaller line. A timer runs
    while there are any.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__(id=id)
        self._small = ""
        self._notes: tuple[str, ...] = ()
        self._turn = 0
        self._turning: Timer | None = None

    def show(self, small: str, notes: tuple[str, ...]) -> None:
        """Show ``small``, which is always there, and ``notes``, in turn where there is too little room."""
        if (small, notes) == (self._small, self._notes):
            return
        self._small, self._notes, self._turn = small, notes, 0
        if self._turning is not None:
            self._turning.stop()
        self._turning = self.set_interval(TURN_S, self.turn) if notes else None
        self.refresh()

    def turn(self) -> None:
        """Show the next part, or the first again."""
        self._turn += 1
        self.refresh()

    def render(self) -> RenderResult:
        """What fits into the widget as it is now."""
        parts = fitted(self._small, self._notes, self.content_size.width, self.content_size.height)
        return Content(parts[self._turn % len(parts)])


def fitted(small: str, notes: tuple[str, ...], columns: int, rows: int) -> list[str]:
    """What to show in turn: ``small`` each time, and as many of ``notes`` as fit.

    Each on its own lines, else all in one paragraph, else fewer. One that does not fit alone goes on in the next part.
    """
    above = _wrapped(small, columns) if small else []
    if notes and len(above) >= rows and len(_wrapped(f"{small} {notes[0]}", columns)) > rows and above:
        return ["\n".join(above[:rows]), *fitted("", notes, columns, rows)]
    parts: list[str] = []
    left = notes
    while True:
        part, left = _part(small, left, columns, rows)
        parts.append(part)
        if not left:
            return parts


def _part(small: str, notes: tuple[str, ...], columns: int, rows: int) -> tuple[str, tuple[str, ...]]:
    """As much as fits, and what is left."""
    for kept in range(len(notes), 0 if notes else -1, -1):
        parts = [part for part in (small, *notes[:kept]) if part]
        lines = [line for part in parts for line in _wrapped(part, columns)]
        spaced = [line for part in parts for line in (*_wrapped(part, columns), "")][:-1]
        paragraph = _wrapped(" ".join(parts), columns)
        for shape in (spaced, lines, paragraph):
            if len(shape) <= rows:
                return "\n".join(shape), notes[kept:]
    above = _wrapped(small, columns)[:rows] if small else []
    if not notes:
        return "\n".join(above), ()
    lines = _wrapped(notes[0], columns)
    room = max(rows - len(above), 1)
    rest = " ".join(lines[room:])
    return "\n".join([*above, *lines[:room]]), (*([rest] if rest else []), *notes[1:])


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
