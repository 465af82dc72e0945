"""The emulated key line as a process of its own: ``python -m station.bench.emulated_line LINK``.

Its pacing shares no loop with what is measured, and wakes by microseconds. Obeys lines of JSON on standard input and
answers each with one on standard output; says what went over the wire, and when (seconds of CLOCK_MONOTONIC).
"""

import asyncio
import json
import selectors
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.bench.request_names import name_of

BAUD = 115200


class HeardKey(EmulatedKey):
    """Remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[str] = []

    def handle(self, request: bytes) -> bytes | None:
        """As every key; and remember it."""
        answer = super().handle(request)
        self.asked.append(name_of(request) if answer is not None else "unanswered")
        return answer


class RecordedLine(SerialLine):
    """Keeps when which bytes had passed since the last insertion, and what they were about."""

    def __init__(self, path: Path, baud: int) -> None:
        self.passed: list[tuple[float, bool, int, str, float]] = []
        """When, whether towards the key, how many, the request that they belong to, and how late this process was."""
        super().__init__(path, baud, early_s=0.0)

    def insert(self, key: EmulatedKey) -> None:
        """As every line; what went over it before is forgotten."""
        super().insert(key)
        self.passed.clear()
        if isinstance(key, HeardKey):
            key.asked.clear()

    def _to_key_now(self, key: EmulatedKey, data: bytes, passed_at: float) -> None:
        before = len(key.asked) if isinstance(key, HeardKey) else 0
        super()._to_key_now(key, data, passed_at)
        heard = isinstance(key, HeardKey) and len(key.asked) > before
        self.passed.append((self._loop.time(), True, len(data), key.asked[-1] if heard else "", 0.0))  # type: ignore[attr-defined]

    def _pass_on(self, until: float) -> None:
        for passed_at, line in self._to_key.take(until):
            self.wire_bytes += len(line)
            if self.key is not None:
                self._to_key_now(self.key, line, passed_at)
        for due, line in self._to_station.take(until):
            self._send(line)
            now = self._loop.time()
            key = self.key
            about = key.asked[-1] if isinstance(key, HeardKey) and key.asked else ""
            self.passed.append((now, False, len(line), about, max(0.0, now - due)))


class _Process:
    def __init__(self, line: RecordedLine) -> None:
        self._line = line
        self._keys: dict[str, HeardKey] = {}

    def obey(self, order: Mapping[str, Any]) -> Any:
        match order["do"]:
            case "insert":
                path = str(order["key"])
                key = self._keys.setdefault(path, HeardKey(Path(path)))
                key.press()
                self._line.insert(key)
            case "pull":
                self._line.pull()
            case "passed":
                return self._line.passed
        return None


async def _serve(link: Path, baud: int) -> None:
    line = RecordedLine(link, baud)
    process = _Process(line)
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def readable() -> None:
        order = sys.stdin.buffer.readline()
        if not order:
            loop.remove_reader(0)
            ended.set_result(None)
            return
        answer = process.obey(json.loads(order))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    loop.add_reader(0, readable)
    sys.stdout.write("null\n")
    sys.stdout.flush()
    try:
        await ended
    finally:
        line.close()


def main() -> None:
    """Serve until standard input ends."""
    baud = int(sys.argv[2]) if len(sys.argv) > 2 else BAUD
    # select(2) takes microseconds where asyncio's use of epoll has whole milliseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        loop.run_until_complete(_serve(Path(sys.argv[1]), baud))
    finally:
        loop.close()


if __name__ == "__main__":
    main()
