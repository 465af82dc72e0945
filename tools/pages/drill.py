"""Writes what the crisis drill prints into ``docs/how-to/crisis-drill.md``.

    python -m tools.pages.drill

Plays the scenario, which takes most of a minute. A test holds the page to what it prints, but for what depends on the
day and on how fast the machine is (`steady`).
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "crisis-drill.md"
_BLOCK = re.compile(r"(?<=\n```text\n).*?(?=\n```\n)", re.DOTALL)
_UNSTEADY = (
    (re.compile(r"\b\d\d:\d\d\b"), "HH:MM"),
    (re.compile(r"Data from [^.]+ ago"), "Data from … ago"),
    # Whom to call depends on the hour, and on holidays.
    (re.compile(r"Call [^:]+: \d[\d -]*\d"), "Call …"),
    (re.compile(r"Ask: [^,]+, \d[\d -]*\d"), "Ask: …"),
    (re.compile(r"\b\d+ events of"), "… events of"),
)


def shown(page: str) -> str:
    """The drill's output in the page."""
    found = _BLOCK.search(page)
    assert found is not None
    return found[0]


def steady(printed: str) -> str:
    """What is the same whenever the drill is played."""
    for unsteady, instead in _UNSTEADY:
        printed = unsteady.sub(instead, printed)
    return printed.strip("\n")


def page(printed: str) -> str:
    """The page with ``printed`` in it."""
    return _BLOCK.sub(lambda _: printed.strip("\n"), PAGE.read_text("utf-8"))


if __name__ == "__main__":
    drill = [sys.executable, "-m", "station", "demo", "--script", "crisis"]
    told = subprocess.run(drill, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    PAGE.write_text(page(told.stdout), encoding="utf-8")
