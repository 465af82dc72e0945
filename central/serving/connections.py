"""Connections: uvicorn's HTTP/1.1 over h11, with what it lacks: deadlines for requests, and room for the next one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from central.doors.faults import RETRY_AFTER_S

REQUEST_S = 10.0
"""For a whole request, from its first byte (or a connection's beginning) to its last."""
HEAD_LIMIT_BYTES = 16 * 1024
"""Far more than a browser or station sends before a body."""
AHEAD_LIMIT_BYTES = 64 * 1024
"""Of requests that are sent before the one before them is answered."""
CONNECTIONS = 4096
"""Of a process, with polls that wait. 6,000 stations in two processes leave some over."""
REFUSED_CONNECTIONS = 200
"""So many more are told that there is no room; further ones are closed without a word."""
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_NO_ROOM = json.dumps({"error": "unavailable", "detail": "the server has no room: try again"}).encode()


class Room:
    """How many connections there may be, and which of them have no whole request yet."""

    def __init__(self) -> None:
        self.connections = CONNECTIONS
        self.gathering: dict[Connection, None] = {}
        """In the order in which their requests began: the first is the next that is overdue."""


room = Room()
"""Of this process."""


class Connection(H11Protocol):
    """One connection. The state of its requests' scopes names it (``connection``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {"connection": self}
        self.when_lost: list[Callable[[], object]] = []
        """What to call when nobody is there any more to hear an answer."""
        self._overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asyncio's protocol."""
        super().connection_made(transport)
        if len(self.connections) > room.connections:
            oldest = next(iter(room.gathering), None)
            if oldest is not None:
                oldest.end_unfinished()
            elif len(self.connections) > room.connections + REFUSED_CONNECTIONS:
                transport.abort()
                return
            else:
                self.app = _refuse
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Asyncio's protocol."""
        super().data_received(data)
        self._follow_request()

    def on_response_complete(self) -> None:
        """uvicorn's: the next request may have begun."""
        super().on_response_complete()
        self._follow_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's protocol."""
        self._await_nothing()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        for call in self.when_lost:
            call()

    def timeout_keep_alive_handler(self) -> None:
        """Uvicorn's. Who has not even read the last answer is not waited for to do so."""
        if self.transport.get_write_buffer_size():
            self.abort()
        else:
            super().timeout_keep_alive_handler()

    def abort(self) -> None:
        """Close it at once, in the middle of an answer: the other side sees that something is missing."""
        self.transport.abort()

    def end_unfinished(self) -> None:
        """Close it: its request does not come."""
        self._await_nothing()
        if self.transport.is_closing():
            return
        if self._has_begun() and not self._is_being_answered():
            self.transport.write(TOO_SLOW)
        self.transport.close()

    def _follow_request(self) -> None:
        """Have a request that has begun be whole in time."""
        if self.transport.is_closing():
            self._await_nothing()
        elif self._has_begun():
            self._await_request()
        else:
            self._await_nothing()
            if len(self.conn.trailing_data[0]) > AHEAD_LIMIT_BYTES:
                self.abort()

    def _has_begun(self) -> bool:
        """Whether there is a part of a request that is not whole."""
        return self.conn.their_state is h11.SEND_BODY or (
            self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        )

    def _is_being_answered(self) -> bool:
        return self.conn.our_state is h11.SEND_BODY

    def _await_request(self) -> None:
        if self._overdue is None:
            self._overdue = self.loop.call_later(REQUEST_S, self.end_unfinished)
            room.gathering[self] = None

    def _await_nothing(self) -> None:
        room.gathering.pop(self, None)
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


async def _refuse(_scope: Any, _receive: Any, send: Any) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_NO_ROOM)).encode()),
        (b"retry-after", str(RETRY_AFTER_S).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _NO_ROOM})
