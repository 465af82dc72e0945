"""One request, one answer, on an open port: matches them by sequence number and notices silence."""

import asyncio
import os
from typing import Final

from drivers.smp.framing import FrameReader, encode_frame
from drivers.smp.messages import Answer, Request
from drivers.smp.port import SerialPort
from station.ports import KeyLost

_STALLED_S: Final = 0.05
"""A timer that fires this late says that this process was held up, not that the key was silent."""
_MAX_ANSWER_S: Final = 3.0
"""No answer takes longer, however slowly it trickles in."""
_BITS_PER_BYTE: Final = 10


class SmpClient:
    """The client of one opened port. Whoever asks holds `turn` meanwhile, for as many requests as belong together."""

    def __init__(self, baud: int) -> None:
        self.turn = asyncio.Lock()
        self._baud = baud
        self._loop = asyncio.get_running_loop()
        self._port: SerialPort | None = None
        self._frames = FrameReader()
        self._request: Request | None = None
        self._sequence = os.urandom(1)[0]
        self._waiting: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._deadline = self._sent_at = self._timeout_s = 0.0

    @classmethod
    async def open(cls, port: str, baud: int) -> "SmpClient":
        """A client on a freshly opened port. Raises ReaderLost (see `SerialPort.open`)."""
        client = cls(baud)
        client._port = await SerialPort.open(port, baud, client._bytes_arrived, client._port_lost)
        return client

    @property
    def is_open(self) -> bool:
        """Whether the port is still there."""
        return self._port is not None and self._port.is_open

    @property
    def flows(self) -> bool:
        """Whether the port takes what is sent."""
        return self._port is not None and self._port.flows

    @property
    def is_stuck(self) -> bool:
        """Whether the port was lost because it took nothing."""
        return self._port is not None and self._port.is_stuck

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions on this port."""
        return self._port.wire_bytes if self._port is not None else 0

    @property
    def heard_at(self) -> float:
        """Loop time of the last byte that arrived."""
        return self._port.heard_at if self._port is not None else 0.0

    async def ask(self, request: Request, timeout_s: float, *, fresh_line: bool = False) -> Answer:
        """Send a request and wait for its own answer; late ones to others are dropped.

        ``timeout_s`` is how long the key may be silent after the last byte of the request, or of the answer so far.
        ``fresh_line`` sends a newline first: it ends the half line that an earlier pull may have left in the key.
        Raises KeyLost: ``no_answer``, ``damaged_answer`` or ``port_lost``.
        """
        if self._waiting is not None:
            raise RuntimeError("one request at a time")
        port = self._port
        if port is None or not port.is_open:
            raise KeyLost("port_lost")
        # A fresh number for every request, also for a repeated one: a late answer must never pass as a new one.
        self._sequence = (self._sequence + 1) & 0xFF
        self._request = request
        lines = encode_frame(request.to_bytes(self._sequence))
        if fresh_line:
            lines = b"\n" + lines
        port.write(lines)
        if not port.is_open:
            raise KeyLost("port_lost")
        self._sent_at = self._loop.time() + len(lines) * _BITS_PER_BYTE / self._baud
        self._timeout_s = timeout_s
        self._deadline = self._sent_at + _MAX_ANSWER_S
        self._waiting = self._loop.create_future()
        self._arm(self._sent_at + timeout_s)
        try:
            return await self._waiting
        finally:
            self._waiting = None
            # Whoever has given up goes by what the key did not answer: later, or another key, must not get it.
            port.drop_unsent()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def give_up(self, code: str) -> None:
        """Have whoever waits for an answer get KeyLost(``code``)."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(KeyLost(code))

    def close(self) -> None:
        """Let go of the port; a request under way fails with KeyLost."""
        if self._port is not None:
            self._port.close()
        self.give_up("port_lost")

    def _bytes_arrived(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            waiting = self._waiting
            if waiting is None or waiting.done() or self._request is None:
                continue
            answer = Answer.from_bytes(message) if message is not None else None
            if answer is None:
                self.give_up("damaged_answer")
            elif answer.answers(self._request, self._sequence):
                waiting.set_result(answer)

    def _port_lost(self) -> None:
        self.give_up("port_lost")

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
            self.give_up("no_answer")
