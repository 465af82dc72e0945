"""Every sample screen as it is drawn at a fixed size, clock and language, row by row.

After an intended change: ``SNAPSHOTS=write pytest tests/ui/test_snapshots.py``, then read the difference.
"""

import os
from pathlib import Path

import pytest
from textual.strip import Strip

from tools.pictures.draw import settled
from tools.pictures.sample_screens import SAMPLES
from ui.kiosk import Kiosk
from ui.words import words

FOLDER = Path(__file__).parent / "snapshots"
SHOTS = [
    ("40x15", "sv"),
    ("40x15", "da"),
    ("40x15", "fi"),
    ("80x24", "en"),
    ("80x24", "sv"),
    ("132x43", "da"),
]


def in_cells(strip: Strip) -> str:
    """A row as text, with a block for every cell in reverse video: big letters, full boxes, bars of trouble."""
    return "".join("█" * len(text) if style is not None and style.reverse else text for text, style, _ in strip)


async def drawn(size: tuple[int, int], language: str) -> str:
    kiosk = Kiosk(lambda _: None, language=language)
    parts = []
    async with kiosk.run_test(size=size) as pilot:
        for name, screen in SAMPLES.items():
            kiosk.snapshot = screen
            await settled(kiosk, pilot)
            rows = [in_cells(strip).rstrip() for strip in kiosk.screen._compositor.render_strips()]
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
