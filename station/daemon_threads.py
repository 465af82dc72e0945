"""Threads for calls that may hang in the system: nobody waits for them at the end of the program."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS_LIMIT: Final = 16
"""A call that never comes back keeps its thread; with so many of them, the next is refused."""


class DaemonThreads(Executor):
    """Each call in a thread of its own. `submit` raises RuntimeError when `THREADS_LIMIT` of them have not come back.

    A ``ThreadPoolExecutor`` is joined at exit: a name server or an adapter that never answers would delay each stop.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._running = threading.Semaphore(THREADS_LIMIT)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `Executor.submit`."""
        if not self._running.acquire(blocking=False):
            raise RuntimeError("too many calls hang")
        future: Future[T] = Future()

        def work() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)
            finally:
                self._running.release()

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return future
