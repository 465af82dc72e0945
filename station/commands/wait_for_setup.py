"""Shows a page that says what to do, for the kiosk command, until a station that was never set up can start.

Somebody who starts a kiosk by hand is told in a line why it does not start. Where a supervisor has started it again
after that, nobody reads lines: then this is what stands on the screen.
"""

import asyncio
import os
import shutil
import sys
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from config import ConfigFault
from config.file_watch import LOOK_EVERY_S
from station.runtime.heartbeat import Heartbeat, descriptor_of, reasons_of
from ui.set_up_page import page

T = TypeVar("T")

CLEAR = "\x1b[2J\x1b[H"


def is_wanted() -> bool:
    """Whether the page is to be shown: there is a supervisor, and the first start has failed already."""
    return descriptor_of(os.environ) is not None and reasons_of(os.environ) != ("power",)


async def wait_for_setup(path: Path, fault: ConfigFault, ready: Callable[[], Awaitable[T]]) -> T:
    """Show ``fault`` and try ``ready`` again and again, until it no longer raises ConfigFault; its answer."""
    descriptor = descriptor_of(os.environ)
    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(Heartbeat(descriptor, []).run()) if descriptor is not None else None
        shown = ""
        while True:
            text = page(str(path), [str(problem) for problem in fault.problems], shutil.get_terminal_size().columns)
            if text != shown:
                # The terminal is raw: a line end alone does not lead back to the first column.
                sys.stdout.write(CLEAR + text.replace("\n", "\r\n") + "\r\n")
                sys.stdout.flush()
                shown = text
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                answer = await ready()
            except ConfigFault as again:
                fault = again
                continue
            if beating is not None:
                beating.cancel()
            _drop_typed()
            return answer


def _drop_typed() -> None:
    """Drop what was typed at this page: it is no PIN."""
    if os.isatty(0):
        termios.tcflush(0, termios.TCIFLUSH)
