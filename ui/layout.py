"""Where the parts of the screen stand, by its size and the words of its language: never by what is shown just now."""

from typing import NamedTuple

from ui.big_letters import LETTER_ROWS, MARK_ROWS, Cell, cells_across, has_marks

CELLS = tuple(Cell(*size) for size in ((8, 4), (6, 3), (4, 2), (3, 2), (2, 1), (1, 1)))
"""From the largest: as large as there is room for, about as wide as high."""
WIDEST_TIME = "00:00"
TALL_ROWS = 20
"""From here on there is air around things."""
WIDE_COLUMNS = 80
TEXT_COLUMNS, TEXT_COLUMNS_SMALL = 30, 18
"""What a sentence needs beside the state."""
TEXT_ROWS, TEXT_ROWS_SMALL = 9, 6
"""What is left below state and time: for what to do, why, and the last line."""
TOP_SHARE = 0.66
"""At most so much of the screen is for state and time."""
_RIGHT = 2


class Layout(NamedTuple):
    """In characters."""

    margin: int
    """Left of everything; trouble has its bar there."""
    above: int
    """Empty rows above the state."""
    cell: Cell
    marks: bool
    """Whether a state of this language has a mark above its letters."""
    beside: bool
    """The time, or whose key it is, stands beside the state and not below it."""
    time: bool
    """There is room for the time in big letters."""
    tall: bool

    @property
    def state_rows(self) -> int:
        """The height of the state."""
        return (LETTER_ROWS + MARK_ROWS * self.marks) * self.cell.rows

    @property
    def time_rows(self) -> int:
        """The height of the time, where it stands below the state."""
        return LETTER_ROWS * self.cell.rows

    @property
    def top_rows(self) -> int:
        """State and time, with the rows above, between and below."""
        below = 1 + self.time_rows if self.time and not self.beside else 0
        return self.above + self.state_rows + below + 1

    @property
    def gap(self) -> int:
        """Between a state and what is beside it, in columns."""
        return 2 * max(self.cell.columns - 1, 1)

    def across(self, text: str) -> int:
        """How wide ``text`` is in big letters."""
        return cells_across(text) * self.cell.columns

    def cell_of(self, text: str, columns: int) -> Cell:
        """The size of the cells of ``text``: a smaller one where it is longer than the usual words."""
        room = columns - self.margin
        smaller = [cell for cell in CELLS if cell <= self.cell]
        return next((cell for cell in smaller if cells_across(text) * cell.columns <= room), CELLS[-1])

    def text_column(self, state: str, usual: str, columns: int) -> int:
        """Where sentences beside ``state`` begin: where they do beside the ``usual`` one, if that is possible."""
        after = max(self.margin + self.across(word) + self.gap for word in (state, usual))
        return max(columns // 2, after) if self.tall else after

    def time_column(self, time: str, columns: int) -> int:
        """Where a time beside a state begins: it ends at the right edge, apart from the state."""
        return columns - _RIGHT - self.across(time)


def layout(columns: int, rows: int, off: str, on: str) -> Layout:
    """The layout for a screen of this size: sentences stand beside the word ``off``, a time beside the word ``on``."""
    tall = rows >= TALL_ROWS
    margin = 4 if columns >= WIDE_COLUMNS else 3
    marks = has_marks(off) or has_marks(on)
    above = 0 if not tall else 1 if marks else 2
    places = [(True, True), (False, True)]
    tried = [Layout(margin, above, cell, marks, *place, tall) for cell in CELLS for place in places]
    found = next((each for each in tried if _fits(each, columns, rows, off, on)), None)
    return found or Layout(margin, above, CELLS[-1], marks, beside=False, time=False, tall=tall)


def _fits(tried: Layout, columns: int, rows: int, off: str, on: str) -> bool:
    widest = tried.across(WIDEST_TIME)
    if tried.beside:
        text = TEXT_COLUMNS if columns >= WIDE_COLUMNS else TEXT_COLUMNS_SMALL
        widest = max(tried.across(on) + tried.gap + widest, tried.across(off) + tried.gap + text)
    else:
        widest = max(tried.across(on), tried.across(off), widest)
    left = max(TEXT_ROWS, rows - int(rows * TOP_SHARE)) if tried.tall else TEXT_ROWS_SMALL
    return tried.margin + widest + _RIGHT <= columns and tried.top_rows + left <= rows
