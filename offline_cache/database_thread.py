"""The one thread that owns the one connection: jobs go in from the event loop, results come back to it."""

import asyncio
import logging
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar

from offline_cache.connection import opened
from offline_cache.faults import STORE_IO, faults_translated
from station.ports import StoreFault

_log = logging.getLogger(__name__)

R = TypeVar("R")

JOIN_LIMIT_S = 1.0
"""For the thread's last few instructions, on a machine with much else to do."""

JOBS_WAITING_MAX = 1000
"""A visit has a handful under way. More than this means a disk that hangs: say so rather than collect memory."""

_Answer: TypeAlias = "asyncio.Future[Any]"
_Job: TypeAlias = tuple[Callable[[sqlite3.Connection], Any], _Answer]
_Result: TypeAlias = tuple[_Answer, Any, BaseException | None]


class DatabaseThread:
    """Runs jobs one after the other on a thread of its own. Made by `start`; used from one event loop.

    A job that was handed over is done, whether or not the caller still waits: cancelling never leaves half of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._results: deque[_Result] = deque()
        # The loop's own way to be woken by a thread, a pair of sockets, takes 20 µs longer: a tenth of a quick commit.
        self._done = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._loop.add_reader(self._done, self._answer)
        self._closing = False
        self._opened: futures.Future[None] = _uncancellable()
        self._ended: futures.Future[None] = _uncancellable()
        # A daemon: every commit is durable by itself, so nothing is lost with it, and a process that is told to
        # end without `stop` must end.
        self._thread = Thread(target=self._main, name="station-store", daemon=True)

    @classmethod
    async def start(cls, path: Path) -> "DatabaseThread":
        """Open the database on the new thread. Raises StoreFault as `opened` does."""
        thread = cls(path)
        thread._thread.start()
        try:
            await asyncio.wrap_future(thread._opened)
        except asyncio.CancelledError:
            thread._end()
            raise
        except BaseException:
            thread._let_go()
            raise
        return thread

    async def run(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Do ``work`` on the thread and return its result. It must read all its rows before it returns.

        Raises StoreFault, also when the thread has been stopped (reason ``closed``) or has too much waiting.
        """
        if self._closing:
            raise StoreFault(STORE_IO, reason="closed")
        if self._jobs.qsize() >= JOBS_WAITING_MAX:
            raise StoreFault(STORE_IO, reason="too_many_waiting")
        answer: asyncio.Future[R] = self._loop.create_future()
        self._jobs.put((work, answer))
        return await answer

    async def stop(self) -> None:
        """Finish what was handed over, close the database, end the thread. A second time does nothing more."""
        self._end()
        try:
            await asyncio.wrap_future(self._ended)
        finally:
            if self._ended.done():
                # It has nothing left to do but to end.
                self._thread.join(JOIN_LIMIT_S)
                self._let_go()

    def _end(self) -> None:
        if not self._closing:
            self._closing = True
            self._jobs.put(None)

    def _let_go(self) -> None:
        """Hear the last results, and no more. Only once the thread writes no more: the number may be another file's."""
        if self._done >= 0:
            self._settle()
            self._loop.remove_reader(self._done)
            os.close(self._done)
            self._done = -1

    def _answer(self) -> None:
        """What the loop does when the thread has written to ``_done``."""
        # Before the results are taken: one that comes meanwhile wakes the loop again.
        os.eventfd_read(self._done)
        self._settle()

    def _settle(self) -> None:
        while self._results:
            answer, result, error = self._results.popleft()
            if answer.done():
                if error is not None:
                    # Whoever waited was cancelled. The type only: a message could hold what was being stored.
                    _log.error("store.fault_unheard type=%s", type(error).__name__)
            elif error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)

    def _main(self) -> None:
        try:
            with opened(self._path) as db:
                self._opened.set_result(None)
                self._serve(db)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            (self._ended if self._opened.done() else self._opened).set_exception(error)
        if not self._ended.done():
            self._ended.set_result(None)

    def _serve(self, db: sqlite3.Connection) -> None:
        while (job := self._jobs.get()) is not None:
            work, answer = job
            result, error = None, None
            try:
                with faults_translated():
                    result = work(db)
            except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
                error = raised
            self._results.append((answer, result, error))
            os.eventfd_write(self._done, 1)
            # Nothing of the last job stays alive while waiting for the next.
            del job, work, answer, result, error


def _uncancellable() -> "futures.Future[None]":
    """One whose awaiter can be cancelled without cancelling it, so that the thread can always set it."""
    future: futures.Future[None] = futures.Future()
    future.set_running_or_notify_cancel()
    return future
