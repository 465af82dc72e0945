"""The documentation's pictures."""

import html
import re
import subprocess
import sys
from pathlib import Path

from ui.languages import LANGUAGES
from ui.picture import pictures
from ui.sample_screens import SAMPLES

ROOT = Path(__file__).parents[2]


def text_of(svg: str) -> str:
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")


async def test_a_picture_says_what_the_screen_says() -> None:
    drawn = {name: svg async for name, svg in pictures(SAMPLES, "sv")}
    assert drawn["ready"].startswith("<svg")
    assert "Nyckeln är PÅ till 17:55." in text_of(drawn["ready"])
    assert "#0000aa" in drawn["prompt"], "a blue block says OFF"
    assert "url(http" not in drawn["prompt"]
    again = {name: svg async for name, svg in pictures(SAMPLES, "sv")}
    assert again == drawn


def test_all_are_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ui.picture", str(tmp_path / "pictures")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    expected = {f"{name}-{language}.svg" for name in (*SAMPLES, "shift") for language in LANGUAGES}
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == expected
    assert len(done.stdout.splitlines()) == len(expected)
