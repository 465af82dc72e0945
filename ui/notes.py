"""The smaller text: as many sentences as there is room for, on lines of their own where they fit."""

import textwrap

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget


class Notes(Widget):
    """The one smaller line, and further sentences. The least important come last and are the first to be left out."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__(id=id)
        self._small = ""
        self._notes: tuple[str, ...] = ()

    def show(self, small: str, notes: tuple[str, ...]) -> None:
        """Show ``small``, which is never left out, and of ``notes`` what there is room for."""
        if (small, notes) != (self._small, self._notes):
            self._small, self._notes = small, notes
            self.refresh()

    def render(self) -> RenderResult:
        """What fits into the widget as it is now."""
        return Content(fitted(self._small, self._notes, self.content_size.width, self.content_size.height))


def fitted(small: str, notes: tuple[str, ...], columns: int, rows: int) -> str:
    """``small`` and as many of ``notes`` as fit: each on its own lines, else all in one paragraph, else fewer."""
    for kept in range(len(notes), -1, -1):
        parts = [part for part in (small, *notes[:kept]) if part]
        lines = [line for part in parts for line in _wrapped(part, columns)]
        spaced = [line for part in parts for line in (*_wrapped(part, columns), "")][:-1]
        paragraph = _wrapped(" ".join(parts), columns)
        for shape in (spaced, lines, paragraph):
            if len(shape) <= rows:
                return "\n".join(shape)
    return "\n".join(_wrapped(small, columns)[:rows])


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
