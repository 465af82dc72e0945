"""What is drawn three rows high: a time or a countdown, and the boxes of the digits typed so far."""

from textual.widgets import Digits, Static

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""


class Figure(Digits):
    """A time of day or a countdown; takes no room while it is empty."""

    def show(self, figure: str) -> None:
        """Show ``figure`` (digits and colons), or nothing when it is empty."""
        self.display = bool(figure)
        if figure != self.value:
            self.update(figure)


class Mask(Static):
    """A box for each typed digit. It is only told how many there are."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._count = 0

    def show(self, count: int) -> None:
        """Show ``count`` boxes, or nothing when there are none."""
        count = min(count, BOXES_LIMIT)
        self.display = count > 0
        if count != self._count:
            self._count = count
            self.update("\n".join(row * count for row in ("┏━┓", "┃●┃", "┗━┛")))
