"""Every command line shown in the documentation is run, in a sample site with a key in the reader.

A fenced ``console`` block has a command on each line that begins with ``$ ``; what follows it is an example of what it
says and is not compared. Two comments on the line before a block change that: ``<!-- not run: reason -->`` and
``<!-- exits 1 -->``. The documentation's example numbers stand for the sample site's.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running_site import COMMAND_LIMIT_S, ROOT, RunningSite

pytestmark = pytest.mark.slow
BLOCK = re.compile(
    r"(?:^<!--\s*(?P<note>(?:not run:|exits)[^\n]*?)\s*-->\n\s*)?^ *```console\n(?P<text>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)
EXAMPLE_KEY, EXAMPLE_BLANK = "1001", "1055"
EXAMPLE_URL = "https://central.exempelby.example"


@dataclass(frozen=True)
class Shown:
    """A command line in the documentation."""

    place: str
    line: str
    exits: int = 0

    def __str__(self) -> str:
        return f"{self.place} {self.line}"[:80]


def pages() -> list[Path]:
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if path.exists()]


def shown(name: str, text: str) -> list[Shown]:
    found = []
    for block in BLOCK.finditer(text):
        note = block["note"] or ""
        if note.startswith("not run:"):
            assert note.removeprefix("not run:").strip(), f"{name}: why is it not run?"
            continue
        exits = int(note.removeprefix("exits")) if note else 0
        lines = block["text"].replace("\\\n", " ").splitlines()
        at = text.count("\n", 0, block.start()) + 1
        commands = [line.strip().removeprefix("$ ") for line in lines if line.strip().startswith("$ ")]
        assert commands, f"{name}:{at}: a console block without a command"
        found += [Shown(f"{name}:{at}", command, exits) for command in commands]
    return found


ALL = [each for page in pages() for each in shown(str(page.relative_to(ROOT)), page.read_text("utf-8"))]


@pytest.fixture(scope="module")
def programs(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `station` and `central` as they would be installed, whatever else is on this machine."""
    folder = tmp_path_factory.mktemp("programs")
    for name, module in (("station", "station"), ("central", "central.cli")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n', "utf-8")
        program.chmod(0o755)
    # As after `make install`.
    (site.folder / ".venv").mkdir()
    (site.folder / ".venv" / "bin").symlink_to(folder)
    keys = site.folder / "keys"
    keys.mkdir(exist_ok=True)
    (keys / EXAMPLE_KEY).symlink_to(site.world.folder / "keys" / "5001")
    return folder


def test_the_reference_of_commands_is_among_them() -> None:
    assert any(each.place.startswith("docs/reference/commands.md") for each in ALL)


@pytest.mark.parametrize("command", ALL, ids=str)
def test_it_does_what_it_says(command: Shown, site: RunningSite, programs: Path) -> None:
    site.insert(5001)
    line = command.line.replace(EXAMPLE_URL, site.world.home.url).replace(f"--key {EXAMPLE_BLANK}", "--key 5055")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        check=False,
        cwd=site.folder,
        env=site.env() | {"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_LIMIT_S,
    )
    assert done.returncode == command.exits, f"{command.place}: $ {command.line}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


def test_blocks_are_found_with_what_is_said_of_them() -> None:
    text = (
        "a\n\n```console\n$ one \\\n  two\nsaid\n$ three\n```\n\n<!-- exits 1 -->\n```console\n$ four\n```\n"
        "<!-- not run: it would reboot -->\n\n```console\n$ five\n```\n1. list\n\n   ```console\n   $ six\n   ```\n"
    )
    assert [(each.line, each.exits) for each in shown("x.md", text)] == [
        ("one    two", 0),
        ("three", 0),
        ("four", 1),
        ("six", 0),
    ]


def test_a_block_that_is_not_run_says_why() -> None:
    with pytest.raises(AssertionError, match="why is it not run"):
        shown("x.md", "<!-- not run: -->\n```console\n$ five\n```\n")
