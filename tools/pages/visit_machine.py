"""Writes ``docs/reference/visit-machine.md`` from the visit machine's own table.

    python -m tools.pages.visit_machine

A test holds the committed page to what this makes of the table.
"""

from collections import defaultdict
from pathlib import Path

from station.core.events import Event
from station.core.visit import TABLE, Row
from station.core.visit_state import BOUNCE_S, INTERRUPTED_S, Phase

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "visit-machine.md"

_HEAD = f"""\
# The visit machine

Generated from `TABLE` in `station/core/visit.py` by `python -m tools.pages.visit_machine`; not to be edited by hand.

`step(state, event, now) -> (state, effects)` decides what happens about the key in the socket. It reads no clock,
touches no disk and never waits. Whatever performs its effects feeds back what came of them as the next event. An answer
about an earlier insertion, and a verdict on a PIN of an earlier visit, change nothing, in any phase.

A key that is back within {BOUNCE_S:g} s goes on with its visit; within {INTERRUPTED_S:g} s if its PIN was being
checked or it was being activated. Every insertion first clears the key, except where a ready one had just been: that
one is identified first.

## Phases

"""
_ALWAYS = """\
Not drawn: from every phase with a key, pulling it (`KeyRemoved`) leads to `gone`; from every phase, a reader that fails
(`ReaderFailed`) leads to `broken`.
"""
_EVENTS = """\
## What each event does

An event that is not listed for a phase changes nothing there. One under *unexpected* cannot happen there; if it does,
it opens nothing and is reported to the log.
"""


def page() -> str:
    """The whole page as text."""
    return _HEAD + _diagram() + "\n" + _ALWAYS + "\n" + _tables()


def _diagram() -> str:
    arrows: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for phase, rows in TABLE.items():
        for event, row in rows.items():
            for target in sorted(row.targets - {Phase.GONE} - ({Phase.BROKEN} if phase is not Phase.BROKEN else set())):
                arrows[phase, target].append(event.__name__)
    lines = [f"    {phase} --> {target}: {', '.join(events)}" for (phase, target), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.EMPTY}", *lines, "```", ""])


def _tables() -> str:
    parts = [_EVENTS]
    for phase, rows in TABLE.items():
        parts.append(f"\n### {phase}\n\n| event | what happens | may lead to |\n|---|---|---|\n")
        parts += [_line(event, row) for event, row in rows.items() if _says(row) not in {_IDLE, _UNEXPECTED}]
        unexpected = [f"`{event.__name__}`" for event, row in rows.items() if _says(row) == _UNEXPECTED]
        parts.append(f"\n*Unexpected*: {', '.join(unexpected)}.\n")
    return "".join(parts)


def _line(event: type[Event], row: Row) -> str:
    targets = ", ".join(sorted(row.targets)) or "stays"
    return f"| `{event.__name__}` | {_says(row)} | {targets} |\n"


def _says(row: Row) -> str:
    """The first line of what the handler says of itself."""
    lines = (row.handler.__doc__ or "").splitlines()
    if not lines:
        raise SystemExit(f"{row.handler.__name__} has no docstring")
    return lines[0].replace("``", "`")


_IDLE = _says(TABLE[Phase.STILL_ON][next(e for e, r in TABLE[Phase.STILL_ON].items() if e.__name__ == "TimePassed")])
_UNEXPECTED = _says(next(r for e, r in TABLE[Phase.STILL_ON].items() if e.__name__ == "KeyInserted"))

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
