"""The console's green, made a little brighter: black letters on its own have 6.75 : 1, on this one 7.5 : 1.

It is set while the kiosk runs and put back at its end; the supervisor puts it back as well, should the kiosk die.
"""

import os

GREEN = 2
"""The entry of the palette."""
BRIGHTER = "00b400"
_END = "\x1b\\"
"""A Linux console needs no end, and ignores this one; others would wait for it with all that is drawn."""


def is_console() -> bool:
    """Whether the terminal is a Linux console, which has commands of its own for its palette."""
    return os.environ.get("TERM") == "linux"


def brighter_green() -> str:
    """What sets the green."""
    if is_console():
        return f"\x1b]P{GREEN:x}{BRIGHTER}{_END}"
    red, green, blue = BRIGHTER[:2], BRIGHTER[2:4], BRIGHTER[4:]
    return f"\x1b]4;{GREEN};rgb:{red}/{green}/{blue}{_END}"


def own_green() -> str:
    """What puts it back to the terminal's own."""
    return f"\x1b]R{_END}" if is_console() else f"\x1b]104;{GREEN}{_END}"
