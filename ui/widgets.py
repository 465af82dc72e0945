"""The small parts of the screen: text, boxes for typed digits, and a bar of progress."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from station.display.screen import Progress

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""
BAR_COLUMNS = 30


class PlainText(Widget):
    """Text as it is: names and messages from elsewhere are never taken for markup."""

    text: reactive[str] = reactive("", layout=True)

    def render(self) -> Content:
        """The text."""
        return Content(self.text)


class PinBoxes(Widget):
    """A box for each typed digit. It is only told how many there are."""

    count: reactive[int] = reactive(0)

    def watch_count(self) -> None:
        """Take no room without digits."""
        self.display = self.count > 0

    def render(self) -> Content:
        """Boxes, three rows high."""
        count = min(self.count, BOXES_LIMIT)
        return Content("\n".join(row * count for row in ("┏━┓", "┃●┃", "┗━┛")))


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
