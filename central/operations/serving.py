"""`central serve`: gunicorn with one process of many threads, one of which is the scheduler."""

import ctypes
import os
import signal
import sys
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers import gthread

from central.feed import long_poll
from central.operations.scheduler import start_scheduler

KEEP_ALIVE_S = 120
"""More than the stations' 90: the server never closes a connection that a request is just being written to."""
LINGER_S = 0.2
GRACE_S = 5
CONNECTIONS = 1000
LINE_LIMIT_BYTES = 8190
"""Of a request's first line: a cursor that is no cursor is answered by the API, in JSON, not by the server."""
PR_SET_PDEATHSIG = 1


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """A worker that ends at once when asked to: long polls are answered, idle connections closed."""

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
