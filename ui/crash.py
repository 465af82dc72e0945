"""How the kiosk dies: quickly, with the terminal usable again, and without showing what was in memory.

Textual's own crash screen prints local variables, a PIN among them. Here only the type of the fault and the place in
the code are logged; the supervisor sees the exit code and starts the kiosk anew.
"""

import logging
import os
import sys
import termios
import traceback
from pathlib import Path
from typing import Any, NoReturn

from textual.worker import WorkerFailed

log = logging.getLogger(__name__)

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""

RESTORE = b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h"
"""Bracketed paste, focus and size reports off, line wrap on, keyboard, colours, main screen and cursor back."""


def place(error: BaseException) -> str:
    """``kiosk.py:120 in _draw``: where ``error`` was raised. No values, no message: those may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "nowhere"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"


def report(error: BaseException) -> None:
    """Log type and place of ``error``, of what it was wrapped around, and of what caused it."""
    seen: BaseException | None = error
    for _ in range(5):  # A chain of causes may be a ring.
        if seen is None:
            return
        log.critical("kiosk.crashed type=%s place=%s", type(seen).__qualname__, place(seen))
        seen = _behind(seen)


def _behind(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    return error.error if isinstance(error, WorkerFailed) else error.__cause__


def die(attributes_before: list[Any] | None) -> NoReturn:
    """Restore the terminal, from ``attributes_before`` of termios if there are any, and end the process at once.

    Nothing is awaited and no thread is joined: whatever broke may be holding them.
    """
    try:
        logging.shutdown()
    finally:
        try:
            _restore(attributes_before)
        finally:
            os._exit(EXIT_CODE)


def _taken_over(descriptor: int) -> int:
    """The terminal behind ``descriptor``, out of reach of threads that would go on drawing on it."""
    terminal = os.dup(descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    return terminal


def _restore(attributes_before: list[Any] | None) -> None:
    try:
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            os.write(_taken_over(sys.__stderr__.fileno()), RESTORE)
        if sys.__stdin__ is not None and attributes_before is not None:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes_before)
    except (OSError, ValueError, termios.error):
        return  # The terminal is gone: there is nothing to restore.
