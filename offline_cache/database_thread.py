"""The one thread that the database is used on: work goes in from the event loop, results come back to it."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from offline_cache.connection import opened
from offline_cache.faults import STORE_IO, faults_translated
from station.ports import StoreFault

_log = logging.getLogger(__name__)

R = TypeVar("R")

UNFINISHED_MAX = 1000
"""A visit has a handful under way. More than this means a disk that hangs: say so rather than collect memory."""


class DatabaseThread:
    """Does one piece of work after the other on the open database. Made by `start`; used from one event loop.

    What was handed over is done, whether or not the caller still waits: cancelling never leaves half of it.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="station-store")
        self._held = ExitStack()
        """The open file; touched on the thread only."""
        self._db: Database
        self._unfinished = 0
        self._closed: asyncio.Future[None] | None = None

    @classmethod
    async def start(cls, path: Path) -> "DatabaseThread":
        """Open the database on a new thread. Raises StoreFault as `opened` does."""
        thread = cls()
        try:
            thread._db = await thread._do(lambda: thread._held.enter_context(opened(path)))
        except BaseException:
            thread._begin_to_stop()
            raise
        return thread

    async def run(self, work: Callable[[Database], R]) -> R:
        """Do ``work`` on the thread and return its result. It must read all its rows before it returns.

        Raises StoreFault, also when the thread has been stopped (reason ``closed``) or has too much to do.
        """
        if self._closed is not None:
            raise StoreFault(STORE_IO, reason="closed")
        if self._unfinished >= UNFINISHED_MAX:
            raise StoreFault(STORE_IO, reason="too_many_waiting")
        return await self._do(lambda: work(self._db))

    async def stop(self) -> None:
        """Finish what was handed over, close the database, end the thread. A second time does nothing more."""
        try:
            await asyncio.shield(self._begin_to_stop())
        finally:
            if self._begin_to_stop().done():
                # The thread has nothing left to do but to end.
                self._executor.shutdown()

    def _begin_to_stop(self) -> "asyncio.Future[None]":
        if self._closed is None:
            loop = asyncio.get_running_loop()
            self._closed = loop.run_in_executor(self._executor, faults_translated()(self._held.close))
            self._executor.shutdown(wait=False)
        return self._closed

    async def _do(self, work: Callable[[], R]) -> R:
        answer = asyncio.get_running_loop().run_in_executor(self._executor, faults_translated()(work))
        self._unfinished += 1
        answer.add_done_callback(self._finished)
        try:
            # Shielded, for a cancelled caller would take out of the queue what it has handed over.
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            answer.add_done_callback(_log_unheard)
            raise

    def _finished(self, _: object) -> None:
        self._unfinished -= 1


def _log_unheard(answer: "asyncio.Future[R]") -> None:
    if (error := answer.exception()) is not None:
        # The type only: a message could hold what was being stored.
        _log.error("store.fault_unheard type=%s", type(error).__name__)
