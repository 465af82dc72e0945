"""Writes ``docs/reference/licences.md`` from the pins and what the installed packages say of themselves.

    python -m tools.pages.licences

A test holds the committed page to what this makes of them.
"""

from collections.abc import Mapping
from pathlib import Path

from tools.bill_of_materials import licence_text, pinned

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "licences.md"
PROGRAM = ("base", "central", "postgresql", "demo")
"""Files of pins that something installed comes from, the smaller ones first."""

_HEAD = """\
# Licences of what is installed

Generated from `requirements/` by `python -m tools.pages.licences`; not to be edited by hand.

The program itself is under the Apache License 2.0 (`LICENSE`). Licences are as each package declares its own. *Comes
with* is the smallest set of pins that has it: a station installs `base` alone
([how](../how-to/install-the-program.md)). The bill of materials that `make dist` writes says the same, with hashes, and
what needs what.

"""
_TOOLS = """
## Tools and tests

What builds the program and tries it out; none of it comes with anything that is installed.

"""


def page() -> str:
    """The page, as Markdown."""
    files: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    for name, version, _hashes, file in pinned(ROOT):
        files.setdefault(name, set()).add(file)
        versions[name] = version
    installed = {name: next((each for each in PROGRAM if each in files[name]), "") for name in sorted(files)}
    return (
        _HEAD
        + _table(versions, {name: file for name, file in installed.items() if file}, "comes with")
        + _TOOLS
        + _table(versions, {name: "" for name, file in installed.items() if not file}, "")
    )


def _table(versions: Mapping[str, str], rows: Mapping[str, str], last: str) -> str:
    heads = ["package", "version", "licence", *([last] if last else [])]
    lines = [heads, ["---"] * len(heads)]
    for name, file in rows.items():
        lines.append([name, versions[name], licence_text(name), *([f"`{file}`"] if last else [])])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
