"""Letters and digits of coloured cells, readable from two metres: nothing in them is a glyph that a font may lack.

A letter is five cells high, with two more above it for a ring or dots. How many columns and rows a cell has is the
layout's business (``ui.layout``).
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

LETTER_ROWS = 5
MARK_ROWS = 2
"""The mark, and an empty row below it."""
RING, DOTS = ".XX.", "X..X"
MARKS: Mapping[str, str] = {"\N{COMBINING RING ABOVE}": RING, "\N{COMBINING DIAERESIS}": DOTS}

_SHAPES: Mapping[str, str] = {
    "A": ".XX. X..X XXXX X..X X..X",
    "B": "XXX. X..X XXX. X..X XXX.",
    "C": ".XXX X... X... X... .XXX",
    "D": "XXX. X..X X..X X..X XXX.",
    "E": "XXXX X... XXX. X... XXXX",
    "F": "XXXX X... XXX. X... X...",
    "G": ".XXX X... X.XX X..X .XXX",
    "H": "X..X X..X XXXX X..X X..X",
    "I": "X X X X X",
    "J": "...X ...X ...X X..X .XX.",
    "K": "X..X X.X. XX.. X.X. X..X",
    "L": "X... X... X... X... XXXX",
    "M": "X...X XX.XX X.X.X X...X X...X",
    "N": "X..X XX.X X.XX X..X X..X",
    "O": ".XX. X..X X..X X..X .XX.",
    "P": "XXX. X..X XXX. X... X...",
    "Q": ".XX. X..X X..X X.XX .XXX",
    "R": "XXX. X..X XXX. X.X. X..X",
    "S": ".XXX X... .XX. ...X XXX.",
    "T": "XXXXX ..X.. ..X.. ..X.. ..X..",
    "U": "X..X X..X X..X X..X .XX.",
    "V": "X..X X..X X..X .XX. .XX.",
    "W": "X...X X...X X.X.X XX.XX X...X",
    "X": "X..X X..X .XX. X..X X..X",
    "Y": "X...X .X.X. ..X.. ..X.. ..X..",
    "Z": "XXXX ...X .XX. X... XXXX",
    "Æ": ".XXXXX X..X.. XXXXX. X..X.. X..XXX",
    "Ø": ".XXX. X..XX X.X.X XX..X .XXX.",
    "0": ".XX. X..X X..X X..X .XX.",
    "1": ".X. XX. .X. .X. XXX",
    "2": "XXX. ...X .XX. X... XXXX",
    "3": "XXX. ...X .XX. ...X XXX.",
    "4": "X..X X..X XXXX ...X ...X",
    "5": "XXXX X... XXX. ...X XXX.",
    "6": ".XXX X... XXX. X..X .XX.",
    "7": "XXXX ...X ..X. .X.. .X..",
    "8": ".XX. X..X .XX. X..X .XX.",
    "9": ".XX. X..X .XXX ...X XXX.",
    ":": ". X . X .",
    "?": "XX. ..X .X. ... .X.",
    ".": ".. .. .. .. XX",
    "-": "... ... XXX ... ...",
    " ": ".. .. .. .. ..",
}
"""Row by row; ``X`` is a cell that is drawn."""


class Cell(NamedTuple):
    """How large one cell is, in characters."""

    columns: int
    rows: int


@lru_cache(maxsize=64)
def pattern(text: str) -> tuple[str, ...]:
    """``text`` as seven rows of cells: its marks, an empty row, five rows of letters."""
    rows = ["", *[""] * (MARK_ROWS - 1), *[""] * LETTER_ROWS]
    for letter in text.upper():
        shape, mark = _drawn(letter)
        width = len(shape[0])
        above = [mark.ljust(width, "."), "." * width]
        for number, cells in enumerate((*above, *shape)):
            rows[number] += ("." if rows[number] else "") + cells
    return tuple(rows)


def cells_across(text: str) -> int:
    """How wide ``text`` is, in cells."""
    return len(pattern(text)[0])


def has_marks(text: str) -> bool:
    """Whether something of ``text`` stands above its letters."""
    return "X" in pattern(text)[0]


def _drawn(letter: str) -> tuple[list[str], str]:
    """The shape of ``letter``, and its mark. What has no shape is asked about: a state must not be left out."""
    if letter in _SHAPES:
        return _SHAPES[letter].split(), ""
    apart = unicodedata.normalize("NFD", letter)
    return _SHAPES.get(apart[0], _SHAPES["?"]).split(), MARKS.get(apart[1:], "")


class BigText(Widget):
    """`text` in big letters. Cells are in reverse video: they are seen on a terminal without colours too."""

    text: reactive[str] = reactive("")
    cell: reactive[Cell] = reactive(Cell(1, 1))
    marks: reactive[bool] = reactive(default=True)
    """Whether the rows above the letters are there."""

    def render_line(self, y: int) -> Strip:
        """One row of characters."""
        rows = pattern(self.text)[0 if self.marks else MARK_ROWS :]
        plain = self.rich_style
        number = y // self.cell.rows
        if not self.text or number >= len(rows):
            return Strip.blank(self.size.width, plain)
        drawn = plain + Style(reverse=True)
        runs = [Segment(" " * self.cell.columns, drawn if cell == "X" else plain) for cell in rows[number]]
        return Strip(runs).simplify().adjust_cell_length(self.size.width, plain)
