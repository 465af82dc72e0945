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
from station.visit.key_handlers import TROUBLE_SHOWN_FOR_S
from tools.pictures import routine
from tools.pictures.sample_screens import SAMPLES
from ui import support
from ui.languages import LANGUAGES, catalogue
from ui.layout import layout
from ui.palette import BRIGHTER
from ui.words import off_and_on, words

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "screens.md"
CONTRAST_ON = 7.53
"""Of black on the green that the kiosk sets, as WCAG 2 counts it."""
REFUSED_EXAMPLE = "refused-blocked"
"""All refusals look alike."""


def _head() -> str:
    """All but the tables and the screens."""
    return f"""\
# Screens

Generated from the tables in `ui/` by `make pictures`; not to be edited by hand. The pictures are drawn by the kiosk
itself; those in the other languages (Swedish, Danish, Norwegian, Finnish), and of every refusal, are in
`build/pictures` after the same command. The words are those of the [glossary](glossary.md); **Norwegian and Finnish
have not yet been read by a native speaker**.

![One shift, from its start to its end](../pictures/shift-en.svg)

A screen has three zones that keep their places. On top one word for the key's state (`OFF`, `ON`; `ON?` where nobody
knows; three dots while something is done to it), in letters of cells that grow with the screen, and beside it until
when, or whose key it is; in the middle what to do and why; at the bottom which station it is, when its data was
updated,
the support code and the time. ON is one green field; everything else is white on black, for a blue light is what a key
shows when it is ON. A red or a yellow bar is trouble. All of it is to be understood without colours: the word is
drawn in
reverse video. It speaks the holder's language once the key has said whose it is, the station's until then. Where there
is little room the less important sentences follow in turn, eight seconds each.

| size | letters, with their marks | one cell |
|---|---|---|
{_sizes()}

Where the words of a language are too long for a time beside them, it stands below; at 40 × 15 it then stands in the
sentence only.

Black on green is {CONTRAST_ON:.1f} : 1 with the green that the kiosk sets in the terminal's palette (`#{BRIGHTER}`; a
Linux
console's own has 6.7), white on black 21 : 1, the grey of the bottom line 9.0 : 1. The palette is put back at the
end, by
the supervisor too should the kiosk die.

## What else it does

* **Help by problem**: `*` on the empty screen lists what goes wrong, each with a key of the keypad; that key opens its
  page, from any other page too. `#` leads back to the list, and out. What a small screen has no room for is the next
  part, with `*`. Every page has the telephone line of this hour, and one that sends people to somebody the site's
  other numbers. It goes away by itself after {HELP_S:.0f} s without a
  keystroke, and when a key is put in. A site's own texts (central's `site`, `help`) take the place of the program's,
  topic by topic, where they are in the station's language; numbers, other stations, the privacy notice, for how long
  what is logged is kept (the site's `log_days`), how often the log was
  read this year, and for which reasons last year, are added by the station.
* **Standby**: after `display.standby_min` minutes the screen is dark but for the time. Any key or keystroke wakes it. A
  station that can only switch keys off, or has no contact with its reader, stays lit.
* **Before leaving**, a receipt warns of a battery of {BATTERY_LOW_PERCENT} % or less (as the newest entry of a lock on
  the key says), of a permit that ends within {PERMIT_SOON_S // 86400} days, and that the key had lost power. It tells
  what has changed since the permit that the key came with.
* **PIN boxes**: as many as the site's `pin_digits`, from the prompt on; a longer PIN adds boxes, and none of them
  moves.
* **A key left in** after ready is told {REMINDER_S:.0f} s before it is switched off again, and the bell rings.
* **A key pulled too early, or refused,** leaves word of it for at least {TROUBLE_SHOWN_FOR_S:.0f} s, with the telephone
  number; other receipts stay
  for `display.receipt_s`. The next key replaces either.
* **All digits of an entry or none**: what is typed while the contact bounces, before the key has said which it is, or
  while the PIN before is being checked, counts as little as the rest of that entry; the screen says so, and `*` (or
  `#`) begins another. An entry with fewer digits than the site's PINs is no try.
* **From the {TOLD_FROM}th wrong PIN** on the screen says how many are left before the key locks.
* **A key that comes where a ready one was** and breaks off before it has said which it is, is called neither ON
  nor OFF.
* **Just started**, the station says so for up to {STARTING_S:.0f} s, while central has not answered yet.
* **A flickering contact**, lost {FLICKERS} times within {FLICKERS_WITHIN_S:.0f} s, is told how to hold the key.
* **Out of order**: the telephone line of this hour (the site's `support` plan, with the public holidays of Sweden,
  Denmark, Norway or Finland by its time zone; where the plan has a gap, the line that is there on holidays), and the
  nearest stations by their positions, those without one by unit; a station that central has not heard from is marked,
  for it may work all the same. Were all that there is room for silent, the nearest that is not takes the last place.
  Where headline and stations keep their room, the number is there as a QR code that a telephone dials (`TEL:`,
  version 1). The supervisor's own page of a station that does not start is the same.
* **Technician's page**: `{SEQUENCE}` on the empty screen, then the code and `#`; no shell, nothing to change. `*` for
  its next part, any other key to leave; it closes {TECHNICIAN_S:.0f} s after the last keystroke. It says in the
  station's language what the reader, central (its address, and why it refuses), the clock and the data are like, and
  how the last visits ended. The code is kept as an Argon2id hash, `display.technician_code`; without one there is no
  such page. `station config technician-code` makes the hash. A wrong code is said, and costs
  {WRONG_CODE_WAIT_S:.0f} s; one that is not finished is forgotten after {CODE_S:.0f} s.

## How fast

From a key press to what it paints, in a pseudo-terminal while something else moves, on two busy cores
(`python -m tools.measure_paint 200`): median 3 to 5 ms, 99th percentile 36 to 72 ms; a bare Textual app in turn with
it 2 to 3 ms, and 39 to 275 ms.

## The routine's sentences

What staff are trained with, and where they find it again.

"""


_CODES = """\
## Support codes

On the bottom line, to be read out on the telephone: `12 R07`. The first number is the screen; letters add why.
"""


def _sizes() -> str:
    """The measured height of the state's word, by the size of the screen."""
    rows = []
    for columns, lines in ((40, 15), (80, 24), (100, 30), (132, 43), (200, 60)):
        places = {language: layout(columns, lines, *off_and_on(language)) for language in LANGUAGES}
        heights = ", ".join(f"{place.state_rows} ({language})" for language, place in places.items())
        cells = sorted({f"{place.cell.columns} × {place.cell.rows}" for place in places.values()})
        rows.append(f"| {columns} × {lines} | {heights} rows | {' or '.join(cells)} |")
    return "\n".join(rows)


def page() -> str:
    """The whole page as text."""
    parts = [_routine(), _tables(), "## All screens", "", *(_screen(name) for name in SAMPLES)]
    return _head() + "\n".join(parts)


def _routine() -> str:
    """Where each sentence of the routine stands, and how: in English and, from a catalogue, in Swedish."""
    swedish = catalogue("sv")
    rows = [
        f"| {sentence} | [{name}](#{name}) | {message} | {swedish.gettext(message)} |"
        for sentence, name, message in routine.EVERY
    ]
    return "\n".join(["| the routine | screen | en | sv |", "|---|---|---|---|", *rows, "", _CODES])


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
