"""Whom to call, as a QR code that a telephone dials. Drawn only where what is said beside it keeps its room."""

from functools import lru_cache

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

MODULES = 21
"""Version 1, at the lowest error correction. A screen is not smudged."""
QUIET_MIN, QUIET_MAX = 1, 4
"""The standard's quiet zone is 4 modules; telephones read it with one, where there is no room for more."""
MESSAGE_LIMIT = 25
"""Characters of the alphanumeric set in version 1; a longer number is not drawn."""
TEXT_COLUMNS = 50
"""What must be left for the words beside it."""
_MODULE = "  "
"""Two columns are about as wide as a row is high. A background is drawn by every font; half blocks are not."""
_DARK, _LIGHT = "on ansi_black", "on ansi_white"


class TelephoneCode(Widget):
    """`message` as a QR code with `quiet` light modules around it; nothing while that is None."""

    message: reactive[str] = reactive("", layout=True)
    quiet: reactive[int | None] = reactive(None, layout=True)

    def watch_quiet(self) -> None:
        """Take no room without a code."""
        self.display = self.quiet is not None

    def render(self) -> Content:
        """The code, light on the terminal's dark."""
        if self.quiet is None or not self.message:
            return Content("")
        blank = ((False,) * (MODULES + 2 * self.quiet),) * self.quiet
        side = (False,) * self.quiet
        matrix = (*blank, *((*side, *row, *side) for row in modules(self.message)), *blank)
        rows = [Content.assemble(*((_MODULE, _DARK if dark else _LIGHT) for dark in row)) for row in matrix]
        return Content("\n").join(rows)


def quiet_modules(message: str, columns: int, rows: int) -> int | None:
    """How wide the quiet zone may be on a screen of this size; None where there is no room for the code, or none."""
    if not 0 < len(message) <= MESSAGE_LIMIT:
        return None
    across = (columns - TEXT_COLUMNS) // len(_MODULE)
    quiet = min(QUIET_MAX, (rows - MODULES) // 2, (across - MODULES) // 2)
    return quiet if quiet >= QUIET_MIN else None


def columns_across(quiet: int) -> int:
    """How wide the code is."""
    return len(_MODULE) * (MODULES + 2 * quiet)


@lru_cache(maxsize=16)
def modules(message: str) -> tuple[tuple[bool, ...], ...]:
    """The code of ``message`` as rows of dark (True) and light modules."""
    import segno  # noqa: PLC0415, most stations never show a code

    code = segno.make(message, micro=False, error="L", boost_error=False, version=1)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)
