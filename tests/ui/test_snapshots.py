"""Every sample screen as it is drawn at a fixed size, clock and language, row by row.

After an intended change: ``SNAPSHOTS=write pytest tests/ui/test_snapshots.py``, then read the difference.
"""

import os
from pathlib import Path

import pytest

from tools.pictures.sample_screens import SAMPLES
from ui.kiosk import Kiosk
from ui.languages import LANGUAGES
from ui.words import words

FOLDER = Path(__file__).parent / "snapshots"
SHOTS = [
    *(("40x15", language) for language in LANGUAGES),
    ("80x24", "en"),
    ("132x43", "sv"),
]


async def drawn(size: tuple[int, int], language: str) -> str:
    kiosk = Kiosk(lambda _: None, language=language)
    parts = []
    async with kiosk.run_test(size=size) as pilot:
        for name, screen in SAMPLES.items():
            kiosk.snapshot = screen
            await pilot.pause(0)
            rows = [strip.text.rstrip() for strip in kiosk.screen._compositor.render_strips()]
            shown = words(screen, language)
            parts.append("\n".join([f"--- {name} [{shown.tone.value}]", *(f"|{row}" for row in rows)]))
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize(("size", "language"), SHOTS)
async def test_the_screens_look_as_they_did(size: str, language: str) -> None:
    path = FOLDER / f"{size}-{language}.txt"
    columns, rows = (int(number) for number in size.split("x"))
    now = await drawn((columns, rows), language)
    if os.environ.get("SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
    assert now.splitlines() == path.read_text(encoding="utf-8").splitlines()
