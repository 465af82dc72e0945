"""The bench's end of the emulated line's process: puts keys in, pulls them, asks what went over the wire."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

BITS_PER_BYTE = 10
BAUD = 115200
LOOK_S = 0.02
LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that had passed ``at`` (seconds of CLOCK_MONOTONIC)."""

    at: float
    to_key: bool
    size_bytes: int
    about: str
    """The request that they belong to; empty for the lines of a request before its last."""
    late_s: float
    """How much later than a real line the emulated one handed them on: its process had to wait for its turn."""


class KeyLine:
    """A paced line at ``link`` with a socket at its end. A context manager."""

    def __init__(self, link: Path, baud: int = BAUD) -> None:
        self.baud = baud
        self.link = link
        command = [sys.executable, "-m", "station.bench.emulated_line", str(link), str(baud)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(LIMIT_S)
        self._process.stdout.close()

    def insert(self, folder: Path) -> None:
        """Press a key's button and put it in, in the place of any other."""
        self._order(do="insert", key=str(folder))

    def pull(self) -> None:
        """Take out the key."""
        self._order(do="pull")

    def passed(self) -> list[Piece]:
        """What has gone over the wire since the insertion."""
        return [Piece(*each) for each in self._order(do="passed")]

    def until_quiet(self, quiet_s: float) -> list[Piece]:
        """Wait until nothing has passed for so long; what had passed. Raises TimeoutError."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            passed = self.passed()
            if passed and time.monotonic() - passed[-1].at > quiet_s:
                return passed
            if time.monotonic() > deadline:
                raise TimeoutError("the line does not come to rest")
            time.sleep(LOOK_S)

    def wire_s(self, size_bytes: int) -> float:
        """How long so many bytes take."""
        return size_bytes * BITS_PER_BYTE / self.baud

    def _order(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def echoed_at(passed: Sequence[Piece]) -> float | None:
    """When the last byte of the first echo's answer had passed; None when there was none."""
    return next((piece.at for piece in passed if piece.about == "echo" and not piece.to_key), None)


def between(passed: Sequence[Piece], begin: float, end: float) -> int:
    """Bytes of both directions that had passed after ``begin`` and by ``end``."""
    return sum(piece.size_bytes for piece in passed if begin < piece.at <= end)


def late_s(passed: Sequence[Piece], begin: float, end: float) -> float:
    """How much of the time between ``begin`` and ``end`` was the emulated line's own lateness.

    An answer counts with its last piece: nobody waits for the others.
    """
    late = 0.0
    for piece, following in zip(passed, [*passed[1:], None], strict=True):
        last = following is None or following.to_key
        if not piece.to_key and last and begin < piece.at <= end:
            late += piece.late_s
    return late
