"""Writes ``docs/reference/screens.md`` from the screen's own tables and samples.

``make pictures`` writes it, and draws the pictures on it. A test holds the committed page to what this makes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from station.display.idle import CODE_S, HELP_S, SEQUENCE, TECHNICIAN_S, WRONG_CODE_WAIT_S
from station.display.key_findings import BATTERY_LOW_PERCENT, PERMIT_SOON_S
from station.display.snapshot import FLICKERS, FLICKERS_WITHIN_S, REMINDER_S, TOLD_FROM
from station.sync.readiness import STARTING_S
from station.visit.key_handlers import TOO_EARLY_SHOWN_FOR_S
from tools.pictures.sample_screens import SAMPLES
from ui import support
from ui.languages import LANGUAGES
from ui.words import words

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "screens.md"
REFUSED_EXAMPLE = "refused-blocked"
"""All refusals look alike."""

_HEAD = f"""\
# Screens

Generated from the tables in `ui/` by `make pictures`; not to be edited by hand. The pictures are drawn by the kiosk
itself; those in Swedish and Danish, and of every refusal, are in `build/pictures` after the same command.

![One shift, from its start to its end](../pictures/shift-en.svg)

A screen says in one line what to do now and in smaller ones why, and in what state the key is; the state stands in the
upper left corner as a shape and a word (`■ OFF`, `● ON`, `▲ ON?`), so that no colour is needed to know it. It speaks
the holder's language once the key has said whose it is, the station's until then. Where there is little room the less
important sentences follow in turn, eight seconds each, from 40 × 15 to 132 × 43 characters.

## What else it does

* **Help**: `*` on the empty screen; `*` again for the next page, any other key to leave. It goes away by itself after
  {HELP_S:.0f} s, and when a key is put in.
* **Standby**: after `display.standby_min` minutes the screen is dark but for the time. Any key or keystroke wakes it. A
  station that can only switch keys off, or has no contact with its reader, stays lit.
* **Before leaving**, a receipt warns of a battery of {BATTERY_LOW_PERCENT} % or less (as the newest entry of a lock on
  the key says), of a permit that ends within {PERMIT_SOON_S // 86400} days, and that the key had lost power. It tells
  what has changed since the permit that the key came with.
* **A key left in** after ready is told {REMINDER_S:.0f} s before it is switched off again, and the bell rings.
* **A key pulled too early** leaves word of its state for at least {TOO_EARLY_SHOWN_FOR_S:.0f} s; other receipts stay
  for `display.receipt_s`. The next key replaces either.
* **All digits of an entry or none**: what is typed while the contact bounces, before the key has said which it is, or
  while the PIN before is being checked, counts as little as the rest of that entry; the screen says so, and `*` (or
  `#`) begins another. An entry with fewer digits than the site's PINs is no try.
* **From the {TOLD_FROM}th wrong PIN** on the screen says how many are left before the key locks.
* **A key that comes where a ready one was** and breaks off before it has said which it is, is called neither ON
  nor OFF.
* **Just started**, the station says so for up to {STARTING_S:.0f} s, while central has not answered yet.
* **A flickering contact**, lost {FLICKERS} times within {FLICKERS_WITHIN_S:.0f} s, is told how to hold the key.
* **Out of order**: the telephone line of this hour (the site's `support` plan, with the public holidays of Sweden or
  Denmark by its time zone; where the plan has a gap, the line that is there on holidays), working stations of the same
  unit first, and the fault as a QR code where 80 × 23 characters are there for it, else as large digits.
* **Technician's page**: `{SEQUENCE}` on the empty screen, then the code and `#`; for {TECHNICIAN_S:.0f} s, no shell,
  nothing to change. The code is kept as an Argon2id hash, `display.technician_code`; without one there is no such
  page. A wrong code costs
  {WRONG_CODE_WAIT_S:.0f} s, one that is not finished is forgotten after {CODE_S:.0f} s. Make the hash with

  ```
  .venv/bin/python -c 'import argon2, getpass; print(argon2.PasswordHasher().hash(getpass.getpass("digits: ")))'
  ```

## How fast

From a key press to what it paints, in a pseudo-terminal while the bar of progress runs, on two busy cores
(`python -m tools.measure_paint 200`): median 3 to 5 ms, 99th percentile 36 to 72 ms; a bare Textual app in turn with
it 2 to 3 ms, and 39 to 275 ms.

## Support codes

In the upper right corner, to be read out on the telephone: `12 R07`. The first number is the screen; letters add why.

"""


def page() -> str:
    """The whole page as text."""
    return _HEAD + "\n".join([_tables(), "## All screens", "", *(_screen(name) for name in SAMPLES)])


def _tables() -> str:
    tables: tuple[tuple[str, str, Mapping[Any, int]], ...] = (
        ("", "screen", support.LINES),
        ("R", "refused", support.REFUSALS),
        ("K", "not handed out", support.HAND_OUTS),
        ("H", "the station can only switch off", support.HINDRANCES),
        ("S", "shorter than usual", support.SHORTENED),
    )
    parts = []
    for letter, title, table in tables:
        width = 2 if letter in {"", "R"} else 1
        rows = [f"| {letter}{code:0{width}} | {member.value.replace('_', ' ')} |" for member, code in table.items()]
        parts.append("\n".join([f"| code | {title} |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def pictures_shown() -> set[str]:
    """The file names of the pictures that this page shows."""
    return {"shift-en.svg", *(f"{name}-en.svg" for name in SAMPLES if _has_picture(name))}


def _has_picture(name: str) -> bool:
    return name == REFUSED_EXAMPLE or not name.startswith("refused-")


def _screen(name: str) -> str:
    lines = [f"### {name}", ""]
    if _has_picture(name):
        lines += [f"![{name}](../pictures/{name}-en.svg)", ""]
    for language in LANGUAGES:
        said = str(words(SAMPLES[name], language)).replace("|", "—")
        lines.append(f"* {language}: {said or '(dark)'}")
    return "\n".join([*lines, ""])
