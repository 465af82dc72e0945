"""Draws the kiosk's screens: ``python -m tools.pictures`` (`make pictures`).

The pictures that pages of the documentation show go to ``docs/pictures``, with ``docs/reference/screens.md``; every
screen in every language goes to ``build/pictures``, for translators and for print.
"""

import asyncio
import sys

from tools.pictures import screens_page
from tools.pictures.draw import draw
from ui.languages import LANGUAGES

DOCS = screens_page.PAGE.parents[1] / "pictures"
EVERY = screens_page.PAGE.parents[2] / "build" / "pictures"


def main() -> None:
    """Write all of them."""
    drawn = asyncio.run(draw(LANGUAGES))
    shown = screens_page.pictures_shown()
    EVERY.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        (EVERY / name).write_text(svg, encoding="utf-8")
        if name in shown:
            (DOCS / name).write_text(svg, encoding="utf-8")
    screens_page.PAGE.write_text(screens_page.page(), encoding="utf-8")
    sys.stdout.write(f"{len(drawn)} pictures in {EVERY}, {len(shown)} of them in {DOCS}\n")


if __name__ == "__main__":
    main()
