"""Draws screens as SVG.

Drawn by the kiosk itself, at a fixed size, clock and language, so that the same code always makes the same picture.
"""

import html
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from rich.terminal_theme import TerminalTheme
from textual.pilot import Pilot
from textual.strip import Strip

from station.display.screen import Screen
from tools.pictures.sample_screens import SAMPLES, SHIFT
from ui.kiosk import Kiosk
from ui.languages import LANGUAGES
from ui.words import words

SIZE = (80, 24)
FAULT_SIZE = (132, 43)
"""Of a screen with a QR code, which a smaller one has no room for."""
STRIP_COLUMNS = 4
STRIP_GAP = 20

CONSOLE = TerminalTheme(
    background=(0, 0, 0),
    foreground=(170, 170, 170),
    normal=[(0, 0, 0), (170, 0, 0), (0, 180, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170,) * 3],
    bright=[
        (85, 85, 85),
        (255, 85, 85),
        (85, 255, 85),
        (255, 255, 85),
        (85, 85, 255),
        (255, 85, 255),
        (85, 255, 255),
        (255, 255, 255),
    ],
)
"""The palette of a Linux console, with the green that the kiosk sets (`ui.palette`)."""


async def settled(kiosk: Kiosk, pilot: Pilot[None]) -> None:
    """Wait until the screen is drawn as it stays: what a widget sends its neighbours is laid out a round later."""
    before: list[Strip] | None = None
    while (now := kiosk.screen._compositor.render_strips()) != before:  # noqa: SLF001 -- no public one has the cells
        before = now
        # Not pause() without a time: it watches the process's load, and costs 40 ms each of several hundred times.
        await pilot.pause(0)


async def pictures(
    screens: Mapping[str, Screen], language: str, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[str, str]]:
    """Each of ``screens`` as an SVG of ``size`` (columns, rows), with its name."""
    kiosk = Kiosk(lambda _stroke: None, language=language, bell=False)
    kiosk.ansi_theme_dark = CONSOLE
    kiosk.ansi_color = False
    async with kiosk.run_test(size=size) as pilot:
        for name, screen in screens.items():
            kiosk.snapshot = screen
            await settled(kiosk, pilot)
            svg = kiosk.export_screenshot(title=f"Station {screen.status.station}")
            # Rich numbers its SVG classes by a checksum that changes from run to run: the same picture, the same names.
            # Its fonts come from somebody's server: a picture in the documentation downloads nothing.
            svg = re.sub(r"\s*@font-face \{.*?\}", "", re.sub(r"terminal-\d+", "terminal", svg), flags=re.DOTALL)
            yield name, _TEXT.sub(_pinned, svg) + "\n"


_TEXT = re.compile(r'(<text [^>]*?)x="([\d.]+)"([^>]*?) textLength="[\d.]+"([^>]*)>([^<]*)<')
_CELL = 12.2
"""The width of a column in Rich's pictures."""


def _pinned(found: re.Match[str]) -> str:
    """Every character in its own cell: fonts differ in width, and not every renderer stretches or keeps spaces."""
    before, left, middle, after, escaped = found.groups()
    text = html.unescape(escaped)
    begins = len(text) - len(text.lstrip("\xa0"))
    shown = text.strip("\xa0")
    cells = " ".join(f"{float(left) + (begins + n) * _CELL:.6g}" for n in range(len(shown)))
    content = html.escape(shown, quote=False).replace("\xa0", "&#160;")
    return f'{before}x="{cells}"{middle}{after}>{content}<'


async def draw(languages: Iterable[str]) -> dict[str, str]:
    """Every picture in every language, and the strip of a shift, by file name."""
    drawn: dict[str, str] = {}
    faults = {name: screen for name, screen in SAMPLES.items() if words(screen, LANGUAGES[0]).telephone}
    others = {name: screen for name, screen in SAMPLES.items() if name not in faults}
    for language in languages:
        here = {name: svg async for name, svg in pictures(others, language)}
        here |= {name: svg async for name, svg in pictures(faults, language, FAULT_SIZE)}
        drawn |= {f"{name}-{language}.svg": here[name] for name in SAMPLES}
        drawn[f"shift-{language}.svg"] = strip([here[name] for name in SHIFT])
    return drawn


def strip(svgs: Sequence[str]) -> str:
    """Pictures of one size in one, row by row."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svgs[0])
    assert found is not None, "Rich writes a viewBox"
    width, height = float(found[1]) + STRIP_GAP, float(found[2]) + STRIP_GAP
    rows = -(-len(svgs) // STRIP_COLUMNS)
    parts = []
    for number, svg in enumerate(svgs):
        x, y = number % STRIP_COLUMNS * width, number // STRIP_COLUMNS * height
        # The styles of one picture must not reach the next one's letters.
        own = re.sub(r"\bterminal\b", f"screen{number}", svg).strip()
        place = f'<svg x="{x:g}" y="{y:g}" width="{width - STRIP_GAP:g}" height="{height - STRIP_GAP:g}" '
        parts.append(own.replace("<svg ", place, 1))
    total = f"{STRIP_COLUMNS * width - STRIP_GAP:g} {rows * height - STRIP_GAP:g}"
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total}">\n{body}\n</svg>\n'
