"""The fault as a QR code, to be scanned while on the telephone. Drawn only where it fits."""

from functools import lru_cache

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

MODULES = 21
"""Version 1: 25 characters of the alphanumeric set at the lowest error correction. A screen is not smudged."""
QUIET_MIN, QUIET_MAX = 1, 4
"""The standard's quiet zone is 4 modules; telephones read it with one, where there is no room for more."""
TEXT_COLUMNS = 30
"""What must be left for the words beside it."""
_MODULE = "  "
"""Two columns are about as wide as a row is high. A background is drawn by every font; half blocks are not."""
_DARK, _LIGHT = "on ansi_black", "on ansi_white"


class FaultCode(Widget):
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


def quiet_modules(columns: int, rows: int) -> int | None:
    """How wide the quiet zone may be on a screen of this size; None where there is no room for the code."""
    across = (columns - TEXT_COLUMNS) // len(_MODULE)
    quiet = min(QUIET_MAX, (rows - MODULES) // 2, (across - MODULES) // 2)
    return quiet if quiet >= QUIET_MIN else None


@lru_cache(maxsize=16)
def modules(message: str) -> tuple[tuple[bool, ...], ...]:
    """The code of ``message`` as rows of dark (True) and light modules."""
    import segno  # noqa: PLC0415, most stations never show a code

    code = segno.make(message, micro=False, error="L", boost_error=False, version=1)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)
