"""The station's disk: the real SQLite file, worked on in the loop, and what can go wrong with it.

`InlineDatabase` stands where `offline_cache.database_thread.DatabaseThread` does: jobs one after the other, each done
whether or not its caller still waits. A crash forgets the jobs that were not begun, and the answers not yet given.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

from sqlite_utils import Database

from offline_cache import SqliteStore, outbox
from offline_cache.connection import opened
from offline_cache.database_thread import DatabaseThread
from offline_cache.faults import STORE_IO, faults_translated
from station.ports import StoreFault

R = TypeVar("R")

PAGES_UNLIMITED = 1_000_000


@dataclass
class Disk:
    """One station's disk, over restarts of the station."""

    path: Path
    random: Random
    full: bool = False
    failing: bool = False
    slow_s: float = 0.002
    """How long a job takes at most."""
    base: "InlineDatabase | None" = None

    async def open(self) -> SqliteStore:
        """The real store, on this disk. Raises StoreFault."""
        if self.failing:
            raise StoreFault(STORE_IO)
        self.base = InlineDatabase(self)
        return SqliteStore(cast(DatabaseThread, self.base), await self.base.run(outbox.instance))

    def look(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """What is on the disk now, for the judge."""
        return [] if self.base is None else self.base.db.execute(sql, params).fetchall()

    def crash(self) -> None:
        """The process is gone: what was committed is there, nothing is tidied up."""
        if self.base is None:
            return
        self.base.dead = True
        aside = self.path.with_name("aside")
        aside.mkdir()
        for suffix in ("", "-wal"):
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                shutil.copy(file, aside / file.name)
        self.base.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        for file in aside.iterdir():
            file.rename(self.path.with_name(file.name))
        aside.rmdir()
        self.base = None


class InlineDatabase:
    """What `SqliteStore` needs of a `DatabaseThread`."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._stack = ExitStack()
        self.db: Database = self._stack.enter_context(opened(disk.path))
        self.dead = False
        self._free_at = 0.0
        self._limited = False

    async def run(self, work: Callable[[Database], R]) -> R:
        loop, disk = asyncio.get_running_loop(), self._disk
        answer: asyncio.Future[R] = loop.create_future()
        if self.dead:
            return await answer
        longest_s = disk.slow_s
        self._free_at = max(loop.time(), self._free_at) + disk.random.uniform(0.0001, longest_s)
        loop.call_at(self._free_at, self._do, work, answer, disk.random.uniform(0.0, longest_s / 2))
        return await answer

    def _do(self, work: Callable[[Database], R], answer: "asyncio.Future[R]", told_after_s: float) -> None:
        if self.dead:
            return
        loop = asyncio.get_running_loop()
        try:
            if self._disk.failing:
                raise StoreFault(STORE_IO)
            self._limit()
            with faults_translated():
                result = work(self.db)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            loop.call_later(told_after_s, self._tell, answer, None, error)
        else:
            loop.call_later(told_after_s, self._tell, answer, result, None)

    def _tell(self, answer: "asyncio.Future[R]", result: Any, error: BaseException | None) -> None:
        if self.dead or answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    def _limit(self) -> None:
        """A full disk: the file cannot grow. SQLite raises a limit below its size to its size."""
        if self._disk.full != self._limited:
            self._limited = self._disk.full
            self.db.execute(f"PRAGMA max_page_count={1 if self._limited else PAGES_UNLIMITED}").fetchall()

    async def stop(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.dead = True
        self._stack.close()
