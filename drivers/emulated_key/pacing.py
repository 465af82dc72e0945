"""One direction of a serial line as arithmetic: which bytes have passed by when."""

from collections import deque
from typing import Final

BITS_PER_BYTE: Final = 10
MAX_QUEUED_BYTES: Final = 65536
"""What a sender may be ahead of the line; what is beyond is lost, as in any full buffer."""


class PacedBytes:
    """Bytes that pass at the speed of the line.

    Times are worked out from the end of the byte before, never from when somebody looked: looking late delays nothing
    that comes after.
    """

    def __init__(self, baud: int) -> None:
        self._byte_s = BITS_PER_BYTE / baud
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._queued_bytes = 0
        self._free_at = 0.0

    def put(self, data: bytes, at: float) -> None:
        """``data`` is ready to be sent at ``at``; it starts when the line is free."""
        data = data[: MAX_QUEUED_BYTES - self._queued_bytes]
        start = 0
        self._free_at = max(self._free_at, at)
        # Line by line: whoever listens acts at a newline.
        while start < len(data):
            end = data.find(b"\n", start) + 1 or len(data)
            self._pieces.append((self._free_at, data[start:end]))
            self._free_at += (end - start) * self._byte_s
            start = end
        self._queued_bytes += len(data)

    @property
    def free_at(self) -> float:
        """When all that was put in has passed."""
        return self._free_at

    def due(self) -> float | None:
        """When the next line (or what there is of one) will have passed."""
        if not self._pieces:
            return None
        started_at, piece = self._pieces[0]
        return started_at + len(piece) * self._byte_s

    def take(self, now: float) -> list[tuple[float, bytes]]:
        """The lines that have passed by ``now``, each with the time of its last bit."""
        passed = []
        while (due := self.due()) is not None and due <= now:
            piece = self._pieces.popleft()[1]
            self._queued_bytes -= len(piece)
            passed.append((due, piece))
        return passed

    def cut(self, now: float) -> bytes:
        """The line is cut: the bytes of the next line that had passed; everything else is gone. Take first."""
        passed = b""
        if self._pieces:
            started_at, piece = self._pieces[0]
            passed = piece[: max(0, int((now - started_at) / self._byte_s + 1e-6))]
        self._pieces.clear()
        self._queued_bytes = 0
        self._free_at = now
        return passed
