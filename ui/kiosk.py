"""The kiosk: shows what the station says, and passes on what is typed."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from textual import events
from textual.reactive import var
from textual.worker import Worker

from station.display.screen import Line, Screen
from ui.crash import CrashOnlyApp
from ui.visit_screen import VisitScreen
from ui.words import off_and_on, words

RINGING = frozenset(
    {
        Line.WRONG_PIN,
        Line.WAIT,
        Line.READY,
        Line.REFUSED,
        Line.STILL_ON,
        Line.UNREADABLE,
        Line.BLANK,
        Line.HANDED_OUT,
        Line.OUT_HANDING_OUT,
        Line.LEFT_IN,
        Line.OUT_EARLY,
        Line.OUT_UNSURE,
    }
)
"""Lines that ring once when they come: people look at their bag, not at the screen."""

STOP_LIMIT_S = 5.0
"""How long the station's services may take to end after SIGTERM."""

_STROKES = {"enter": "#", "ctrl+j": "#", "backspace": "\b"}
"""Textual's names of keys. Number pads have no ``#``: Enter is one."""
_CHARACTERS = frozenset("0123456789*#")


class Kiosk(CrashOnlyApp, inherit_bindings=False):
    """Shows `snapshot` and sends what is typed.

    ``press`` gets every keystroke, one character each: a digit, ``*``, ``#`` (also for Enter) or ``\\b``. ``language``
    is the station's; a holder's own takes its place once known. ``services`` is awaited in a worker as soon as there is
    a screen, and cancelled at the end; an exception in it ends the process with code 70. With ``bell`` the terminal
    rings when something wants to be looked at. SIGTERM and SIGHUP end it normally.
    """

    CSS_PATH = "kiosk.tcss"

    snapshot: var[Screen | None] = var(None, init=False)
    """What the station has to say."""
    language: var[str] = var("", init=False)

    def __init__(
        self,
        press: Callable[[str], None],
        *,
        language: str,
        bell: bool = True,
        services: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self.theme = "ansi-dark"
        self.rings = bell
        self._press = press
        self._services = services
        self._serving: Worker[None] | None = None
        # One screen, installed once: a screen for each visit would cost memory each time.
        self._visit_screen = VisitScreen()
        self.language = language

    def get_default_screen(self) -> VisitScreen:
        """The one screen."""
        return self._visit_screen

    def watch_snapshot(self, before: Screen | None, snapshot: Screen) -> None:
        """Say it in words, and ring if somebody should look."""
        self._say(snapshot)
        if self.rings and _wants_attention(snapshot, before):
            self.bell()

    def watch_language(self) -> None:
        """Say the same in another language."""
        if self.snapshot is not None:
            self._say(self.snapshot)

    def _say(self, snapshot: Screen) -> None:
        self._visit_screen.off_and_on = off_and_on(snapshot.language, self.language)
        self._visit_screen.words = words(snapshot, self.language)

    def on_key(self, event: events.Key) -> None:
        """Pass on what belongs to a PIN; everything else is dropped."""
        event.stop()
        event.prevent_default()
        stroke = _STROKES.get(event.key)
        if stroke is None and event.character in _CHARACTERS:
            stroke = event.character
        if stroke is not None:
            self._press(stroke)

    def on_mount(self) -> None:
        """Hear the signals that end it."""
        if not self.is_headless:
            # Textual takes it for the end of a Ctrl+Z, and begins to read the terminal anew: also after the app's end.
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            for ending in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(ending, self._stop)

    def on_ready(self) -> None:
        """Start the station: there is a screen to show it on."""
        if self._services is not None:
            self._serving = self.run_worker(self._services(), name="services")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """End when the services have ended because they were told to."""
        worker = event.worker
        if worker is self._serving and worker.is_cancelled and worker.is_finished:
            self.exit()

    def _stop(self) -> None:
        if self._serving is None or self._serving.is_finished:
            self.exit()
        elif not self._serving.is_cancelled:
            self._serving.cancel()
            self.set_timer(STOP_LIMIT_S, self.exit)


def _wants_attention(snapshot: Screen, before: Screen | None) -> bool:
    """A line that rings has come, or the reminder of a key that is left in."""
    if snapshot.line in RINGING and (before is None or before.line is not snapshot.line):
        return True
    return snapshot.off_in_s is not None and before is not None and before.off_in_s is None
