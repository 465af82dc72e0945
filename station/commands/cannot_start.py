"""For the kiosk command, while the station cannot start: a page that says why, and keys are switched off all the same.

Somebody who starts a kiosk by hand that was never set up is told in a line why it does not start. Where a supervisor
has started it again after that, nobody reads lines: then this is what stands on the screen.
"""

import asyncio
import os
import shutil
import sys
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from config import ConfigFault, Settings
from config.config_file import in_effect
from config.file_watch import LOOK_EVERY_S
from drivers.smp.reader import SmpKeyReader
from station.app import reader_settings
from station.commands import error_sentences
from station.errors import StationError
from station.key.switching_off import SocketSays, switch_off_keys
from station.runtime.heartbeat import Heartbeat, descriptor_of, reasons_of
from station.supervisor.screens import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    WhereToGo,
    read_where_to_go,
    station_line,
    support_line,
)
from ui.cannot_start_page import CannotStart, page

T = TypeVar("T")

CLEAR = "\x1b[2J\x1b[H"
AGAIN_S = 5.0
"""Between two tries of what takes the disk some work."""


def is_wanted(fault: StationError) -> bool:
    """Whether the page is to be shown: there is a supervisor, and nobody reads what is written to a command line."""
    if descriptor_of(os.environ) is None:
        return False
    return not isinstance(fault, ConfigFault) or reasons_of(os.environ) != ("power",)


async def wait_until_it_starts(path: Path, fault: StationError, ready: Callable[[], Awaitable[T]]) -> T:
    """Show ``fault``, switch keys off, and try ``ready`` until it raises no StationError any more; its answer."""
    shown = _Page(path, fault)
    tasks = [asyncio.create_task(shown.switch_off(), name="switching off")]
    if (descriptor := descriptor_of(os.environ)) is not None:
        tasks.append(asyncio.create_task(Heartbeat(descriptor, []).run(), name="heartbeat"))
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY_S if isinstance(fault, ConfigFault) else AGAIN_S)
            for task in tasks:
                if task.done():
                    task.result()
            try:
                answer = await ready()
            except StationError as again:
                fault = again
                shown.tell(fault)
            else:
                _drop_typed()
                return answer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Page:
    """What is on the screen."""

    def __init__(self, path: Path, fault: StationError) -> None:
        self._path, self._shown = path, ""
        self._socket: SocketSays | None = None
        self.tell(fault)

    def tell(self, fault: StationError) -> None:
        """Show another fault."""
        settings = _settings(self._path)
        there = WhereToGo() if settings is None else read_where_to_go(settings.storage.database.parent)
        is_set_up = settings is not None and not isinstance(fault, ConfigFault)
        language = None if settings is None else settings.display.language
        words = LANGUAGES[language or DEFAULT_LANGUAGE]
        stations = tuple(station_line(each, words) for each in there.stations)
        support = tuple(support_line(each, words) for each in there.support)
        problems = error_sentences.lines(fault)
        self._why = CannotStart(str(self._path), problems, is_set_up, stations, support, language)
        self._draw()

    async def switch_off(self) -> None:
        """Switch keys off, as soon as it is known where the key reader is."""
        while (settings := _settings(self._path)) is None:  # noqa: ASYNC110, files tell nobody
            await asyncio.sleep(LOOK_EVERY_S)
        reader = SmpKeyReader(reader_settings(settings))
        try:
            await switch_off_keys(reader, self._say)
        finally:
            await reader.close()

    def _say(self, socket: SocketSays) -> None:
        self._socket = socket
        self._draw()

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        text = page(self._why, self._socket, size.columns, size.lines)
        if text != self._shown:
            # The terminal is raw: a line end alone does not lead back to the first column.
            sys.stdout.write(CLEAR + text.replace("\n", "\r\n"))
            sys.stdout.flush()
            self._shown = text


def _settings(path: Path) -> Settings | None:
    """What is known of the station; None where it has never had a good file."""
    with suppress(ConfigFault):
        return in_effect(path)[0].settings
    return None


def _drop_typed() -> None:
    """Drop what was typed at this page: it is no PIN."""
    if os.isatty(0):
        termios.tcflush(0, termios.TCIFLUSH)
