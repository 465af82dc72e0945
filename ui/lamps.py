"""The lights of keys and locks as they are drawn in help: a framed field of colour, its name and meaning beside it."""

import textwrap

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from ui.help_pages import Lamp, Light

BLINK_S = 0.5
"""On as long as off: one blink a second. Nothing flashes faster than twice a second."""
FIELD_COLUMNS = 9
"""The framed field, and the margins of a small screen; a larger one has more of them."""
MEANING_COLUMNS = 60
"""Longer lines are hard to follow."""
_INDENT = " " * 6
_COLOURS = {
    Light.BLUE: "on ansi_blue",
    Light.BLUE_BLINKING: "on ansi_blue",
    Light.GREEN: "on ansi_green",
    Light.RED: "on ansi_red",
    Light.PURPLE_BLINKING: "on ansi_magenta",
}


class Lamps(Static):
    """Takes no room, and runs no timer, while there are none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._lamps: tuple[Lamp, ...] = ()
        self._lit = True
        self._blinking: Timer | None = None

    def show(self, lamps: tuple[Lamp, ...]) -> None:
        """Draw ``lamps`` below each other."""
        self.display = bool(lamps)
        if lamps == self._lamps:
            return
        self._lamps, self._lit = lamps, True
        if self._blinking is not None:
            self._blinking.stop()
            self._blinking = None
        if any(lamp.light.blinks for lamp in lamps):
            self._blinking = self.set_interval(BLINK_S, self._blink)
        self._draw()

    def _blink(self) -> None:
        self._lit = not self._lit
        self._draw()

    def _draw(self) -> None:
        self.update(Content("\n").join(self._line(lamp) for lamp in self._lamps))

    def _line(self, lamp: Lamp) -> Content:
        dark = lamp.light is Light.DARK or (lamp.light.blinks and not self._lit)
        field = ("   ", "" if dark else _COLOURS[lamp.light])
        margin = FIELD_COLUMNS if self.app.size.width < 60 else 2 * FIELD_COLUMNS
        columns = max(1, min(MEANING_COLUMNS, self.app.size.width - margin))
        meaning = f"\n{_INDENT}".join(textwrap.wrap(lamp.meaning, columns))
        return Content.assemble("┃", field, "┃ ", meaning)
