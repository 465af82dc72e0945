"""Pictures of the kiosk for the documentation: ``python -m ui.picture docs/pictures``.

Drawn by the kiosk itself, at a fixed size, clock and language, so that the same code always makes the same picture. The
people, places and numbers in them are invented.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

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


async def picture(screen: Screen, language: str, size: tuple[int, int] = SIZE) -> str:
    """``screen`` as an SVG of ``size`` (columns, rows)."""
    kiosk = Kiosk(lambda _stroke: None, language=language, bell=False)
    async with kiosk.run_test(size=size) as pilot:
        kiosk.show(screen)
        await pilot.pause()
        # Textual numbers its SVG classes from a checksum over memory addresses: the same picture gets the same names.
        return re.sub(r"terminal-\d+", "terminal", kiosk.export_screenshot(title=f"Station {screen.status.station}"))


def write(folder: Path) -> list[Path]:
    """Write every picture in every language to ``folder``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, screen in PICTURES.items():
        for language in LANGUAGES:
            path = folder / f"{name}-{language}.svg"
            path.write_text(asyncio.run(picture(screen, language)) + "\n", encoding="utf-8")
            written.append(path)
    return written


def main() -> int:
    """Write the pictures to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m ui.picture", description="Draw the kiosk's screens as SVG.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="for example docs/pictures")
    for path in write(parser.parse_args().folder):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
