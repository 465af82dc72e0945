"""The characters that a Linux console can show, and how text from elsewhere (names) is brought down to them."""

import unicodedata

BOX = "─━│┃┌┍┎┏┐┑┒┓└┕┖┗┘┙┚┛├┣┤┫┬┳┴┻┼╋═║╔╗╚╝╭╮╯╰╴╵╶╷╸╹╺╻"
"""The line-drawing characters in use here, those of Textual's `Digits` among them."""

LATIN_1 = "".join(chr(code) for code in [*range(0x20, 0x7F), *range(0xA0, 0x100)])
OTHERS = "ĐĞğİıŒœŞşŠšŸŽž€™–—‘’‚“”„•…←↑→↓■▲▶▼◀●█░▒"
LAT15 = frozenset(LATIN_1 + OTHERS + BOX)
"""Shown by every Lat15 font of Debian's console-setup. Not among them: ``▀▄▌▐``, eighth blocks, ``✓``, ``○``."""

_LETTERS = str.maketrans({"Ł": "L", "ł": "l", "đ": "d", "ħ": "h", "Ħ": "H", "ŋ": "n", "ẞ": "SS"})
NAME_LIMIT = 40
"""Longer names are cut: they would push the rest of a small screen out of sight."""

FIRST_NAME_LIMIT = 14


def printable(text: str, limit: int = NAME_LIMIT) -> str:
    """``text`` in one line of at most ``limit`` glyphs that every console has.

    Letters lose the marks that the font lacks (``ń`` becomes ``n``); what has no likeness becomes ``?``. Control
    characters go: a name must not move the cursor.
    """
    shown: list[str] = []
    for character in unicodedata.normalize("NFC", text).translate(_LETTERS):
        if character in LAT15:
            shown.append(character)
        elif character.isspace():
            shown.append(" ")
        elif unicodedata.category(character)[0] not in {"C", "M"}:
            plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c in LAT15)
            shown.append(plain or "?")
    line = " ".join("".join(shown).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def short_name(name: str) -> str:
    """``Tilda P.``: enough for its owner to know it, for a wall that everybody passes."""
    first, *others = printable(name).split() or [""]
    first = printable(first, FIRST_NAME_LIMIT)
    return f"{first} {others[-1][0]}." if others else first
