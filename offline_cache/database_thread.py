"""The one thread that owns the one connection: jobs go in from the event loop, results come back to it."""

import asyncio
import logging
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from sqlite_utils import Database

from offline_cache.connection import opened
from offline_cache.faults import STORE_IO, faults_translated
from station.ports import StoreFault

_log = logging.getLogger(__name__)

R = TypeVar("R")

JOIN_LIMIT_S = 1.0
"""For the thread's last few instructions, on a machine with much else to do."""

JOBS_WAITING_MAX = 1000
"""A visit has a handful under way. More than this means a disk that hangs: say so rather than collect memory."""


@dataclass(frozen=True, slots=True)
class _Job(Generic[R]):
    work: Callable[[Database], R]
    answer: "asyncio.Future[R]"

    def settle(self, result: R) -> None:
        if not self.answer.done():
            self.answer.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
        else:
            # Whoever waited was cancelled. The type only: a message could hold what was being stored.
            _log.error("store.fault_unheard type=%s", type(error).__name__)


class DatabaseThread:
    """Runs jobs one after the other on a thread of its own. Made by `start`; used from one event loop.

    A job that was handed over is done, whether or not the caller still waits: cancelling never leaves half of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
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
        return thread

    async def run(self, work: Callable[[Database], R]) -> R:
        """Do ``work`` on the thread and return its result. It must read all its rows before it returns.

        Raises StoreFault, also when the thread has been stopped (reason ``closed``) or has too much waiting.
        """
        if self._closing:
            raise StoreFault(STORE_IO, reason="closed")
        if self._jobs.qsize() >= JOBS_WAITING_MAX:
            raise StoreFault(STORE_IO, reason="too_many_waiting")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, answer))
        return await answer

    async def stop(self) -> None:
        """Finish what was handed over, close the database, end the thread. A second time does nothing more."""
        self._end()
        await asyncio.wrap_future(self._ended)
        # It has nothing left to do but to end.
        self._thread.join(JOIN_LIMIT_S)

    def _end(self) -> None:
        if not self._closing:
            self._closing = True
            self._jobs.put(None)

    def _main(self) -> None:
        try:
            with opened(self._path) as db:
                self._opened.set_result(None)
                self._serve(db)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            (self._ended if self._opened.done() else self._opened).set_exception(error)
        if not self._ended.done():
            self._ended.set_result(None)

    def _serve(self, db: Database) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                with faults_translated():
                    result = job.work(db)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                _tell(job, job.fail, error)
            else:
                _tell(job, job.settle, result)
            # Nothing of the last job stays alive while waiting for the next.
            del job


def _tell(job: _Job[Any], how: Callable[[Any], None], what: object) -> None:
    try:
        job.answer.get_loop().call_soon_threadsafe(how, what)
    except RuntimeError:
        # The loop was closed while the job ran; nobody is left to hear.
        _log.warning("store.answer_unheard")


def _uncancellable() -> "futures.Future[None]":
    """One whose awaiter can be cancelled without cancelling it, so that the thread can always set it."""
    future: futures.Future[None] = futures.Future()
    future.set_running_or_notify_cancel()
    return future
