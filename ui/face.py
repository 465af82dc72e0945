"""The kiosk's one screen: lays its page out and paints what of it has changed, at once."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen as TextualScreen
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from ui import lamps
from ui.lamps import BLINK_S
from ui.notes import TURN_S
from ui.page import Turn, laid_out
from ui.words import Words

LOOK = """
Face { background: ansi_black; color: ansi_bright_white; overflow: hidden; }
Sheet { width: 100%; height: 100%; background: ansi_black; }
"""


_NOTHING = Strip([])


class Sheet(Widget):
    """The rows of the page, for whoever asks Textual for them: a new terminal, a picture, a test."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Strip] = []

    def render_line(self, y: int) -> Strip:
        """Row ``y`` of the page."""
        return self.rows[y] if y < len(self.rows) else Strip.blank(self.size.width)


@dataclass(frozen=True, slots=True)
class _Painting:
    """What is to be written to come from the rows ``before`` to those that say ``words``."""

    words: Words
    size: Size
    turn: Turn
    before: list[Strip]
    rows: list[Strip]
    text: str

    def is_of(self, words: Words, size: Size, turn: Turn, before: list[Strip]) -> bool:
        """Whether it is for this."""
        return before is self.before and (words, size, turn) == (self.words, self.size, self.turn)


class Face(TextualScreen[None], inherit_bindings=False):
    """The only screen: installed once, its contents change. A screen for each visit would cost memory each time.

    Its changes do not wait for Textual's next look at what wants to be drawn (some 16 ms later, and again after that):
    they are written as soon as they are known.
    """

    ALLOW_SELECT = False

    class Shown(Message):
        """The page is there; snapshots can be drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._words: Words | None = None
        self._sheet = Sheet()
        self._part, self._lit = 0, True
        self._turning: Timer | None = None
        self._blinking: Timer | None = None
        self._painted = False
        self._rehearsed: _Painting | None = None

    def compose(self) -> ComposeResult:
        """The page."""
        yield self._sheet

    def on_mount(self) -> None:
        """Tell the app that there is something to draw on."""
        self.post_message(self.Shown())

    def draw(self, new: Words) -> None:
        """Show ``new``."""
        old, self._words = self._words, new
        if old is None or (new.small, new.notes) != (old.small, old.notes):
            self._part = 0
            self._turning = self._timer(self._turning, TURN_S if new.notes else None, self.turn)
        if old is None or new.lamps != old.lamps:
            self._lit = True
            self._blinking = self._timer(self._blinking, BLINK_S if lamps.blink(new.lamps) else None, self._blink)
        self._paint()

    def rehearse(self, new: Words) -> None:
        """Work out what is to be written when ``new`` is drawn in place of what is there now. Nothing is written."""
        if self._painted:
            self._rehearsed = self._worked_out(new, Turn())

    def turn(self) -> None:
        """Show the next part of the notes, or the first again, where they are shown in turn."""
        self._part += 1
        self._paint()

    @property
    def blinks(self) -> bool:
        """Whether anything on the page goes on and off."""
        return self._blinking is not None

    def on_resize(self, _event: Resize) -> None:
        """Another size has another layout."""
        self._painted, self._rehearsed = False, None
        self._paint()

    def _blink(self) -> None:
        self._lit = not self._lit
        self._paint()

    def _timer(self, before: Timer | None, every_s: float | None, what: Callable[[], None]) -> Timer | None:
        if before is not None:
            before.stop()
        return self.set_interval(every_s, what) if every_s is not None else None

    def _paint(self) -> None:
        if self._words is None:
            return
        painting, self._rehearsed = self._rehearsed, None
        turn = Turn(self._part, self._lit)
        if painting is None or not painting.is_of(self._words, self.app.size, turn, self._sheet.rows):
            painting = self._worked_out(self._words, turn)
        self._sheet.rows = painting.rows
        if self.app.is_headless or not self._painted or len(painting.before) != len(painting.rows):
            # The first picture, and one of another size, is also Textual's: it knows what else is on the terminal. But
            # it looks round first, and a station has more to do at its start: ours stands there meanwhile.
            self._painted = True
            self._sheet.refresh()
        if painting.text and not self.app.is_headless:
            self._write(painting.text)

    def _worked_out(self, new: Words, turn: Turn) -> "_Painting":
        size, before = self.app.size, self._sheet.rows
        columns, rows = size
        now = laid_out(new, columns, rows, turn)
        there = before if self._painted and len(before) == len(now) else [_NOTHING] * len(now)
        changed = [(y, row) for y, (row, old) in enumerate(zip(now, there, strict=True)) if row != old]
        text = "".join(f"\x1b[{y + 1};1H{row.render(self.app.console)}" for y, row in changed)
        return _Painting(new, size, turn, before, now, text)

    def _write(self, text: str) -> None:
        # Textual's own writer: what it still has to write comes before.
        driver = getattr(self.app, "_driver", None)
        if driver is not None:
            driver.write(f"{text}\x1b[H")
            driver.flush()
