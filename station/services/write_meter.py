"""How far the writing to a key has come, for the bar on the screen."""

from collections.abc import Callable

from station.display.screen import Progress

WIRE_BYTES_PER_BYTE = 1.76
"""Measured: an upload of 500 bytes is 816 + 62 bytes on the wire (base64, framing, answers)."""


class WriteMeter:
    """Counts bytes of records, not of the wire: what is there already counts as soon as that is known."""

    def __init__(self, wire_bytes: Callable[[], int]) -> None:
        """``wire_bytes`` counts both directions of the line."""
        self._wire_bytes = wire_bytes
        self._sizes: tuple[int, ...] = ()
        self._done = 0
        self._wire_then = 0

    def begin(self, *sizes: int) -> None:
        """Records of these sizes are to be on the key, in this order."""
        self._sizes, self._done, self._wire_then = sizes, 0, self._wire_bytes()

    def next(self) -> None:
        """The one after the other: this one is there."""
        self._done += 1
        self._wire_then = self._wire_bytes()

    def end(self) -> None:
        """Written, or given up: there is nothing to be told."""
        self._sizes = ()

    def progress(self) -> Progress | None:
        """How far it is now; None while nothing is being written. Never full before the last record is there."""
        if not self._sizes:
            return None
        sent = int((self._wire_bytes() - self._wire_then) / WIRE_BYTES_PER_BYTE)
        under_way = max(0, min(sent, self._sizes[self._done] - 1)) if self._done < len(self._sizes) else 0
        return Progress(sum(self._sizes[: self._done]) + under_way, sum(self._sizes))
