"""What is drawn three rows high: a time or a countdown, the boxes of the digits typed so far, a bar of progress.

Each as its three rows of text, or none while there is nothing to draw.
"""

from textual.renderables.digits import DIGITS, DIGITS3X3, DIGITS3X3_BOLD

from station.core.screen import Progress

BOXES_LIMIT = 12
"""Boxes on the screen; further digits change nothing (forty columns hold no more, and no PIN is that long)."""

BAR_COLUMNS = 30


def digits(figure: str, *, bold: bool) -> list[str]:
    """A time of day or a countdown: digits and colons."""
    if not figure:
        return []
    rows = ["", "", ""]
    shapes = DIGITS3X3_BOLD if bold else DIGITS3X3
    for character in figure.replace(".", "•"):
        place = DIGITS.find(character)
        cells = [shapes[3 * place + row].ljust(3) for row in range(3)] if place >= 0 else [" ", " ", character]
        rows = [row + cell for row, cell in zip(rows, cells, strict=True)]
    return rows


def boxes(count: int) -> list[str]:
    """A box for each typed digit. It is only told how many there are."""
    count = min(count, BOXES_LIMIT)
    return [row * count for row in ("┏━┓", "┃●┃", "┗━┛")] if count > 0 else []


def bar(progress: Progress | None) -> list[str]:
    """How far the writing to the key has come."""
    if progress is None or progress.total_bytes <= 0:
        return []
    full = BAR_COLUMNS * progress.done_bytes // progress.total_bytes
    return ["█" * full + "░" * (BAR_COLUMNS - full)] * 3
