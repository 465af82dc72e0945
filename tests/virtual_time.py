"""Event loops whose time passes only when there is nothing left to do: hours of waiting cost no second.

In both, what is waited for on a descriptor must be ready at once, as with a pair of sockets.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

STUCK_S = 60.0
"""Of real time: a thread that does not answer for so long never will."""
THREAD_S = 0.002
"""How long work that was meant for a thread takes in a `ThreadlessLoop` (a PIN's hash, mostly)."""


class NothingLeft(Exception):
    """Somebody waits for what can never happen: there is neither work nor a timer."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at time 0. Time stands still while a thread works for the loop (the database's, the one for PIN tags).

    So how busy the machine is changes nothing of what happens. ``outside`` is how much is under way that this loop's
    time must wait for.
    """

    def __init__(self) -> None:
        self.virtual_s = 0.0
        self.outside = 0
        super().__init__(_TimeSkippingSelector(self))

    def time(self) -> float:
        """Seconds since its start, of its own time."""
        return self.virtual_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self.outside += 1
        future.add_done_callback(self._came_back)
        return future

    async def shutdown_default_executor(self, *how_long: Any) -> None:
        # A thread of its own joins the others.
        self.outside += 1
        try:
            await super().shutdown_default_executor(*how_long)
        finally:
            self.outside -= 1

    def _came_back(self, _: object) -> None:
        self.outside -= 1


class ThreadlessLoop(VirtualLoop):
    """Does a thread's work itself, at once; its result comes a moment later, as from a thread.

    So what happens in it happens in the same order each time.
    """

    def run_in_executor(  # type: ignore[override]  # the same, but for how the types of the arguments are named
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        self.call_later(THREAD_S, work)
        return future


class _TimeSkippingSelector(selectors.DefaultSelector):
    """Never waits for a timer: it moves the loop's time instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop.outside:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("a thread does not answer")
            return ready
        if timeout is None:
            raise NothingLeft
        # A little more, or a timer that rounding puts a hair later would be waited for in ever smaller steps.
        self._loop.virtual_s += timeout + 1e-9
        return []


def run(work: Coroutine[Any, Any, R]) -> R:
    """As ``asyncio.run``, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
