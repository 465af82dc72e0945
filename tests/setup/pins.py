"""The files of pins, how the Makefile installs them, and the file with the commit."""

import os
import re
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    """Version by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text("utf-8"), re.MULTILINE))


def installs() -> list[list[str]]:
    """The arguments of each `pip install` by which `make` fills an environment."""
    # Under `make test` this would be make within make, which speaks of the folders it enters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", "--always-make", "install", "demo", "dist"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    lines = [shlex.split(line) for line in done.stdout.splitlines() if re.search(r"\bpip\b.*\binstall\b", line)]
    return [words[words.index("install") + 1 :] for words in lines]


def pin_options() -> list[str]:
    """What stands before `-r requirements/….txt` wherever the Makefile installs pins."""
    found = {tuple(words[: words.index("-r")]) for words in installs() if "-r" in words}
    assert len(found) == 1
    return list(found.pop())


def take_commit_out(copy: Path) -> None:
    """Make ``station/version.py`` in a copy what it is in a checkout, also where the tests run from an archive."""
    path = copy / "station" / "version.py"
    text = re.sub(r"^_ARCHIVED = .*$", '_ARCHIVED = "$Format:%H$"', path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(text, "utf-8")
