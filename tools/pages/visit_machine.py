"""Writes ``docs/reference/visit-machine.md`` from the visit machine's own table.

    python -m tools.pages.visit_machine

A test holds the committed page to what this makes of the table.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

from station.visit import machine as visit
from station.visit.inputs import ReaderFailed, VisitInput
from station.visit.machine import TABLE, Row
from station.visit.state import RETURNS_WITHIN_AFTER_PIN_S, RETURNS_WITHIN_S, Phase, Place, Presence

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "visit-machine.md"
NO_VISIT = frozenset({Phase.EMPTY, Phase.BROKEN})

_HEAD = f"""\
# The visit machine

Generated from `TABLE` in `station/visit/machine.py` by `python -m tools.pages.visit_machine`; not to be edited by hand.

`step(state, received, now) -> (state, effects)` decides what happens about the key in the socket. It reads no clock,
touches no disk and never waits. Whatever performs its effects feeds back what came of them as the next input. An answer
about an earlier insertion changes nothing, anywhere.

Two things say how a visit stands: its *phase*, where it is or goes on from should the key come back, and the key's
*presence*: *in*, *out*, or *returning*, when a key is back in time but has not shown yet that it is the same one. In
time is within {RETURNS_WITHIN_S:g} s; within {RETURNS_WITHIN_AFTER_PIN_S:g} s if its PIN was being checked or it was
being activated.

## Rules

Each check in the code names the rule that it is for.

"""
_PHASES = """\

## While the key is in

"""
_PRESENCES = """\

Not drawn: from every phase, a reader that fails (`ReaderFailed`) leads to `broken`.

## When it is taken out, and comes back

"""
_INPUTS = """\

## What each input does

First what it does in most phases, then where it does something else. An input that is not listed changes nothing. One
that cannot come opens nothing and is reported to the log. "May lead to" names what changes: the phase, or the presence,
or the phase with the presence in brackets.
"""
_GROUPS: Mapping[str, list[Place]] = {
    "No visit": [place for place in TABLE if place[0] in NO_VISIT],
    "The key is in": [place for place in TABLE if place[1] is Presence.IN],
    "The key is out": [place for place in TABLE if place[1] is Presence.OUT and place[0] not in NO_VISIT],
    "A key is returning": [place for place in TABLE if place[1] is Presence.RETURNING],
}


def page() -> str:
    """The whole page as text."""
    return "".join([_HEAD, _rules(), _PHASES, _phases(), _PRESENCES, _presences(), _INPUTS, *_groups()])


def _rules() -> str:
    text = visit.__doc__ or ""
    return dedent(text[text.index(" 1. ") :])


def _phases() -> str:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (phase, presence), rows in TABLE.items():
        for received, row in rows.items() if phase in NO_VISIT or presence is Presence.IN else ():
            if received is not ReaderFailed:
                for target, there in sorted(row.targets):
                    if there is Presence.IN or target in NO_VISIT:
                        arrows[phase, target].append(received.__name__)
    return _diagram(Phase.EMPTY, arrows)


def _presences() -> str:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (phase, presence), rows in TABLE.items():
        for received, row in rows.items() if phase not in NO_VISIT else ():
            for target, there in sorted(row.targets):
                to = "[*]" if target in NO_VISIT else str(there)
                if to != presence and received is not ReaderFailed and received.__name__ not in arrows[presence, to]:
                    arrows[presence, to].append(received.__name__)
    return _diagram(Presence.IN, arrows)


def _diagram(first: str, arrows: dict[tuple[str, str], list[str]]) -> str:
    lines = [f"    {before} --> {after}: {', '.join(names)}" for (before, after), names in arrows.items() if names]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```", ""])


def _groups() -> Iterator[str]:
    for title, places in _GROUPS.items():
        lines = {place: {received: _line(place, received) for received in TABLE[place]} for place in places}
        usual = {received: _usual([lines[place][received] for place in places]) for received in TABLE[places[0]]}
        reported = [f"`{received.__name__}`" for received, line in usual.items() if _REPORTED in line]
        yield f"\n### {title}\n\n{_table(usual.values())}"
        yield f"\nCannot come, unless listed below: {', '.join(reported)}.\n"
        alike: dict[str, list[str]] = defaultdict(list)
        for (phase, _), of_place in lines.items():
            table = _table([line for received, line in of_place.items() if line != usual[received]], all_lines=True)
            alike[table].append(phase)
        yield from (f"\n#### {', '.join(phases)}\n\n{table}" for table, phases in alike.items() if table)


def _usual(lines: list[str]) -> str:
    """The line of most places; else nothing, or that the input cannot come."""
    line, times = Counter(lines).most_common(1)[0]
    idle = [line for line in lines if _IDLE in line or _REPORTED in line]
    return line if times * 2 > len(lines) or not idle else idle[0]


def _table(lines: Iterable[str], *, all_lines: bool = False) -> str:
    listed = [line for line in lines if all_lines or not (_IDLE in line or _REPORTED in line)]
    return "| input | what happens | may lead to |\n|---|---|---|\n" + "".join(listed) if listed else ""


def _line(place: Place, received: type[VisitInput]) -> str:
    row = TABLE[place][received]
    return f"| `{received.__name__}` | {says(row)} | {_targets(place, row)} |\n"


def _targets(place: Place, row: Row) -> str:
    return ", ".join(sorted(_target(place, target) for target in row.targets)) or "stays"


def _target(place: Place, target: Place) -> str:
    (phase, presence), (to, there) = place, target
    if to is phase:
        return str(there)
    return str(to) if to in NO_VISIT or there is presence else f"{to} ({there})"


def says(row: Row) -> str:
    """The first line of what the handler says of itself."""
    lines = (row.handler.__doc__ or "").splitlines()
    if not lines:
        raise SystemExit(f"{row.handler.__name__} has no docstring")
    return lines[0].replace("``", "`")


_IDLE, _REPORTED = says(Row(visit.ignore)), says(Row(visit.report))

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
