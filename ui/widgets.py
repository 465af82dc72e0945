"""The small parts of the screen: text, boxes for typed digits, a bar of progress, the lights that help explains."""

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive, var
from textual.timer import Timer
from textual.widget import Widget

from station.display.screen import Progress
from ui.idle_pages import LIGHTS, HelpLight, Light

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""
BAR_COLUMNS = 30
BLINK_S = 0.5
"""On as long as off: one blink a second. Nothing flashes faster than twice a second."""


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


class HelpLightRow(Horizontal):
    """A light of keys and locks: a framed field of its colour, its name and meaning beside it."""

    light: var[HelpLight | None] = var(None, init=False)

    def compose(self) -> ComposeResult:
        """The field and the text."""
        with Container(classes="frame"):
            yield Container(classes="field")
        yield PlainText()

    def watch_light(self) -> None:
        """Show it, or take no room."""
        self.display = self.light is not None
        for light in Light:
            self.set_class(self.light is not None and light is self.light.light, f"-{light.value}")
        self.query_one(PlainText).text = self.light.meaning if self.light is not None else ""


class HelpLights(Vertical):
    """The lights of a page of help. Those that blink do so by the class ``-unlit``."""

    lights: var[tuple[HelpLight, ...]] = var((), init=False)

    def __init__(self) -> None:
        super().__init__()
        self._blinking: Timer | None = None

    def compose(self) -> ComposeResult:
        """As many rows as any page has."""
        for _ in range(max(len(lights) for lights in LIGHTS.values())):
            yield HelpLightRow()

    def on_mount(self) -> None:
        """Have a clock to blink by."""
        self._blinking = self.set_interval(BLINK_S, self.blink, pause=True)

    def blink(self) -> None:
        """Put out what blinks, or light it again."""
        self.toggle_class("-unlit")

    def watch_lights(self) -> None:
        """Show them, lit to begin with."""
        self.display = bool(self.lights)
        for number, row in enumerate(self.query(HelpLightRow)):
            row.light = self.lights[number] if number < len(self.lights) else None
        self.remove_class("-unlit")
        if self._blinking is not None:
            if any(shown.light.blinks for shown in self.lights):
                self._blinking.reset()
            else:
                self._blinking.pause()
