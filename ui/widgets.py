"""The small parts of the screen: text, boxes for typed digits, and a bar of progress."""

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from station.display.screen import Progress
from ui.notes import wrapped

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""
INSIDE = (6, 2, 1)
"""The columns of a box between its sides: as many as leave room for all boxes."""
BAR_COLUMNS = 30


class PlainText(Widget):
    """Text as it is: names and messages from elsewhere are never taken for markup."""

    text: reactive[str] = reactive("", layout=True)

    def render(self) -> Content:
        """The text."""
        return Content(self.text)


class SideText(Widget):
    """Sentences beside the state, each on a line of its own, with air between them where there is room."""

    lines: reactive[tuple[str, ...]] = reactive((), layout=True)
    air: reactive[bool] = reactive(default=True, layout=True)
    """Whether there may be empty lines."""

    def render(self) -> Content:
        """The sentences."""
        columns, rows = self.size
        parts = [wrapped(line, columns) for line in self.lines]
        spaced = [line for part in parts for line in (*part, "")][:-1]
        close = [line for part in parts for line in part]
        if not self.air:
            return Content("\n".join(close))
        # Whose key it is comes first, and is the first to go.
        return Content("\n".join(spaced if len(spaced) <= rows else close[-rows:]))


class PinBoxes(Widget):
    """A box for each digit of a PIN; those of typed digits are full. It is only told how many there are.

    The boxes begin at the left, so that none moves when there are more of them than usual.
    """

    boxes: reactive[int] = reactive(0)
    full: reactive[int] = reactive(0)

    def watch_boxes(self) -> None:
        """Take no room without boxes."""
        self.display = self.boxes > 0

    def render_line(self, y: int) -> Strip:
        """One of the rows: the lid, the inside, the bottom."""
        plain = self.rich_style
        last = self.size.height - 1
        inside = next((width for width in INSIDE if (width + 2) * BOXES_LIMIT <= self.size.width), INSIDE[-1])
        # With air between them where there is room for it.
        gap = " " * (2 if (inside + 4) * BOXES_LIMIT <= self.size.width + 2 else 0)
        parts = []
        for number in range(min(self.boxes, BOXES_LIMIT)):
            if y in {0, last}:
                left, right = "┌┐" if y == 0 else "└┘"
                parts.append(Segment(f"{left}{'─' * inside}{right}{gap}", plain))
            else:
                within = plain + Style(reverse=True) if number < self.full else plain
                parts += [Segment("│", plain), Segment(" " * inside, within), Segment(f"│{gap}", plain)]
        return Strip(parts).adjust_cell_length(self.size.width, plain)


class WriteProgress(Widget):
    """How far the writing to the key has come."""

    progress: reactive[Progress | None] = reactive(None)

    def watch_progress(self) -> None:
        """Take no room while nothing is written."""
        self.display = self.progress is not None and self.progress.total_bytes > 0

    def render(self) -> Content:
        """A bar, three rows high."""
        if self.progress is None or self.progress.total_bytes <= 0:
            return Content("")
        full = BAR_COLUMNS * self.progress.done_bytes // self.progress.total_bytes
        return Content("\n".join(["█" * full + "░" * (BAR_COLUMNS - full)] * 3))
