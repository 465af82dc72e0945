"""Texts from outside (of central, keys, files) for a terminal or a log: nothing in them moves a cursor.

Standard library only, and little of it: every command imports this.
"""

import logging


def one_line(text: object) -> str:
    """The text with everything escaped that is not printable: also a line end, C1 controls, marks that turn text."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(text))


def lines(text: str) -> str:
    """As `one_line`, for each line of a text that has several on purpose."""
    return "\n".join(one_line(line) for line in text.split("\n"))


class PlainFormatter(logging.Formatter):
    """One record is one line; a traceback follows on lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        """The message's line."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """The traceback's lines."""
        return lines(super().formatException(ei))  # type: ignore[arg-type]
