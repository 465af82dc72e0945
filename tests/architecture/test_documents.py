"""What the documentation names in the repository is there: files, folders, and tests of a file."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_repository import ROOT, tracked

FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`(?P<path>[\w./*-]+?)(?:::(?P<test>\w+))?`")
RECORD_TYPE = re.compile(r"\w+/\d")
"""As ``station/1``: the name of a folder, and none."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named(text: str, ours: list[Path]) -> Iterator[tuple[str, str | None]]:
    """Each path in a text that begins with a folder of ours or ends as a program's file, and the test behind it."""
    folders = {path.parts[0] for path in ours if len(path.parts) > 1}
    for found in NAMED.finditer(FENCED.sub("", text)):
        path = found["path"]
        in_folder = "/" in path and path.split("/")[0] in folders and not RECORD_TYPE.fullmatch(path)
        if in_folder or path.endswith(".py") or found["test"]:
            yield path, found["test"]


def is_there(path: str, test: str | None, ours: list[Path]) -> bool:
    """Whether there is such a file or folder, and that test in it; a bare name stands for any file of that name."""
    files = list(ROOT.glob(path)) if "/" in path else [ROOT / each for each in ours if each.name == path]
    return bool(files) and (test is None or any(f"def {test}(" in file.read_text("utf-8") for file in files))


def test_every_path_and_test_that_a_page_names_exists() -> None:
    ours = [path.relative_to(ROOT) for path in tracked()]
    found = [(page.name, *names) for page in PAGES for names in named(page.read_text("utf-8"), ours)]
    assert len(found) > 100
    assert [each for each in found if not is_there(each[1], each[2], ours)] == []


def test_what_is_not_there_is_found() -> None:
    ours = [Path("docs/index.md"), Path("station/app.py")]
    text = "`docs/gone.md` `docs/index.md::test_none` `gone.py` `app.py` `station/1` `a/b`\n```\n`docs/no`\n```\n"
    wanted = [("docs/gone.md", None), ("docs/index.md", "test_none"), ("gone.py", None), ("app.py", None)]
    assert list(named(text, ours)) == wanted
    assert [is_there(*each, ours) for each in wanted] == [False, False, False, True]
