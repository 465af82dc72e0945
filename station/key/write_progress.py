"""How far the writing to a key has come, for the bar on the screen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from station.display.screen import Progress
from station.ports import KeySession

WIRE_BYTES_PER_BYTE = 1.76
"""Measured: an upload of 500 bytes is 816 + 62 bytes on the wire (base64, framing, answers)."""


class WriteProgress:
    """Counts bytes of records, not of the wire: what is there already counts as soon as that is known."""

    def __init__(self) -> None:
        self._key: KeySession | None = None
        self._sizes: Sequence[int] = ()
        self._done = 0
        self._wire_then = 0

    @contextmanager
    def of(self, key: KeySession, sizes: Sequence[int]) -> Iterator[None]:
        """Meanwhile, records of these sizes are to come to be on the key, in this order; `next` after each."""
        self._key, self._sizes, self._done, self._wire_then = key, sizes, 0, key.wire_bytes
        try:
            yield
        finally:
            self._key = None

    def next(self) -> None:
        """One more of the records is on the key."""
        self._done += 1
        self._wire_then = self._key.wire_bytes if self._key is not None else 0

    def now(self) -> Progress | None:
        """How far it is now; None while nothing is being written. Never full before the last record is there."""
        if self._key is None:
            return None
        sent = int((self._key.wire_bytes - self._wire_then) / WIRE_BYTES_PER_BYTE)
        under_way = max(0, min(sent, self._sizes[self._done] - 1)) if self._done < len(self._sizes) else 0
        return Progress(sum(self._sizes[: self._done]) + under_way, sum(self._sizes))
