"""The page of a station that has never had a good configuration: what to do, and what is wrong so far.

Plain text, in three languages where staff read it: which language the station speaks is not known yet.
"""

import textwrap
from collections.abc import Sequence

HEADING = "This station is not set up yet"
STAFF = (
    "Stationen är inte klar: använd en annan station.",
    "Stationen er ikke klar: brug en anden station.",
    "This station is not ready: use another one.",
)
PROBLEMS_LIMIT = 8


def page(file: str, problems: Sequence[str], columns: int) -> str:
    """The text, wrapped to ``columns``. ``file`` is where the configuration belongs."""
    paragraphs = [
        *STAFF,
        "",
        f"{HEADING}.",
        "Enrol it:   station enrol --code CODE --url URL",
        f"or put a whole, valid file at   {file}",
        f"and check it with   station config check {file}",
        "It starts by itself as soon as everything is right.",
        "",
        "What is wrong now:",
        *(f"  {problem}" for problem in problems[:PROBLEMS_LIMIT]),
    ]
    if len(problems) > PROBLEMS_LIMIT:
        paragraphs.append(f"  and {len(problems) - PROBLEMS_LIMIT} more")
    lines: list[str] = []
    for paragraph in paragraphs:
        # Control characters in a file's name must not reach the terminal.
        clean = "".join(letter if letter.isprintable() else "?" for letter in paragraph)
        lines += textwrap.wrap(clean, max(columns - 1, 20), subsequent_indent="    ") or [""]
    return "\n".join(lines)
