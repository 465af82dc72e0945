"""The few threads of a process that call Django, and who may have how many of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TypeVar

Result = TypeVar("Result")

LINE_LIMIT = 1000
"""Calls that wait for a thread: more than that would be answered too late to be of use."""


class Lane(Enum):
    """What must not have all threads: which part of them it has at most, and how many of it may stand in line."""

    LOG_IN = 4, 20
    """Hashes a password: a fifth of a second."""
    SNAPSHOT = 4, 40
    """Reads a whole site: seconds at a large one. Stations that are refused come again by themselves."""
    WAITING_POLL = 4, 10_000
    """Has time: as many as there are connections."""
    PAGE = 2, 100
    """For people: some take long."""


class Busy(Exception):
    """The line is too long."""


class Threads:
    """A pool. All lanes together leave a thread for everything else: events, visits, what has waited."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="call")
        self._in_line = 0
        self._lanes = {lane: asyncio.Semaphore(count // lane.value[0]) for lane in Lane}
        self._all_lanes = asyncio.Semaphore(count - 1)
        self._in_lane = dict.fromkeys(Lane, 0)

    def start(self, job: Callable[[], Result], lane: Lane | None = None) -> "asyncio.Task[Result]":
        """Have ``job`` run in a thread: what it returns or raises. Raises Busy."""
        if self._in_line >= LINE_LIMIT or (lane is not None and self._in_lane[lane] >= lane.value[1]):
            raise Busy
        return asyncio.create_task(self._run(job) if lane is None else self._run_in(lane, job))

    async def _run_in(self, lane: Lane, job: Callable[[], Result]) -> Result:
        self._in_lane[lane] += 1
        try:
            async with self._lanes[lane], self._all_lanes:
                return await self._run(job)
        finally:
            self._in_lane[lane] -= 1

    async def _run(self, job: Callable[[], Result]) -> Result:
        self._in_line += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        finally:
            self._in_line -= 1
