"""The fault as a QR code, to be scanned while on the telephone. Drawn only where it fits."""

from functools import lru_cache

import segno
from textual.content import Content
from textual.widgets import Static

MODULES = 21
"""Version 1: 25 characters of the alphanumeric set at the lowest error correction. A screen is not smudged."""
QUIET_MIN, QUIET_MAX = 1, 4
"""The standard's quiet zone is 4 modules; telephones read it with one, where there is no room for more."""
TEXT_COLUMNS = 30
"""What must be left for the words beside it."""
_DARK, _LIGHT = "on ansi_black", "on ansi_white"
_MODULE = "  "
"""Two columns are about as wide as a row is high. A background is drawn by every font; half blocks are not."""


def quiet_modules(columns: int, rows: int) -> int | None:
    """How wide the quiet zone may be on a screen of this size; None where there is no room for the code."""
    across = (columns - TEXT_COLUMNS) // len(_MODULE)
    quiet = min(QUIET_MAX, (rows - MODULES) // 2, (across - MODULES) // 2)
    return quiet if quiet >= QUIET_MIN else None


@lru_cache(maxsize=16)
def modules(message: str) -> tuple[tuple[bool, ...], ...]:
    """The code of ``message`` as rows of dark (True) and light modules."""
    code = segno.make(message, micro=False, error="L", boost_error=False, version=1)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


class Qr(Static):
    """The code, light on the terminal's dark; takes no room while there is nothing to show."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._shown: tuple[str, int] | None = None

    def show(self, message: str, quiet: int | None) -> None:
        """Show ``message`` with so wide a quiet zone, or nothing."""
        self.display = bool(message) and quiet is not None
        if not message or quiet is None or self._shown == (message, quiet):
            return
        self._shown = (message, quiet)
        self.update(_drawn(message, quiet))


def _drawn(message: str, quiet: int) -> Content:
    blank = ((False,) * (MODULES + 2 * quiet),) * quiet
    side = (False,) * quiet
    rows = (*blank, *((*side, *row, *side) for row in modules(message)), *blank)
    lines = [[(_MODULE, _DARK if dark else _LIGHT) for dark in row] for row in rows]
    return Content("\n").join(Content.assemble(*line) for line in lines)
