"""The lights of keys and locks as they are drawn in help: a framed field of colour, its name and meaning beside it."""

import textwrap
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from ui.help_pages import Lamp, Light

BLINK_S = 0.5
"""On as long as off: one blink a second. Nothing flashes faster than twice a second."""
FIELD_COLUMNS = 9
"""The framed field, and the margins of a small screen; a larger one has more of them."""
MEANING_COLUMNS = 60
"""Longer lines are hard to follow."""
_INDENT = " " * 6
_PLAIN = Style(color="bright_white", bgcolor="black")
_COLOURS = {
    Light.BLUE: "blue",
    Light.BLUE_BLINKING: "blue",
    Light.GREEN: "green",
    Light.RED: "red",
    Light.PURPLE_BLINKING: "magenta",
}


def blink(lamps: Sequence[Lamp]) -> bool:
    """Whether any of them goes on and off."""
    return any(lamp.light.blinks for lamp in lamps)


def rows(lamps: Sequence[Lamp], columns: int, *, lit: bool) -> list[list[Segment]]:
    """``lamps`` below each other on a screen of ``columns``; those that blink are dark unless ``lit``."""
    margin = FIELD_COLUMNS if columns < 60 else 2 * FIELD_COLUMNS
    room = max(1, min(MEANING_COLUMNS, columns - margin))
    return [row for lamp in lamps for row in _rows(lamp, room, lit=lit)]


def _rows(lamp: Lamp, room: int, *, lit: bool) -> list[list[Segment]]:
    dark = lamp.light is Light.DARK or (lamp.light.blinks and not lit)
    field = _PLAIN if dark else Style(color="bright_white", bgcolor=_COLOURS[lamp.light])
    first, *more = textwrap.wrap(lamp.meaning, room) or [""]
    named = [Segment("┃", _PLAIN), Segment("   ", field), Segment(f"┃ {first}", _PLAIN)]
    return [named, *([Segment(_INDENT + line, _PLAIN)] for line in more)]
