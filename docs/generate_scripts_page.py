"""Writes ``docs/reference/scripts.md`` from what the scenarios' parser takes.

    python -m docs.generate_scripts_page

A test holds the committed page to what this makes of `SHAPES`.
"""

# ruff: noqa: INP001 (a page's maker beside the page, not a package)

from collections.abc import Iterable
from pathlib import Path

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.locks import Light, Reason
from station.demo.script import FILE_LIMIT_BYTES, STEPS_LIMIT, names
from station.demo.shapes import GROUPS, WORDS, Shape
from station.display.screen import Line
from station.ports import KeyFile

PAGE = Path(__file__).parent / "reference" / "scripts.md"

_NAMES = ", ".join(f"`{name}`" for name in names())

_HEAD = f"""\
# Scenario files

Generated from `station/demo/shapes.py` by `python -m docs.generate_scripts_page`; not to be edited by hand.

`station demo --script NAME` plays a scenario that comes with the program: {_NAMES}.
`station demo --script FILE` plays one's own. Either goes through the real parts: a central server with the sample data,
the station's services, the serial driver, emulated keys on a pseudo-terminal. Only time is not real: `skip` lets it
pass at once. Each step prints one line, and, where it looks at something, what there was to see.

The exit code is 0 when every step came true, 1 when one did not (`FILE:LINE: STEP: instead …`), 2 when the file is
wrong (`FILE:LINE: expected …`; nothing is played then).

## Format

UTF-8, one step a line, at most {STEPS_LIMIT} steps and {FILE_LIMIT_BYTES // 1024} KiB. Empty lines, and lines that
begin with `#`, are passed over. A text of several words stands in quotes. For example:

```
say "A shift begins."
insert 5001
see prompt
pin 1001
see ready
pull
lock 5001 140 3 opened
```

`station demo` lists the keys of the sample site with their people and PINs; the heads of the scripts in
`station/demo/scripts/` say who is who. A step that expects something waits for it; `never`, `lock` and `no-event` look
once.
"""


def page() -> str:
    """The whole page as text."""
    parts = [_HEAD]
    for group, verbs in GROUPS.items():
        parts.append(f"\n## {group}\n\n| step | what it does |\n|---|---|\n")
        parts += [f"| {_usage(verb, shape)} | {shape.does} |\n" for verb, shape in verbs.items()]
    parts.append("\n## Words\n\n| word | is |\n|---|---|\n")
    parts += [f"| `{word.name}` | {word.meaning} |\n" for word in WORDS]
    parts += [
        _values("What the screen says (LINE)", Line),
        _values("Why a key is refused (REASON)", Refusal),
        _values("What a station cannot do (REASON)", Hindrance),
        _values("Why an activation is shorter (REASON)", Shortened),
        _values("What a lock says (OUTCOME)", Reason),
        _values("A key's light (LIGHT)", Light),
        _values("Files on a key (FILE)", KeyFile),
    ]
    return "".join(parts)


def _usage(verb: str, shape: Shape) -> str:
    forms = (" ".join([verb, *(word.name for word in form)]) for form in shape.forms)
    return "<br>".join(f"`{form}`".replace("|", "\\|") for form in forms)


def _values(title: str, values: Iterable[str]) -> str:
    return f"\n### {title}\n\n{', '.join(f'`{value}`' for value in values)}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
