"""The layout of the kiosk's one screen, and how it looks."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen as TextualScreen
from textual.widgets import Static

from ui.figures import Bar, Figure, Mask
from ui.lamps import Lamps
from ui.notes import Notes
from ui.qr import Qr, quiet_modules
from ui.sentences import Tone
from ui.words import Words

BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-tall"), (34, "-high")]
"""Classes by the rows of the terminal: more air where there is room."""

LOOK = """
Face { layout: horizontal; background: ansi_black; color: ansi_bright_white; overflow: hidden; }
#face { width: 1fr; height: 100%; }
#qr { width: auto; height: 100%; content-align: center middle; }
#top { height: 1; }
#lamp { width: 1fr; height: 1; padding: 0 1; }
#code { width: auto; height: 1; padding: 0 1; color: ansi_white; }
#block { height: auto; padding: 0 1; }
#big { width: 100%; height: auto; text-align: center; }
#figure, #mask, #bar { width: 100%; height: 3; text-align: center; }
#lamps { width: auto; height: auto; padding: 0 1; }
#notes { width: 100%; height: 1fr; padding: 0 1; text-align: center; }
#status { width: 100%; height: auto; padding: 0 1; text-align: center; color: ansi_white; }

.-tall #block { padding: 2 4; }
.-tall #notes { padding: 1 4; }
.-tall #lamps { padding: 1 4; }
.-tall #figure, .-tall #mask, .-tall #bar { margin: 1 0 0 0; }
.-high #block { padding: 5 8; }
.-high #notes { padding: 2 8; }
.-high #lamps { padding: 2 8; }
.-high #figure, .-high #mask, .-high #bar { margin: 2 0 0 0; }

/* A bold black is dark grey on a Linux console: only bright colours are bold. */
.quiet #big, .off #big, .off #lamp, .fault #big, .fault #lamp { text-style: bold; }
.on #big, .on #lamp, .on #figure, .attention #big, .attention #lamp, .attention #figure { text-style: bold; }
.off #block, .off #lamp { background: ansi_blue; color: ansi_bright_white; }
.busy #block, .busy #lamp { background: ansi_cyan; color: ansi_black; }
.fault #block, .fault #lamp { background: ansi_red; color: ansi_bright_white; }
.on #block, .on #lamp { color: ansi_bright_green; }
.attention #block, .attention #lamp { color: ansi_bright_yellow; }
.on #block { border-left: heavy ansi_bright_green; border-right: heavy ansi_bright_green; }
.attention #block { border-left: heavy ansi_bright_yellow; border-right: heavy ansi_bright_yellow; }
.-tall .on #block { border: heavy ansi_bright_green; padding: 1 3; }
.-tall .attention #block { border: heavy ansi_bright_yellow; padding: 1 3; }
.-high .on #block, .-high .attention #block { padding: 4 7; }
.dark #top, .dark #block, .dark #notes { visibility: hidden; }
"""
"""Colours are those of the console's own palette, in pairs of at least 7:1. Neither black nor white has that on its
green, magenta or yellow: those are frames round bright letters instead of fields."""


class Face(TextualScreen[None], inherit_bindings=False):
    """The only screen: installed once, its contents change. A screen for each visit would cost memory each time."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._words: Words | None = None

    class Shown(Message):
        """The widgets are there; snapshots can be drawn."""

    def compose(self) -> ComposeResult:
        """From top to bottom: lamp and support code, what to do and its figure, why, and the quiet strip."""
        with Vertical(id="face"):
            with Horizontal(id="top"):
                yield Static("", id="lamp", markup=False)
                yield Static("", id="code", markup=False)
            with Vertical(id="block"):
                yield Static("", id="big", markup=False)
                yield Figure("", id="figure")
                yield Bar(id="bar")
                yield Mask(id="mask")
            yield Lamps(id="lamps")
            yield Notes(id="notes")
            yield Static("", id="status", markup=False)
        yield Qr(id="qr")

    def on_mount(self) -> None:
        """Tell the app that there is something to draw on."""
        self.post_message(self.Shown())

    def draw(self, new: Words, old: Words | None) -> None:
        """Bring the widgets from ``old`` to ``new``; what is the same is left alone."""
        if old is None or new.tone is not old.tone:
            face = self.query_one("#face")
            for tone in Tone:
                face.set_class(tone is new.tone, tone.value)
        self._put("#lamp", new.lamp, None if old is None else old.lamp)
        self._put("#code", new.code, None if old is None else old.code)
        self._put("#big", _lines(new.big), None if old is None else _lines(old.big))
        self._put("#status", " · ".join(new.status), None if old is None else " · ".join(old.status))
        self.query_one("#face").set_class(new.dark, "dark")
        self.query_one(Bar).show(new.progress)
        self.query_one(Mask).show(new.mask)
        self.query_one(Lamps).show(new.lamps)
        self.query_one(Notes).show(new.small, new.notes)
        self._words = new
        self._draw_fault()

    def on_resize(self, _event: Resize) -> None:
        """There may be room for the QR code now, or none any more."""
        self._draw_fault()

    def _draw_fault(self) -> None:
        """The fault as a QR code, or in large digits where that does not fit."""
        if self._words is None:
            return
        quiet = quiet_modules(*self.app.size) if self._words.qr else None
        self.query_one(Qr).show(self._words.qr, quiet)
        self.query_one(Figure).show("" if quiet is not None else self._words.figure)

    def _put(self, where: str, text: str, before: str | None) -> None:
        if text != before:
            self.query_one(where, Static).update(text)


def _lines(text: str) -> str:
    """A sentence a line: what to do is found at a glance."""
    return text.replace(". ", ".\n")
