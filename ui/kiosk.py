"""The kiosk: one full screen that shows snapshots and sends keystrokes. Nothing that is typed can end it."""

import asyncio
import errno
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NoReturn

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen as TextualScreen

from station.core.screen import Line, Screen
from ui import crash
from ui.face import LOOK, Face
from ui.words import Words, words

log = logging.getLogger(__name__)

RINGING = frozenset(
    {
        Line.WRONG_PIN,
        Line.WAIT,
        Line.READY,
        Line.REFUSED,
        Line.STILL_ON,
        Line.UNREADABLE,
        Line.LEFT_IN,
        Line.OUT_EARLY,
        Line.OUT_UNSURE,
    }
)
"""Lines that ring once when they come: people look at their bag, not at the screen."""

PATIENT = frozenset({Line.READING, Line.CHECKING, Line.ACTIVATING})
"""Lines under which the key is being worked on: its next request goes out before they are drawn."""
PATIENT_S = 0.004

_STROKES = {"enter": "#", "ctrl+j": "#", "backspace": "\b"}
"""Textual's names of keys. Number pads have no ``#``: Enter is one."""
_CHARACTERS = frozenset("0123456789*#")


def _wants_attention(screen: Screen, before: Screen | None) -> bool:
    """A line that rings has come, or the reminder of a key that is left in."""
    if screen.line in RINGING and (before is None or before.line is not screen.line):
        return True
    return screen.off_in_s is not None and before is not None and before.off_in_s is None


STOP_LIMIT_S = 5.0
"""How long the station's services may take to end after SIGTERM."""


class Kiosk(App[None], inherit_bindings=False):
    """Shows what it is told and sends what is typed.

    ``press`` gets every keystroke, one character each: a digit, ``*``, ``#`` (also for Enter) or ``\\b``. ``language``
    is the station's; a holder's own takes its place once known. ``start`` is awaited in a task of its own as soon as
    there is a screen, and cancelled at the end; an exception in it ends the process with code 70. With ``bell`` the
    terminal rings when something wants to be looked at.

    SIGTERM and SIGHUP end `run` normally.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False
    CSS = LOOK

    def __init__(
        self,
        press: Callable[[str], None],
        *,
        language: str,
        bell: bool = True,
        start: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self.theme = "ansi-dark"
        self._press = press
        self._language = language
        self._rings = bell
        self._start = start
        self._services: asyncio.Task[None] | None = None
        self._latest: Screen | None = None
        self._drawn: Screen | None = None
        self._words: Words | None = None
        self._rehearsed: tuple[Screen, str, Words] | None = None
        self._shown = False
        self._drawing = False
        self._stopping: asyncio.Task[None] | None = None
        self.draws = 0
        """How many snapshots have been drawn; what was overtaken before that is not among them."""

    def get_default_screen(self) -> TextualScreen[None]:
        """The one screen."""
        return Face()

    def show(self, screen: Screen) -> None:
        """Show ``screen``: at once, but for `PATIENT` lines, of which only the latest of several in a row is drawn."""
        self._latest = screen
        if not self._shown or screen == self._drawn:
            return
        if self.is_headless:
            self._draw_soon()
        elif screen.line not in PATIENT:
            self._draw()
        elif not self._drawing:
            self._drawing = True
            asyncio.get_running_loop().call_later(PATIENT_S, self._draw)

    def rehearse(self, screen: Screen) -> None:
        """Have ``screen`` in words and laid out: it will probably be shown in a moment, and somebody waits for it."""
        if self._shown and not self.is_headless and isinstance(self.screen, Face):
            said = words(screen, self._language)
            self._rehearsed = screen, self._language, said
            self.screen.rehearse(said)

    def _draw_soon(self) -> None:
        if not self._drawing:
            self._drawing = True
            self.call_later(self._draw)

    def adopt(self, *, language: str, bell: bool) -> None:
        """Speak this language, and ring or not, from now on."""
        self._language, self._rings = language, bell
        self._drawn = None
        if self._shown:
            self._draw_soon()

    def _draw(self) -> None:
        self._drawing = False
        screen = self._latest
        if screen is None or screen == self._drawn or not isinstance(self.screen, Face):
            return
        before, self._drawn = self._drawn, screen
        rehearsed, self._rehearsed = self._rehearsed, None
        if rehearsed is not None and rehearsed[:2] == (screen, self._language):
            new = rehearsed[2]
        else:
            new = words(screen, self._language)
        if new != self._words:
            self.draws += 1
            self.screen.draw(new)
            self._words = new
        if self._rings and _wants_attention(screen, before):
            self.bell()

    # --- keystrokes -----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Pass on what belongs to a PIN; everything else is dropped."""
        event.stop()
        event.prevent_default()
        stroke = _STROKES.get(event.key)
        if stroke is None and event.character in _CHARACTERS:
            stroke = event.character
        if stroke is not None:
            self._press(stroke)

    # --- beginning and end ----------------------------------------------------------------------------------------

    def run_kiosk(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Run, in ``loop`` if there is one already, until SIGTERM or SIGHUP.

        Never returns after a fault: the process ends with code 70.
        """
        try:
            self.run(mouse=False, loop=loop)
        except BaseException as error:  # noqa: BLE001, the last line before Python would print what was in memory
            self._crash(error)

    def on_mount(self) -> None:
        """Take over signals and faults."""
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            loop.set_exception_handler(self._loop_fault)
            threading.excepthook = self._thread_fault
            sys.unraisablehook = self._unraisable
            for ending in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(ending, self._stop)
            for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
                signal.signal(ignored, signal.SIG_IGN)

    def on_face_shown(self) -> None:
        """Show what there is, start the station."""
        self._shown = True
        self._draw()
        if self._start is not None:
            self._services = asyncio.get_running_loop().create_task(self._serve(self._start), name="services")

    async def _serve(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001, crash-only: the supervisor begins anew
            self._handle_exception(error)
        except BaseException as error:  # noqa: BLE001, a sys.exit() in the services is a fault like any other
            self._crash(error)

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop_services(), name="stop")

    async def _stop_services(self) -> None:
        if self._services is not None:
            self._services.cancel()
            await asyncio.wait([self._services], timeout=STOP_LIMIT_S)
        self.exit()

    def _loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._crash(error)
        # The message of a context may quote a repr with values in it.
        log.error("kiosk.loop_complained about=%s", ",".join(sorted(context)))

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except (SystemExit, KeyboardInterrupt) as error:
            # Textual hands on exceptions only; these would first unwind the whole application, and then print.
            if self.is_headless:
                raise
            self._crash(error)

    def _thread_fault(self, args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        if isinstance(error, OSError) and error.errno == errno.EIO:
            return  # The terminal is gone: SIGHUP says so, and the services end in order.
        if error is not None:
            self._crash(error)

    def _unraisable(self, args: Any) -> None:
        # Raised where nobody can be told, as in a finalizer: Python would print it with its values on the screen.
        log.error("kiosk.unraisable type=%s", args.exc_type.__qualname__)

    # Without a terminal (in tests, and for pictures) somebody awaits the fault, and Textual hands it on.

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self._crash(error)

    def panic(self, *renderables: Any) -> None:
        """End the process: Textual calls this when its input thread dies. Shows none of ``renderables``."""
        if self.is_headless:
            super().panic(*renderables)
        else:
            log.critical("kiosk.panicked count=%d", len(renderables))
            self._die()

    def _fatal_error(self) -> None:
        if self.is_headless:
            super()._fatal_error()
        else:
            self._die()

    def _crash(self, error: BaseException) -> NoReturn:
        crash.report(error)
        self._die()

    def _die(self) -> NoReturn:
        crash.die(getattr(self._driver, "attrs_before", None))
