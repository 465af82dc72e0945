"""What is drawn three rows high: a time or a countdown, the boxes of the digits typed so far, a bar of progress."""

from textual.widgets import Digits, Static

from station.core.screen import Progress

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""

BAR_COLUMNS = 30


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


class Bar(Static):
    """How far the writing to the key has come; takes no room while nothing is being written."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._full = -1

    def show(self, progress: Progress | None) -> None:
        """Show how many of the bytes are written, or nothing."""
        self.display = progress is not None and progress.total_bytes > 0
        if progress is None or not self.display:
            return
        full = BAR_COLUMNS * progress.done_bytes // progress.total_bytes
        if full != self._full:
            self._full = full
            self.update("\n".join(["█" * full + "░" * (BAR_COLUMNS - full)] * 3))
