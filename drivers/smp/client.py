"""One request, one answer, on a port: matches them by sequence number and notices silence."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.smp.framing import FrameReader, encode_frame
from drivers.smp.messages import Answer, Request, begins_answer, echo
from drivers.smp.port import SerialPort
from station.ports import KeyLost

_STALLED_S: Final = 0.05
"""A timer that fires this late says that this process was held up, not that the key was silent."""
_MAX_ANSWER_S: Final = 3.0
"""No answer takes longer, however slowly it trickles in."""
_BITS_PER_BYTE: Final = 10


@dataclass(slots=True, eq=False)
class _Numbered:
    """A request with its number, ready to be sent."""

    request: Request
    sequence: int
    lines: bytes
    early: bool = False
    """It was sent while the answer to the one before it was still coming."""
    answer: Answer | None = None
    """It came before anybody waited for it."""


class SmpClient:
    """The client of one opened port. Only one request may be waited for at a time."""

    def __init__(self, baud: int) -> None:
        self._baud = baud
        self._loop = asyncio.get_running_loop()
        self._port: SerialPort | None = None
        self._frames = FrameReader()
        self._asked = _numbered(echo(), os.urandom(1)[0])
        """The last one that was asked; before any was, what the numbers are counted on from."""
        self._ahead: _Numbered | None = None
        """One that may be the next."""
        self._early_mark: bytes | None = None
        self._after_stray = False
        """The one before the last was sent early, and for nothing: its answer may still be coming."""
        self._waiting: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._deadline = self._sent_at = self._timeout_s = 0.0

    @classmethod
    async def open(cls, port: str, baud: int) -> "SmpClient":
        """A client on a freshly opened port. Raises ReaderLost."""
        client = cls(baud)
        client._port = await SerialPort.open(port, baud, client._bytes_arrived, client._port_lost)
        return client

    @property
    def is_open(self) -> bool:
        """Whether the port is still there."""
        return self._port is not None and self._port.is_open

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions on this port."""
        return self._port.wire_bytes if self._port is not None else 0

    @property
    def heard_at(self) -> float:
        """Loop time of the last byte that arrived."""
        return self._port.heard_at if self._port is not None else 0.0

    @property
    def overlapped(self) -> bool:
        """Whether the last request, or the one before or after it, was sent while an answer was still coming."""
        return self._after_stray or self._asked.early or (self._ahead is not None and self._ahead.early)

    async def ask(
        self,
        request: Request,
        timeout_s: float,
        *,
        fresh_line: bool = False,
        ahead: Callable[[], Request | None] | None = None,
        early_mark: bytes | None = None,
    ) -> Answer:
        """Send a request and wait for its own answer; late ones to others are dropped.

        ``timeout_s`` is how long the key may be silent after the last byte of the request, or of the answer so far.
        ``fresh_line`` sends a newline first: it ends the half line that an earlier pull may have left in the key.
        ``ahead`` makes the request that will probably be the next. It is made while this one is under way, when the
        time costs nobody anything; whoever then asks it (the very same one) has it sent at once.
        ``early_mark``: it is even sent while the answer is still coming, as soon as that has these bytes in it. For
        requests that change nothing, to keys that have a buffer for them.
        Raises KeyLost: ``no_answer``, ``damaged_answer`` or ``port_lost``.
        """
        if self._waiting is not None:
            raise RuntimeError("one request at a time")
        port = self._port
        if port is None or not port.is_open:
            raise KeyLost("port_lost")
        asked, self._ahead = self._ahead, None
        self._after_stray = False
        if asked is None or asked.request is not request:
            self._after_stray = asked is not None and asked.early
            # A fresh number for every request, also for a repeated one: a late answer must never pass as a new one.
            asked = _numbered(request, (asked or self._asked).sequence + 1)
        self._asked = asked
        now = self._loop.time()
        if asked.answer is not None:
            return asked.answer
        if not asked.early:
            lines = b"\n" + asked.lines if fresh_line else asked.lines
            # Before anything else that is to be done: from here on the time is the wire's.
            port.write(lines)
            now += len(lines) * _BITS_PER_BYTE / self._baud
        if not port.is_open:
            raise KeyLost("port_lost")
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting, self._early_mark = waiting, early_mark
        self._timeout_s = timeout_s
        self._sent_at = now
        self._deadline = now + _MAX_ANSWER_S
        self._arm(now + timeout_s)
        try:
            if ahead is not None and (following := ahead()) is not None:
                self._ahead = _numbered(following, asked.sequence + 1)
            return await waiting
        finally:
            self._waiting = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def close(self) -> None:
        """Let go of the port; a request under way fails with KeyLost."""
        if self._port is not None:
            self._port.close()
        self._fail("port_lost")

    def _bytes_arrived(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            waits = self._waiting is not None and not self._waiting.done()
            asked = self._asked if waits else self._ahead
            if asked is None or not (waits or asked.early):
                continue
            answer = Answer.from_bytes(message) if message is not None else None
            if answer is None:
                self._fail("damaged_answer")
            elif not answer.answers(asked.request, asked.sequence):
                continue
            elif self._waiting is not None and waits:
                self._waiting.set_result(answer)
            else:
                asked.answer = answer
        if self._early_mark is not None:
            self._send_early(self._early_mark)

    def _send_early(self, mark: bytes) -> None:
        ahead, waiting, port = self._ahead, self._waiting, self._port
        if ahead is None or ahead.early or waiting is None or waiting.done() or port is None:
            return
        coming = self._frames.coming
        if mark in coming and begins_answer(coming, self._asked.request, self._asked.sequence):
            ahead.early = True
            port.write(ahead.lines)

    def _port_lost(self) -> None:
        self._fail("port_lost")

    def _fail(self, code: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(KeyLost(code))

    def _arm(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_at(due, self._quiet_too_long)

    def _quiet_too_long(self) -> None:
        now = self._loop.time()
        quiet_since = max(self._sent_at, self.heard_at)
        if now - self._due > _STALLED_S:
            self._arm(now + self._timeout_s)
        elif quiet_since + self._timeout_s > now and now < self._deadline:
            self._arm(min(quiet_since + self._timeout_s, self._deadline))
        else:
            self._fail("no_answer")


def _numbered(request: Request, number: int) -> _Numbered:
    sequence = number & 0xFF
    return _Numbered(request, sequence, encode_frame(request.to_bytes(sequence)))
