"""An event loop whose time passes only when there is nothing left to do: hours of waiting cost no second.

Time stands still while a thread works for the loop (the database's, the one that computes PIN tags): how busy the
machine is changes nothing of what happens. What is waited for on a descriptor must be ready at once, as with a pair of
sockets.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

STUCK_S = 60.0
"""Of real time: a thread that does not answer for so long never will."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at time 0. ``outside`` is how much is under way that this loop's time must wait for."""

    def __init__(self) -> None:
        self.virtual_s = 0.0
        self.outside = 0
        super().__init__(_PatientSelector(self))

    def time(self) -> float:
        return self.virtual_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self.outside += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self.outside -= 1


class _PatientSelector(selectors.DefaultSelector):
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
            raise RuntimeError("nothing will ever happen again")
        self._loop.virtual_s += timeout
        return []


def run(work: Coroutine[Any, Any, R]) -> R:
    """As ``asyncio.run``, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
