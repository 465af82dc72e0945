"""A key reader's adapter that takes no byte any more: the screen says so within 5 s, and that it is back when it is."""

import asyncio
import os
import termios
import time
from pathlib import Path

from station.display.screen import Line
from tests.services.site import HER_KEY, Site


async def test_it_is_noticed_said_and_over_when_it_is_over(tmp_path: Path) -> None:
    site = Site(tmp_path)
    station, key = await site.station(), site.key(HER_KEY)
    await station.until(Line.EMPTY)
    adapter = os.open(station.line.path, os.O_RDWR | os.O_NOCTTY)
    try:
        termios.tcflow(adapter, termios.TCOOFF)
        at = time.monotonic()
        await station.until(Line.READER_BROKEN, timeout_s=5)
        assert time.monotonic() - at < 5
        # It can be opened time and again, which does not make it work.
        shown = len(station.shown)
        while time.monotonic() - at < 9:
            await asyncio.sleep(0.05)
        assert {screen.line for screen in station.shown[shown:]} <= {Line.READER_BROKEN}
        termios.tcflow(adapter, termios.TCOON)
    finally:
        os.close(adapter)
    await station.until(Line.EMPTY, timeout_s=5)
    station.insert(key)
    await station.until(Line.PROMPT)
    await site.close()
