"""An event loop without waiting: when nothing is left to do, its time jumps to the next timer.

Only what lives in the loop may be awaited in it: no sockets, no threads. Work for a thread is done in the loop itself,
at once, and its result comes a drawn moment later, as from a thread.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

THREAD_S = 0.002
"""How long work that was meant for a thread takes (a PIN's hash, mostly)."""


class NothingLeft(Exception):
    """Somebody waits for what can never happen: there is neither work nor a timer."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: it moves the loop's time instead."""

    jumped: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise NothingLeft
        if timeout > 0:
            self.jumped(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds of `time` cost nothing; what happens in them happens in order, the same each time."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        selector = _JumpingSelector()
        selector.jumped = self._jump
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual_s

    def _jump(self, seconds: float) -> None:
        # A little more, or a timer that rounding puts a hair later would be waited for in ever smaller steps.
        self._virtual_s += seconds + 1e-9

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
