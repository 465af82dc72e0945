"""A page to read: help, or the technician's facts. From the left, its footer at the bottom; long ones in parts."""

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import var
from textual.widget import Widget

from ui.notes import wrapped

TEXT_COLUMNS = 76
"""Longer lines are hard to follow."""
WIDE_COLUMNS = 60
"""From here on there is room for a margin."""
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page in words, all of it translated."""

    title: str
    lines: tuple[str, ...]
    """Each begins a line of its own."""
    call: str = ""
    """Whom to call at this hour; always in sight."""
    back: str = ""
    """The footer."""
    more: str = ""
    """What stands before it where there is more than one part."""
    corner: str = ""
    """Right of the footer."""
    part: int = 0
    """Which part to show: counted round."""
    is_list: bool = False
    """The lines are choices: never set apart by empty ones."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, *self.lines, self.call) if part)


class SheetView(Widget):
    """Shows `sheet`; takes no room without one."""

    DEFAULT_CSS = """
    SheetView { width: 1fr; height: 100%; display: none; color: ansi_bright_white; text-wrap: nowrap; }
    """

    sheet: var[Sheet | None] = var(None, init=False)

    def watch_sheet(self) -> None:
        """Show it, or nothing."""
        self.display = self.sheet is not None
        self.refresh()

    def render(self) -> Content:
        """The part whose turn it is."""
        columns, rows = self.size
        if self.sheet is None or rows < 1:
            return Content("")
        parts = laid_out(self.sheet, columns, rows)
        return Content("\n".join(parts[self.sheet.part % len(parts)]))


def laid_out(sheet: Sheet, columns: int, rows: int) -> list[list[str]]:
    """The parts of ``sheet``, each ``rows`` rows of at most ``columns``. Nothing is cut; what is long goes on."""
    margin = " " * (4 if columns >= WIDE_COLUMNS else 1)
    width = min(columns - 2 * len(margin), TEXT_COLUMNS)
    top = 2 if rows >= 20 else 1 if rows > 15 else 0
    call = wrapped(sheet.call, width, INDENT) if sheet.call else []
    loose = rows >= 20
    below = [*([""] if loose else []), *call, *([""] if loose and call else [])]
    title = wrapped(sheet.title, width - 6, INDENT)
    room = max(rows - top - len(title) - len(below) - 1, 1)
    parts = _parts(sheet, width, room)
    pages = []
    for number, body in enumerate(parts, 1):
        of = f" {number}/{len(parts)}" if len(parts) > 1 else ""
        foot = "   ".join(filter(None, [sheet.more if of else "", sheet.back]))
        gap = max(columns - 2 * len(margin) - len(foot) - len(sheet.corner), 1)
        filled = [*body, *[""] * (room - len(body))]
        page = [*[""] * top, *title[:-1], title[-1] + of, *filled, *below, f"{foot}{' ' * gap}{sheet.corner}"]
        pages.append([f"{margin}{row}".rstrip() for row in page])
    return pages


def _parts(sheet: Sheet, width: int, room: int) -> list[list[str]]:
    """The lines as they fit: set apart if that needs no second part, else close, else in parts."""
    paragraphs = [wrapped(line, width, INDENT) for line in sheet.lines]
    close = [row for paragraph in paragraphs for row in paragraph]
    apart = [row for paragraph in paragraphs for row in ("", *paragraph)]
    listed = ["", *close]
    for shape in (listed if sheet.is_list else apart, listed, close):
        if len(shape) <= room:
            return [shape]
    parts: list[list[str]] = [[]]
    for paragraph in paragraphs:
        if parts[-1] and len(parts[-1]) + len(paragraph) > room:
            parts.append([])
        for row in paragraph:
            if len(parts[-1]) == room:
                parts.append([])
            parts[-1].append(row)
    return parts
