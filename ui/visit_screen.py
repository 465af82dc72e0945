"""The kiosk's one screen: the key's state on top, what to do and why below it, how the station is doing at the bottom.

What is on it is `Words`; how large things are, and in which column, is said by ``ui.layout``; colours and the rest are
in ``kiosk.tcss``.
"""

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.reactive import var
from textual.screen import Screen

from ui.big_letters import LETTER_ROWS, BigText, has_marks
from ui.layout import Layout, layout
from ui.notes import TurningNotes, one_sentence_a_line
from ui.sentences import Tone
from ui.sheet import SheetView
from ui.telephone_code import TelephoneCode, columns_across, quiet_modules
from ui.widgets import PinBoxes, PlainText, SideText, WriteProgress
from ui.words import NOTHING, Words

BARS = {Tone.ATTENTION: "yellow", Tone.FAULT: "red"}
"""Trouble, and nothing else, has a bar."""


class VisitScreen(Screen[None], inherit_bindings=False):
    """Shows `words`, with room for the two states of a key, `off_and_on`. Always the same widgets."""

    ALLOW_SELECT = False

    words: var[Words] = var(NOTHING, init=False)
    off_and_on: var[tuple[str, str]] = var(("OFF", "ON"), init=False)

    def compose(self) -> ComposeResult:
        """The page, and beside it the telephone number as a QR code where there is room."""
        with Vertical(id="page"):
            with Vertical(id="field"):
                with Container(id="top"):
                    yield BigText(id="key-state")
                    yield BigText(id="figure")
                    yield SideText(id="side")
                with Vertical(id="what-to-do"):
                    yield PlainText(id="instruction")
                    yield PlainText(id="routine")
                    yield WriteProgress()
                    yield PinBoxes()
            yield TurningNotes()
            yield PlainText(id="station-status")
        yield TelephoneCode()
        yield SheetView()

    def on_mount(self) -> None:
        """Show what was said before there were widgets."""
        self._show()

    def on_resize(self) -> None:
        """Another size has another layout."""
        self._show()

    def watch_words(self) -> None:
        """Show them."""
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        words = self.words
        columns, rows = self.app.size
        place = layout(columns, rows, *self.off_and_on)
        quiet = quiet_modules(words.telephone, columns, rows)
        self.query_one(SheetView).sheet = words.sheet
        self.query_one("#page").display = words.sheet is None
        for tone in Tone:
            self.set_class(tone is words.tone, f"-{tone.value}")
        self.set_class(place.tall, "-tall")
        self.set_class(place.margin > 3, "-wide")
        self._show_top(words, place, columns)
        self._show_what_to_do(words, place)
        self.set_class(words.resting, "-resting")
        code = self.query_one(TelephoneCode)
        page_columns = columns - (0 if quiet is None else columns_across(quiet))
        self.query_one("#station-status", PlainText).text = last_line(words, page_columns - 2 * place.margin)
        code.message, code.quiet = words.telephone, quiet

    def _show_top(self, words: Words, place: Layout, columns: int) -> None:
        """The state, and what stands beside it or below it: a time, or whose key it is and what to do."""
        top, state, figure, side = (self.query_one(name) for name in ("#top", "#key-state", "#figure", "#side"))
        assert isinstance(state, BigText)
        assert isinstance(figure, BigText)
        assert isinstance(side, SideText)
        top.display = bool(words.key_state)
        top.styles.padding = (place.above, 2, 0, place.margin)
        state.text, state.cell, state.marks = words.key_state, place.cell_of(words.key_state, columns), place.marks
        figure.text, figure.cell, figure.marks = words.figure, place.cell, place.marks and place.beside
        figure.display = bool(words.figure) and place.time
        instruction = one_sentence_a_line(words.instruction) if words.asking else []
        side.lines = tuple(line for line in (words.who, *instruction) if line)
        side.air = place.tall or place.beside
        side.display = not words.figure and bool(side.lines)
        if place.beside:
            top.styles.height = place.top_rows
            left = (
                place.text_column(words.key_state, self.off_and_on[0], columns)
                if side.display
                else place.time_column(words.figure, columns)
            )
            # A longer word than usual has nothing beside it.
            state.styles.width = left - place.margin if figure.display or side.display else "100%"
            state.styles.height = figure.styles.height = place.state_rows
            side.styles.height = place.state_rows if place.tall else place.top_rows
            side.styles.min_height = 0
            side.styles.padding = (2 * place.cell.rows if place.marks and place.tall else 0, 0, 0, 0)
        else:
            top.styles.height = place.top_rows if place.tall else "auto"
            state.styles.width = "100%"
            # A low screen has no row for marks that are not there, and gives the sentences four in any case.
            state.marks = place.marks and (place.tall or has_marks(words.key_state))
            state.styles.height = place.state_rows if state.marks else LETTER_ROWS * place.cell.rows
            figure.styles.height = place.time_rows
            side.styles.height = place.time_rows if place.tall else "auto"
            side.styles.min_height = 0 if place.tall or not words.asking else 4
            side.styles.padding = 0
        self.set_class(place.beside, "-beside")

    def _show_what_to_do(self, words: Words, place: Layout) -> None:
        """What to do is in the field of a key that is on, above a code's boxes, and else what is said first."""
        in_field = words.tone is Tone.ON or (words.boxes > 0 and not words.asking)
        instruction, routine = self.query_one("#instruction", PlainText), self.query_one("#routine", PlainText)
        sentences = one_sentence_a_line(words.instruction)
        instruction.text = (" " if place.tall else "\n").join(sentences) if in_field else ""
        instruction.display = in_field
        routine.text = "\n".join(words.routine)
        routine.display = place.tall and bool(words.routine)
        self.query_one(WriteProgress).progress = words.progress
        boxes = self.query_one(PinBoxes)
        boxes.boxes, boxes.full = 0 if words.progress is not None else words.boxes, words.digits_typed
        what_to_do = self.query_one("#what-to-do")
        what_to_do.display = in_field or words.asking
        what_to_do.styles.min_height = 5 if place.tall else 3 if words.asking else 0
        notes = self.query_one(TurningNotes)
        notes.bar, notes.margin_columns = BARS.get(words.tone, ""), place.margin
        headline = "" if in_field or words.asking else words.instruction
        # Whose key it is, where the time has taken that place.
        who = () if not words.who or self.query_one("#side").display or in_field else (words.who,)
        if place.tall or not words.routine:
            notes.say(headline, words.reason, (*words.notes, *who))
        else:
            notes.say(headline, "", (*words.routine, words.reason, *words.notes, *who))


def last_line(words: Words, columns: int) -> str:
    """Which station it is and how fresh its data on the left, what the telephone support asks for on the right."""
    right = "  ".join(part for part in (words.support_code, words.clock) if part)
    station, *rest = words.status or ("",)
    left = " · ".join(part for part in (station, words.place, *rest) if part)
    if len(left) + 2 + len(right) > columns:
        # What it is called is left out first: whoever stands before it knows.
        left = " · ".join(words.status)
    if len(left) + 2 + len(right) <= columns:
        return f"{left}{right:>{columns - len(left)}}"
    if len(left) <= columns:
        return f"{left}\n{right:>{columns}}"
    return f"{left} · {right}"
