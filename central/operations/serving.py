"""`central serve`: gunicorn with one process of many threads, one of which is the scheduler."""

import ctypes
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections import OrderedDict
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers import gthread

from central.feed import long_poll
from central.operations.incoming import HeadTooLong, Incoming
from central.operations.scheduler import start_scheduler

KEEP_ALIVE_S = 120
"""More than the stations' 90: the server never closes a connection that a request is just being written to."""
LINGER_S = 0.2
GRACE_S = 5
CONNECTIONS = 1000
FILES = 4096
"""More than all connections, and what each thread has open of the database, together."""
LINE_LIMIT_BYTES = 8190
"""Of a request's first line: a cursor that is no cursor is answered by the API, in JSON, not by the server."""
REQUEST_S = 10.0
"""For a whole request, from its first byte (or a connection's beginning) to its last."""
REST_S = 2.0
"""For what is left of a body that is too long: so that its sender hears why."""
ANSWER_S = 30.0
"""For each piece of an answer to go out."""
READ_BYTES = 64 * 1024
HELD_LIMIT_BYTES = 64 * 1024 * 1024
"""Of all requests together that are not whole."""
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
PR_SET_PDEATHSIG = 1


class WholeUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads what has come in already, and of a body that is too long anyway a little more, until a deadline."""

    def __init__(self, sock: socket.socket, data: bytes) -> None:
        super().__init__(sock)
        self._deadline = time.monotonic() + REST_S
        self.unread(data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Gunicorn's protocol. Raises TimeoutError."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.sock.settimeout(left_s)
        try:
            return bytes(super().chunk(size_hint))
        finally:
            self.sock.settimeout(ANSWER_S)


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """A worker whose threads only get whole requests: who sends slowly, or half of one, keeps nobody else waiting.

    It ends at once when asked to: long polls are answered, idle connections closed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gathering: OrderedDict[Any, tuple[Incoming, float]] = OrderedDict()
        """Connections with a request that is not whole, and until when it has to be: the first one is the next."""
        self._held_bytes = 0

    def enqueue_req(self, conn: Any) -> None:
        """A connection may have a request: it is read here, and given to a thread when it is whole."""
        incoming = Incoming()
        if conn.parser is not None:
            incoming.add(conn.parser.unreader.take_buffered())
        if incoming.data and self._is_whole(conn, incoming):
            return
        conn.sock.setblocking(False)  # noqa: FBT003  (Python's own)
        self._held_bytes += len(incoming.data)
        self._gathering[conn] = incoming, time.monotonic() + REQUEST_S
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_more, conn))
        # Mostly it is there already.
        self._read_more(conn, conn.sock)

    def _read_more(self, conn: Any, sock: socket.socket) -> None:
        incoming, _ = self._gathering[conn]
        try:
            data = sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._held_bytes += len(data)
        incoming.add(data)
        if not data or self._held_bytes > HELD_LIMIT_BYTES:
            self._end(conn)
        else:
            self._is_whole(conn, incoming)

    def _is_whole(self, conn: Any, incoming: Incoming) -> bool:
        """Gives a whole request to a thread."""
        try:
            if not incoming.is_whole():
                return False
        except HeadTooLong:
            self._end(conn)
            return True
        self._forget(conn)
        conn.whole = bytes(incoming.data)
        conn.data_ready = True
        super().enqueue_req(conn)
        return True

    def _forget(self, conn: Any) -> None:
        found = self._gathering.pop(conn, None)
        if found is not None:
            self._held_bytes -= len(found[0].data)
            self.poller.unregister(conn.sock)

    def _end(self, conn: Any) -> None:
        """Close a connection whose request does not come."""
        began = conn in self._gathering and bool(self._gathering[conn][0].data)
        self._forget(conn)
        self.nr_conns -= 1
        if began:
            with suppress(OSError):
                conn.sock.send(TOO_SLOW)
        conn.close()

    def murder_pending(self) -> None:
        """Each round: requests that are overdue end; when there is no room for new connections, the oldest of them."""
        super().murder_pending()
        now = time.monotonic()
        while self._gathering:
            conn, (_, until) = next(iter(self._gathering.items()))
            if self.alive and until > now and self.nr_conns < self.worker_connections:
                break
            self._end(conn)

    def handle(self, conn: Any) -> Any:
        """In a thread."""
        conn.sock.setblocking(True)  # noqa: FBT003
        conn.init()
        conn.parser.unreader = WholeUnreader(conn.sock, conn.whole)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Whoever does not read the answer is not waited for either."""
        conn.sock.settimeout(ANSWER_S)
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM."""
        long_poll.stop()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT, SIGQUIT."""
        long_poll.stop()
        super().handle_quit(sig, frame)


class ArbiterThatEnds(Arbiter):  # type: ignore[misc]
    """A server whose terminal is closed ends. Gunicorn's own would reload, and hold its port for ever."""

    def handle_hup(self) -> None:
        """SIGHUP."""
        self.handle_term()


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured here instead of by files."""

    def __init__(self, application: Any, settings: dict[str, Any]) -> None:
        self._application, self._settings = application, settings
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's protocol."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        return self._application

    def run(self) -> None:
        """Serve until told to end."""
        ArbiterThatEnds(self).run()


def serve(application: Any, host: str, port: int, threads: int) -> None:
    """Serve a WSGI application until SIGTERM, SIGINT or SIGHUP. Says on standard output where, once it listens."""
    _allow_files()
    # Stations keep a connection for a minute and a half: an ending server would wait for each of them.
    gthread.STOP_KEEPALIVE_LINGER = LINGER_S
    Server(
        application,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,
            "worker_class": Worker,
            "threads": threads,
            "worker_connections": CONNECTIONS,
            "keepalive": KEEP_ALIVE_S,
            "graceful_timeout": GRACE_S,
            "timeout": 60,
            "limit_request_line": LINE_LIMIT_BYTES,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_fork": _die_with_parent,
            "post_worker_init": _started,
            "worker_exit": lambda _arbiter, _worker: long_poll.stop(),
        },
    ).run()


def _allow_files() -> None:
    # A connection that gets no descriptor any more would end the worker.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard)
        )


def _die_with_parent(_arbiter: Any, _worker: Any) -> None:
    # A killed server must not live on in its worker and hold the port.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)


def _started(worker: Any) -> None:
    start_scheduler()
    address = worker.sockets[0].sock.getsockname()
    if worker.age == 1:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        print(f"central is serving on http://{host}:{address[1]}", flush=True)  # noqa: T201  (who starts it waits for it)
