"""The least that a Textual app can be: one widget, which shows what is typed. ``python -m tools.bench.bare_app``."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static

READY_MARK = "bare"
TYPED_MARK = "●"


class BareApp(App[None]):
    """One widget."""

    BINDINGS: ClassVar = []
    digits = 0

    def compose(self) -> ComposeResult:
        """The widget."""
        yield Static(READY_MARK, id="digits")

    def on_key(self, event: Key) -> None:
        """A mark for each digit, up to six; ``*`` starts over."""
        self.digits = 0 if event.character == "*" else self.digits + 1
        self.query_one("#digits", Static).update(TYPED_MARK * self.digits or READY_MARK)


if __name__ == "__main__":
    BareApp().run(mouse=False)
