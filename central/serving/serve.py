"""`central serve`: workers that share one port, each with an event loop and a few threads; one has the scheduler."""

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from uvicorn import Config, Server

from central.errors import CentralError
from central.operations.scheduler import start_scheduler
from central.operations.sizes import Sizes
from central.serving.calling import Application
from central.serving.connections import CONNECTIONS, HEAD_LIMIT_BYTES, REFUSED_CONNECTIONS, Connection, room
from central.serving.listening import listen
from central.serving.requests import Requests
from central.serving.threads import Threads
from central.serving.waiting import WaitingPolls
from central.serving.workers import BEAT_EVERY_S, Workers

KEEP_ALIVE_S = 120
"""More than the stations' 90: the server never closes a connection that a request is just being written to."""
GRACE_S = 5
BACKLOG = 2048
"""Connections that come at once: a town's stations after a power cut, each by itself."""
OTHER_FILES = 500
"""What a process has open beside connections: the database, answers that are read slowly."""
log = logging.getLogger("central.serving")

FILES = CONNECTIONS + REFUSED_CONNECTIONS + OTHER_FILES


def serve(application: Application, host: str, port: int, sizes: Sizes) -> int:
    """Serve a WSGI application until SIGTERM, SIGINT or SIGHUP. Says on standard output where, once it listens.

    Returns the exit status. Raises CentralError (``listen``).
    """
    _allow_files()
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    with _listening_at(host, port) as listener:

        def work(place: int, beat: Callable[[], None]) -> None:
            if place == 0:
                start_scheduler()
            asyncio.run(_serve(application, listener, sizes.threads, beat))

        def tell() -> None:
            address = listener.getsockname()
            at = f"[{address[0]}]" if ":" in address[0] else address[0]
            print(f"central is serving on http://{at}:{address[1]}", flush=True)  # noqa: T201  (who starts it waits)

        return Workers(sizes.workers, work, tell).run()


async def _serve(application: Application, listener: socket.socket, threads: int, beat: Callable[[], None]) -> None:
    """In a worker, until SIGTERM."""
    loop = asyncio.get_running_loop()
    pool = Threads(threads)
    polls = WaitingPolls(pool)
    config = Config(
        Requests(application, pool, polls),
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # asyncio takes so many at a time: with more, one worker would get them all.
        backlog=1,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=HEAD_LIMIT_BYTES,
    )
    server = _Server(config, polls, beat)
    loop.add_signal_handler(signal.SIGTERM, server.end)
    listening = asyncio.create_task(listen(polls, pool))
    listening.add_done_callback(server.end_without_news)
    try:
        await server.serve([listener])
    finally:
        listening.cancel()


class _Server(Server):
    """uvicorn's, whose signals are the worker's, and which answers waiting polls before it ends."""

    def __init__(self, config: Config, polls: WaitingPolls, beat: Callable[[], None]) -> None:
        super().__init__(config)
        self._polls, self._beat = polls, beat

    def end(self) -> None:
        """Take no more, answer what was asked, and end."""
        self.should_exit = True

    def end_without_news(self, listening: "asyncio.Task[None]") -> None:
        """Nobody would be woken any more: another worker takes this one's place."""
        if not listening.cancelled():
            log.error("news.failed", exc_info=listening.exception())
            self.end()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's: ten times a second."""
        if counter % round(10 * BEAT_EVERY_S) == 0:
            self._beat()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's."""
        self._polls.stop()
        await super().shutdown(sockets)


@contextmanager
def _listening_at(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Told the protocol, asyncio switches Nagle's algorithm off: head and body of an answer are written one by one.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise CentralError("listen", host=host, port=port, reason=error.strerror or error) from error
        yield listener


def _allow_files() -> None:
    # A connection that gets no descriptor any more would stop the worker from taking any.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    infinity = resource.RLIM_INFINITY
    if soft != infinity and soft < FILES:
        soft = FILES if hard == infinity else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != infinity:
        room.connections = max(100, min(CONNECTIONS, soft - REFUSED_CONNECTIONS - OTHER_FILES))
