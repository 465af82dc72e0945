"""The smaller text: as many sentences as there is room for, on lines of their own where they fit; the rest in turn."""

import textwrap

TURN_S = 8.0
"""Where there is more than fits, how long each part stays: time to read eight short lines."""


def fitted(small: str, notes: tuple[str, ...], columns: int, rows: int) -> list[str]:
    """What to show in turn: ``small`` each time, and as many of ``notes`` as fit.

    Each on its own lines, else all in one paragraph, else fewer. One that does not fit alone goes on in the next part.
    """
    above = wrapped(small, columns) if small else []
    if notes and len(above) >= rows and len(wrapped(f"{small} {notes[0]}", columns)) > rows and above:
        return ["\n".join(above[:rows]), *fitted("", notes, columns, rows)]
    parts: list[str] = []
    left = notes
    while True:
        part, left = _part(small, left, columns, rows)
        parts.append(part)
        if not left:
            return parts


def _part(small: str, notes: tuple[str, ...], columns: int, rows: int) -> tuple[str, tuple[str, ...]]:
    """As much as fits, and what is left."""
    for kept in range(len(notes), 0 if notes else -1, -1):
        parts = [part for part in (small, *notes[:kept]) if part]
        lines = [line for part in parts for line in wrapped(part, columns)]
        spaced = [line for part in parts for line in (*wrapped(part, columns), "")][:-1]
        paragraph = wrapped(" ".join(parts), columns)
        for shape in (spaced, lines, paragraph):
            if len(shape) <= rows:
                return "\n".join(shape), notes[kept:]
    above = wrapped(small, columns)[:rows] if small else []
    if not notes:
        return "\n".join(above), ()
    lines = wrapped(notes[0], columns)
    room = max(rows - len(above), 1)
    rest = " ".join(lines[room:])
    return "\n".join([*above, *lines[:room]]), (*([rest] if rest else []), *notes[1:])


def wrapped(text: str, columns: int) -> list[str]:
    """``text`` on lines of at most so many columns; an empty line where there is none."""
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
