"""The one page: where on a screen of a given size each of a snapshot's words stands, and in which colours.

Pure: words and a size in, rows of styled text out. A page is laid out anew for every snapshot, which takes less than
asking a tree of widgets what of it has changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ui import figures, lamps, notes, qr
from ui.notes import wrapped
from ui.sentences import Tone
from ui.words import Words

TALL_ROWS: Final = 20
HIGH_ROWS: Final = 34


def style(foreground: str, background: str = "black", *, bold: bool = False) -> Style:
    """One of the console's own colours on another."""
    return Style(color=foreground, bgcolor=background, bold=bold)


PLAIN: Final = style("bright_white")
QUIET: Final = style("white")


@dataclass(frozen=True, slots=True)
class _Look:
    """Colours are those of the console's own palette, in pairs of at least 7:1.

    Neither black nor white has that on its green, magenta or yellow: those are frames round bright letters instead of
    fields. A bold black is dark grey on a Linux console: only bright colours are bold.
    """

    block: Style
    lamp: Style
    big: Style
    figure: Style
    framed: bool = False


def _field(foreground: str, background: str, *, bold: bool) -> _Look:
    plain, strong = style(foreground, background), style(foreground, background, bold=bold)
    return _Look(block=plain, lamp=strong, big=strong, figure=plain)


def _frame(colour: str) -> _Look:
    plain, strong = style(colour), style(colour, bold=True)
    return _Look(block=plain, lamp=strong, big=strong, figure=strong, framed=True)


_LOOKS: Final = {
    Tone.QUIET: _Look(block=PLAIN, lamp=PLAIN, big=style("bright_white", bold=True), figure=PLAIN),
    Tone.OFF: _field("bright_white", "blue", bold=True),
    Tone.ON: _frame("bright_green"),
    Tone.BUSY: _field("black", "cyan", bold=False),
    Tone.ATTENTION: _frame("bright_yellow"),
    Tone.FAULT: _field("bright_white", "red", bold=True),
}


@dataclass(frozen=True, slots=True)
class _Air:
    """Empty rows and columns around things: more of them where there is room."""

    block: tuple[int, int]
    """Rows above and below, columns left and right; a frame takes one of them on each side where it has rows too."""
    notes: tuple[int, int]
    figure_rows: int
    """Above a figure."""


def _air(rows: int) -> _Air:
    if rows >= HIGH_ROWS:
        return _Air((5, 8), (2, 8), 2)
    return _Air((2, 4), (1, 4), 1) if rows >= TALL_ROWS else _Air((0, 1), (0, 1), 0)


@dataclass(frozen=True, slots=True)
class Turn:
    """What changes by itself while the same words are shown."""

    part: int = 0
    """Which part of the notes, where they are shown in turn."""
    lit: bool = True
    """Whether blinking lamps are."""


def laid_out(words: Words, columns: int, rows: int, turn: Turn = Turn()) -> list[Strip]:
    """The ``rows`` of a screen, each ``columns`` wide."""
    quiet = qr.quiet_modules(columns, rows) if words.qr else None
    width = columns - (qr.columns(quiet) if quiet is not None else 0)
    air = _air(rows)
    figure = "" if quiet is not None else words.figure
    above = [_top(words, width), *_block(words, figure, width, air)]
    lights = _padded(lamps.rows(words.lamps, columns, lit=turn.lit), width, air.notes) if words.lamps else []
    below = [_centred(line, width - 2, QUIET, 1) for line in wrapped(" · ".join(words.status), width - 2)]
    if words.dark:
        above = [_blank(width)] * len(above)
    left = max(0, rows - len(above) - len(lights) - len(below))
    between = [_blank(width)] * left if words.dark else _notes(words, width, left, air, turn.part)
    page = [*above, *lights, *between, *below][:rows]
    if quiet is None:
        return [Strip(row, columns) for row in page]
    code = qr.rows(words.qr, quiet)
    first = (rows - len(code)) // 2
    blank = [Segment(" " * (columns - width), PLAIN)]
    return [
        Strip([*row, *(code[y - first] if 0 <= y - first < len(code) else blank)], columns)
        for y, row in enumerate(page)
    ]


Row = list[Segment]


def _blank(width: int) -> Row:
    return [Segment(" " * width, PLAIN)]


def _centred(text: str, width: int, look: Style, around: int = 0) -> Row:
    """``text`` in the middle of ``width`` columns, with ``around`` more on both sides."""
    before = max(0, width - cell_len(text)) // 2
    return [Segment(" " * around + set_cell_size(" " * before + text, width) + " " * around, look)]


def _top(words: Words, width: int) -> Row:
    look = _LOOKS[words.tone].lamp
    code = f" {words.code} "
    room = max(0, width - cell_len(code))
    return [Segment(set_cell_size(f" {words.lamp}", room), look), Segment(code, QUIET)]


def _block(words: Words, figure: str, width: int, air: _Air) -> list[Row]:
    """What to do, and the figure that belongs to it."""
    look = _LOOKS[words.tone]
    up, side = air.block
    has_rows = up > 0
    if look.framed and not has_rows:
        side += 1
    inner = max(1, width - 2 * side)
    content = [_centred(line, inner, look.big) for part in lines(words.big) for line in wrapped(part, inner)]
    for drawn, drawn_look in (
        (figures.digits(figure, bold=look.figure is not look.block), look.figure),
        (figures.bar(words.progress), look.block),
        (figures.boxes(words.mask), look.block),
    ):
        if drawn:
            content += [_centred("", inner, look.block)] * air.figure_rows
            content += [_centred(line, inner, drawn_look) for line in drawn]
    empty = _centred("", inner, look.block)
    content = [*[empty] * up, *content, *[empty] * up]
    edge = Segment(" " * side, look.block)
    if not look.framed:
        return [[edge, *row, edge] for row in content]
    left, right = Segment("┃" + " " * (side - 1), look.block), Segment(" " * (side - 1) + "┃", look.block)
    framed = [[left, *row, right] for row in content]
    if has_rows:
        framed[0] = [Segment("┏" + "━" * (width - 2) + "┓", look.block)]
        framed[-1] = [Segment("┗" + "━" * (width - 2) + "┛", look.block)]
    return framed


def lines(text: str) -> list[str]:
    """A sentence a line: what to do is found at a glance."""
    return text.replace(". ", ".\n").split("\n")


def _notes(words: Words, width: int, rows: int, air: _Air, part: int) -> list[Row]:
    up, side = air.notes
    inner, room = max(1, width - 2 * side), rows - 2 * up
    if room <= 0:
        return [_blank(width)] * rows
    parts = notes.fitted(words.small, words.notes, inner, room)
    content = [_centred(line, inner, PLAIN, side) for line in parts[part % len(parts)].split("\n")]
    return [*[_blank(width)] * up, *content, *[_blank(width)] * (rows - up - len(content))]


def _padded(content: Iterable[Row], width: int, around: tuple[int, int]) -> list[Row]:
    up, side = around
    room = width - 2 * side
    padded = [[Segment(" " * side, PLAIN), *_fitted(row, room), Segment(" " * side, PLAIN)] for row in content]
    return [*[_blank(width)] * up, *padded, *[_blank(width)] * up]


def _fitted(row: Row, width: int) -> Row:
    return Segment.adjust_line_length(row, width, style=PLAIN)
