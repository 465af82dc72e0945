"""The documentation's pictures, and the reference page of the screens, are what the kiosk makes."""

import html
import re

import pytest

from tools.pictures import routine
from tools.pictures.__main__ import DOCS
from tools.pictures.draw import draw, strip
from tools.pictures.sample_screens import SAMPLES
from tools.pictures.screens_page import PAGE, page, pictures_shown
from ui.languages import LANGUAGES, catalogue
from ui.words import words

ROOT = PAGE.parents[2]


def text_of(svg: str) -> str:
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")


async def test_a_picture_says_what_the_screen_says() -> None:
    drawn = await draw(["sv"])
    assert set(drawn) == {f"{name}-sv.svg" for name in (*SAMPLES, "shift")}
    assert drawn["ready-sv.svg"].startswith("<svg")
    assert "Nyckeln är PÅ till 17:55." in text_of(drawn["ready-sv.svg"])
    assert "#00b400" in drawn["ready-sv.svg"], "a green field says ON"
    assert "#00b400" not in drawn["prompt-sv.svg"]
    assert "url(http" not in drawn["prompt-sv.svg"]
    assert "#00b400" in strip([drawn["ready-sv.svg"], drawn["empty-sv.svg"]])


async def test_the_committed_pictures_are_those_that_are_drawn_and_shown() -> None:
    drawn = await draw(["en"])
    shown = pictures_shown()
    assert {path.name for path in DOCS.glob("*-en.svg")} == shown, "run: make pictures"
    stale = [name for name in shown if (DOCS / name).read_text("utf-8") != drawn[name]]
    assert stale == [], "run: make pictures"


def test_every_picture_that_a_page_shows_is_there() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for name in re.findall(r"\(([^)\s]*pictures/[^)\s]+)\)", path.read_text("utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} shows {name}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_routine_stands_on_its_screen(language: str) -> None:
    missing = [
        (taught.screen, taught.message)
        for taught in routine.EVERY
        if catalogue(language).gettext(taught.message) not in str(words(SAMPLES[taught.screen], language))
    ]
    assert missing == []


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make pictures"
    assert len(pictures_shown()) > 30
    assert pictures_shown() == set(re.findall(r"\(\.\./pictures/([^)]+)\)", page()))
