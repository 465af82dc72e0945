"""The reference page of the screens is what their tables make, and its pictures are there."""

import re

from docs.generate_screens import PAGE, page


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate_screens"


def test_every_picture_on_it_exists() -> None:
    pictures = set(re.findall(r"\(\.\./(pictures/[^)]+)\)", page()))
    assert len(pictures) > 100
    assert [name for name in pictures if not (PAGE.parents[1] / name).is_file()] == [], "run: make pictures"
