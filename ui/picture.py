"""Pictures of the kiosk for the documentation: ``python -m ui.picture docs/pictures``.

Drawn by the kiosk itself, at a fixed size, clock and language, so that the same code always makes the same picture. The
people, places and numbers in them are invented.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.terminal_theme import TerminalTheme

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.screen import Line, Receipt, Screen, Status
from ui.kiosk import Kiosk
from ui.languages import LANGUAGES

SIZE = (64, 20)
NOW_S = 1_774_850_100
"""2026-03-30 07:55 in Stockholm."""
STATUS = Status(
    station=12,
    online=True,
    mirror_age_s=20,
    hindrance=None,
    unix_s=NOW_S - 3600,
    clock_trusted=True,
    time_zone="Europe/Stockholm",
)
KEY = 1042
HOLDER = "Tilda Påhittsdotter"
RECEIPT = Receipt(
    expires=NOW_S + 36000,
    shortened=None,
    every_area=False,
    areas=(3, 5),
    area_names=("Granbacken", "Kvarnby"),
    locks=3,
    mirror_age_s=20,
    online=True,
)

PICTURES: Mapping[str, Screen] = {
    "empty": Screen(Line.EMPTY, STATUS),
    "prompt": Screen(Line.PROMPT, STATUS, key=KEY, holder_name=HOLDER),
    "typing": Screen(Line.PROMPT, STATUS, digits=4, key=KEY, holder_name=HOLDER),
    "wait": Screen(Line.WAIT, STATUS, key=KEY, wait_s=15, refusal=Refusal.WRONG_PIN),
    "ready": Screen(Line.READY, STATUS, key=KEY, receipt=RECEIPT),
    "ready-offline": Screen(
        Line.READY,
        replace(STATUS, online=False, mirror_age_s=9000),
        key=KEY,
        receipt=replace(RECEIPT, online=False, mirror_age_s=9000, shortened=Shortened.WINDOW),
    ),
    "refused": Screen(Line.REFUSED, STATUS, key=KEY, refusal=Refusal.BLOCKED),
    "only-off": Screen(Line.EMPTY, replace(STATUS, online=False, hindrance=Hindrance.CLOCK, clock_trusted=False)),
}
"""By name of the picture."""


CONSOLE = TerminalTheme(
    background=(0, 0, 0),
    foreground=(170, 170, 170),
    normal=[(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170,) * 3],
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
"""The palette of a Linux console."""


async def pictures(
    screens: Mapping[str, Screen], language: str, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[str, str]]:
    """Each of ``screens`` as an SVG of ``size`` (columns, rows), with its name."""
    kiosk = Kiosk(lambda _stroke: None, language=language, bell=False)
    kiosk.ansi_theme_dark = CONSOLE
    kiosk.ansi_color = False
    async with kiosk.run_test(size=size) as pilot:
        for name, screen in screens.items():
            kiosk.show(screen)
            await pilot.pause()
            svg = kiosk.export_screenshot(title=f"Station {screen.status.station}")
            # Rich numbers its SVG classes by a checksum that changes from run to run: the same picture, the same names.
            # Its fonts come from somebody's server: a picture in the documentation downloads nothing.
            svg = re.sub(r"\s*@font-face \{.*?\}", "", re.sub(r"terminal-\d+", "terminal", svg), flags=re.DOTALL)
            yield name, f"{svg}\n"


async def draw(languages: Iterable[str]) -> dict[str, str]:
    """Every picture in every language, by its file name."""
    return {f"{name}-{language}.svg": svg for language in languages async for name, svg in pictures(PICTURES, language)}


def main() -> int:
    """Write the pictures to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m ui.picture", description="Draw the kiosk's screens as SVG.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="for example docs/pictures")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in asyncio.run(draw(LANGUAGES)).items():
        (folder / name).write_text(svg, encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
