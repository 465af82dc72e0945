"""The kiosk's one screen: what to do on top, why below it, how the station is doing on the last line.

What is on it is `Words`; where it stands and in which colours is in ``kiosk.tcss``.
"""

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Digits

from ui.fault_code import FaultCode, quiet_modules
from ui.notes import TurningNotes
from ui.sentences import Tone
from ui.sheet import SheetView
from ui.widgets import PinBoxes, PlainText, WriteProgress
from ui.words import NOTHING, Words


class VisitScreen(Screen[None], inherit_bindings=False):
    """Shows `words`. Always the same widgets: their attributes change, they do not."""

    ALLOW_SELECT = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall"), (34, "-high")]  # noqa: RUF012, as Textual declares it

    words: var[Words] = var(NOTHING, init=False)

    def compose(self) -> ComposeResult:
        """The page, and beside it the fault as a QR code where there is room."""
        with Vertical(id="page"):
            with Horizontal(id="top"):
                yield PlainText(id="key-state")
                yield PlainText(id="support-code")
            with Container(id="what-to-do"):
                yield PlainText(id="instruction")
                yield Digits(id="figure")
                yield WriteProgress()
                yield PinBoxes()
            yield TurningNotes()
            yield PlainText(id="station-status")
        yield FaultCode()
        yield SheetView()

    def on_mount(self) -> None:
        """Show what was said before there were widgets."""
        self._show()

    def on_resize(self) -> None:
        """Another size has room for a QR code, or no longer."""
        self._show()

    def watch_words(self) -> None:
        """Show them."""
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        words = self.words
        self.query_one(SheetView).sheet = words.sheet
        self.query_one("#page").display = words.sheet is None
        quiet = quiet_modules(*self.app.size) if words.fault_message else None
        for tone in Tone:
            self.set_class(tone is words.tone, f"-{tone.value}")
        self.query_one("#key-state", PlainText).text = words.key_state
        self.query_one("#support-code", PlainText).text = words.support_code
        self.query_one("#instruction", PlainText).text = one_sentence_a_line(words.instruction)
        figure = self.query_one("#figure", Digits)
        figure.update("" if quiet is not None else words.figure)
        figure.display = bool(figure.value)
        self.query_one(WriteProgress).progress = words.progress
        self.query_one(PinBoxes).count = words.digits_typed
        self.query_one(TurningNotes).say(words.reason, words.notes)
        self.query_one("#station-status", PlainText).text = " · ".join(words.status)
        code = self.query_one(FaultCode)
        code.message, code.quiet = words.fault_message, quiet


def one_sentence_a_line(text: str) -> str:
    """What to do is found at a glance."""
    return text.replace(". ", ".\n")
