"""An emulated key line of 115200 baud in a process of its own, so that its pacing shares no loop with what is measured.

`KeyLine` is the bench's end. The process (``python -m tools.bench.line LINK``) obeys lines of JSON on standard input
and answers each with one on standard output.
"""

import asyncio
import json
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine

BAUD = 115200
BITS_PER_BYTE = 10
LOOK_S = 0.02
LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that had passed ``at`` (seconds of CLOCK_MONOTONIC)."""

    at: float
    to_key: bool
    size_bytes: int


class KeyLine:
    """A paced line at ``link`` with a socket at its end. A context manager."""

    def __init__(self, link: Path) -> None:
        self.link = link
        command = [sys.executable, "-m", "tools.bench.line", str(link)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # closes its pipes, which ends it, and waits
            pass

    def insert(self, folder: Path) -> None:
        """Press a key's button and put it in, in the place of any other."""
        self._order("insert", str(folder))

    def pull(self) -> None:
        """Take out the key."""
        self._order("pull")

    def passed(self) -> list[Piece]:
        """What has gone over the wire since the insertion."""
        return [Piece(*each) for each in self._order("passed")]

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

    def _order(self, *words: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def answered_at(passed: Sequence[Piece]) -> float:
    """When the last byte of the key's first answer had passed. Raises ValueError when there was none."""
    at = None
    for piece in passed:
        if not piece.to_key:
            at = piece.at
        elif at is not None:
            break
    if at is None:
        raise ValueError("no answer")
    return at


def bytes_between(passed: Sequence[Piece], begin: float, end: float) -> int:
    """Bytes of both directions that had passed after ``begin`` and by ``end``."""
    return sum(piece.size_bytes for piece in passed if begin < piece.at <= end)


def wire_s(size_bytes: int) -> float:
    """How long so many bytes take."""
    return size_bytes * BITS_PER_BYTE / BAUD


class _CountedLine(SerialLine):
    """Keeps when how many bytes had passed since the last insertion, and in which direction."""

    def __init__(self, path: Path) -> None:
        self.passed: list[tuple[float, bool, int]] = []
        super().__init__(path, BAUD, early_s=0.0)

    def insert(self, key: EmulatedKey) -> None:
        super().insert(key)
        self.passed.clear()

    def _to_key_now(self, key: EmulatedKey, data: bytes, passed_at: float) -> None:
        self.passed.append((time.monotonic(), True, len(data)))
        super()._to_key_now(key, data, passed_at)

    def _send(self, data: bytes) -> None:
        super()._send(data)
        if data:
            self.passed.append((time.monotonic(), False, len(data)))


class _Orders:
    def __init__(self, line: _CountedLine) -> None:
        self._line = line
        self._keys: dict[str, EmulatedKey] = {}
        self.ended = asyncio.get_running_loop().create_future()

    def readable(self) -> None:
        order = sys.stdin.buffer.readline()
        if not order:
            asyncio.get_running_loop().remove_reader(0)
            self.ended.set_result(None)
            return
        self.answer(self._obey(*json.loads(order)))

    @staticmethod
    def answer(answer: Any) -> None:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    def _obey(self, what: str, folder: str = "") -> Any:
        match what:
            case "insert":
                key = self._keys.setdefault(folder, EmulatedKey(Path(folder)))
                key.press()
                self._line.insert(key)
            case "pull":
                self._line.pull()
            case "passed":
                return self._line.passed
        return None


async def _serve(link: Path) -> None:
    line = _CountedLine(link)
    orders = _Orders(line)
    asyncio.get_running_loop().add_reader(0, orders.readable)
    orders.answer(None)
    try:
        await orders.ended
    finally:
        line.close()


def main() -> None:
    """Serve until standard input ends."""
    # select(2) takes microseconds where asyncio's use of epoll has whole milliseconds.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(_serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
