"""The layout of the kiosk's one screen, and how it looks."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen as TextualScreen
from textual.widgets import Static

from ui.figures import Figure, Mask
from ui.sentences import Tone
from ui.words import Words

BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-tall"), (34, "-high")]
"""Classes by the rows of the terminal: more air where there is room."""

LOOK = """
Face { layout: vertical; background: ansi_black; color: ansi_bright_white; overflow: hidden; }
#face { width: 100%; height: 1fr; }
#top { height: 1; }
#lamp { width: 1fr; height: 1; padding: 0 1; }
#code { width: auto; height: 1; padding: 0 1; color: ansi_white; }
#block { height: auto; padding: 0 1; }
#big { width: 100%; height: auto; text-align: center; }
#figure, #mask { width: 100%; height: 3; text-align: center; }
#small { width: 100%; height: 1fr; padding: 0 1; text-align: center; }
#status { width: 100%; height: auto; padding: 0 1; text-align: center; color: ansi_white; }

.-tall #block { padding: 2 4; }
.-tall #small { padding: 1 4; }
.-tall #figure, .-tall #mask { margin: 1 0 0 0; }
.-high #block { padding: 5 8; }
.-high #small { padding: 3 8; }
.-high #figure, .-high #mask { margin: 2 0 0 0; }

/* A bold black is dark grey on a Linux console: only white is bold. */
.quiet #big { text-style: bold; }
.off #big, .off #lamp, .attention #big, .attention #lamp, .attention #figure { text-style: bold; }
.fault #big, .fault #lamp { text-style: bold; }
.off #block, .off #lamp { background: ansi_blue; color: ansi_bright_white; }
.busy #block, .busy #lamp { background: ansi_cyan; color: ansi_black; }
.on #block, .on #lamp { background: ansi_green; color: ansi_black; }
.attention #block, .attention #lamp { background: ansi_magenta; color: ansi_bright_white; }
.fault #block, .fault #lamp { background: ansi_red; color: ansi_bright_white; }
"""
"""Colours are those of the console's own palette, in pairs of at least 6:1 (black on its yellow has 4:1)."""


class Face(TextualScreen[None], inherit_bindings=False):
    """The only screen: installed once, its contents change. A screen for each visit would cost memory each time."""

    ALLOW_SELECT = False

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
                yield Mask(id="mask")
            yield Static("", id="small", markup=False)
            yield Static("", id="status", markup=False)

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
        self._put("#small", new.small, None if old is None else old.small)
        self._put("#status", " · ".join(new.status), None if old is None else " · ".join(old.status))
        self.query_one(Figure).show(new.figure)
        self.query_one(Mask).show(new.mask)

    def _put(self, where: str, text: str, before: str | None) -> None:
        if text != before:
            self.query_one(where, Static).update(text)


def _lines(text: str) -> str:
    """A sentence a line: what to do is found at a glance."""
    return text.replace(". ", ".\n")
