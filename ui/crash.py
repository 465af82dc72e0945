"""An app that ends at the first fault: quickly, with the terminal usable again, showing nothing of what was in memory.

Textual's own crash screen prints local variables, a PIN among them, and some faults it does not notice at all. Here
the type of a fault and its place in the code are logged and the process ends; the supervisor sees the exit code and
starts the kiosk anew. Whatever of Textual is overridden for that is in this file, each with its reason.
"""

import asyncio
import errno
import logging
import os
import signal
import sys
import termios
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from textual.app import App
from textual.binding import BindingType
from textual.worker import WorkerFailed

from ui import palette

log = logging.getLogger(__name__)

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""

RESTORE = b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h"
"""Bracketed paste, focus and size reports off, line wrap on, keyboard, colours, main screen and cursor back."""


class CrashOnlyApp(App[None], inherit_bindings=False):
    """Nothing that is typed ends it, and any fault does.

    Without a terminal (in tests, and for pictures) faults go the way of Textual, which hands them to whoever awaits it.
    """

    # Textual's own keys and menus: each of them can end the app, or show what belongs to nobody.
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False

    def run_until_stopped(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Run, in ``loop`` if there is one already, until `exit`. Does not return after a fault."""
        try:
            self.run(mouse=False, loop=loop)
            _write(palette.own_green().encode())
        except BaseException as error:  # noqa: BLE001, Python would print it with what was in memory
            self._crash(error)

    def on_mount(self) -> None:
        """Set the green; take over what Textual leaves to Python: faults in callbacks, threads, finalizers, Ctrl+C."""
        if self.is_headless or self._driver is None:
            return
        self._driver.write(palette.brighter_green())
        asyncio.get_running_loop().set_exception_handler(self._loop_fault)
        threading.excepthook = self._thread_fault
        sys.unraisablehook = self._unraisable_fault
        for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(ignored, signal.SIG_IGN)

    def _handle_exception(self, error: Exception) -> None:
        # Textual calls this for faults in handlers, watchers, rendering and workers, and would print local variables.
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self._crash(error)

    def panic(self, *renderables: Any) -> None:
        """End the process, and print none of ``renderables``."""
        # Textual calls this when the thread that reads the terminal dies; it would end with exit code 0.
        if self.is_headless:
            super().panic(*renderables)
        else:
            log.critical("kiosk.panicked count=%d", len(renderables))
            self._die()

    def _loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._crash(error)
        # The message of a context may quote a repr with values in it.
        log.error("kiosk.loop_complained about=%s", ",".join(sorted(context)))

    def _thread_fault(self, args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        if isinstance(error, OSError) and error.errno == errno.EIO:
            return  # The terminal is gone: SIGHUP says so, and the services end in order.
        if error is not None:
            self._crash(error)

    def _unraisable_fault(self, args: Any) -> None:
        # Raised where nobody can be told, as in a finalizer: Python would print it with its values on the screen.
        log.error("kiosk.unraisable type=%s", args.exc_type.__qualname__)

    def _crash(self, error: BaseException) -> NoReturn:
        _log_fault(error)
        self._die()

    def _die(self) -> NoReturn:
        """Restore the terminal and end the process at once.

        Nothing is awaited and no thread is joined: whatever broke may be holding them.
        """
        try:
            logging.shutdown()
        finally:
            try:
                # The driver has kept the terminal's attributes of before, and tells them nobody.
                _restore_terminal(getattr(self._driver, "attrs_before", None))
            finally:
                os._exit(EXIT_CODE)


def _log_fault(error: BaseException) -> None:
    """Log type and place of ``error``, of what it was wrapped around, and of what caused it."""
    seen: BaseException | None = error
    for _ in range(5):  # A chain of causes may be a ring.
        if seen is None:
            return
        log.critical("kiosk.crashed type=%s place=%s", type(seen).__qualname__, _place(seen))
        seen = _cause(seen)


def _place(error: BaseException) -> str:
    """``kiosk.py:120 in show``: where ``error`` was raised. No values, no message: those may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "nowhere"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"


def _cause(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    return error.error if isinstance(error, WorkerFailed) else error.__cause__


def _restore_terminal(attributes_before: list[Any] | None) -> None:
    """Undo what Textual has set on the terminal; ``attributes_before`` are those of termios."""
    try:
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            os.write(_taken_over(sys.__stderr__.fileno()), palette.own_green().encode() + RESTORE)
        if sys.__stdin__ is not None and attributes_before is not None:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes_before)
    except (OSError, ValueError, termios.error):
        return  # The terminal is gone: there is nothing to restore.


def _write(text: bytes) -> None:
    """Write to the terminal, if it is still there."""
    with suppress(OSError, ValueError):
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            os.write(sys.__stderr__.fileno(), text)


def _taken_over(descriptor: int) -> int:
    """The terminal behind ``descriptor``, out of reach of threads that would go on drawing on it."""
    terminal = os.dup(descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    return terminal
