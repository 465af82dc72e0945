"""A station's machine: power, clocks, disk and socket, and the real composition of `station.app` running on it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from config import Credentials, Pepper, Settings
from config.credentials import Argon2Cost
from config.models import CentralTable, ClockTable, StationTable, StorageTable
from station.app import Station
from station.display.screen import Line as ScreenLine
from station.display.screen import Screen
from station.ports import StoreFault
from station.records.claims import Role
from station.records.keys import SigningKey
from station.rules.clock import ClockReadings
from station.runtime.profiles import PROFILES
from station.secret import Secret
from tests.simulation.central import PIN_SECRETS, SimulatedCentral
from tests.simulation.disk import Disk
from tests.simulation.keys import Slot
from tests.simulation.wire import Line, WiredReader
from tests.virtual_time import ThreadlessLoop

TASKS_LOOKED_AT = 200
"""Of more than so many tasks of a process, those that are done are forgotten."""

_process: ContextVar["Process | None"] = ContextVar("_process", default=None)


class Crashed(Exception):
    """The station has ended by itself: a broken invariant of its own."""


class Process:
    """One start of a station, up to its end: every task that came of it."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []

    @staticmethod
    def factory(loop: asyncio.AbstractEventLoop, coro: Any, context: Any = None) -> "asyncio.Task[Any]":
        """A task factory that lets each process know its tasks."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
        process = _process.get() if context is None else context.get(_process)
        if process is not None:
            if len(process.tasks) > TASKS_LOOKED_AT:
                process.tasks = [each for each in process.tasks if not each.done()]
            process.tasks.append(task)
        return task

    async def end(self) -> None:
        """Cancel all that is left, until nothing is. Nothing of it reaches the outside any more."""
        left: list[asyncio.Task[Any]] = []
        for _ in range(100):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        raise AssertionError(f"does not end: {left}")


class Machine:
    """One station. `start` it, `crash` it, as often as wanted; disk, slot and keys stay."""

    def __init__(
        self,
        number: int,
        folder: Path,
        central: SimulatedCentral,
        random: Random,
        now: Callable[[], float],
        show: Callable[["Machine", Screen], None],
        *,
        role: Role = Role.SYNC_STATION,
        line: Line,
    ) -> None:
        self.role = role
        self.number, self._central, self._random, self._now, self._shown = number, central, random, now, show
        self.slot = Slot()
        self._line = line
        self.reader = WiredReader(line, self.slot)
        self.disk = Disk(folder / "station.db", random)
        self.station: Station | None = None
        self.screen: Screen | None = None
        self.system_wrong_s = 0
        self.rtc_wrong_s: int | None = 0
        self.ntp = False
        self.boots = 1
        self._booted_at = now() - 1000.0
        self._process = Process()
        self._running: asyncio.Task[None] | None = None
        self.settings = Settings(
            station=StationTable(number=number, name="Norra stationen", profile=PROFILES[role].name),
            central=CentralTable(url="https://central.invalid", metered=True, poll_s=random.choice([20, 60, 600])),
            storage=StorageTable(database=folder / "station.db", credentials=folder / "credentials.json"),
            clock=ClockTable(trust_ntp=random.random() < 0.7, trust_rtc=random.random() < 0.7),
        )
        self._enrol()

    def _enrol(self) -> None:
        signing = SigningKey(sha256(b"station %d" % self.number).digest())
        self.settings.storage.credentials.parent.mkdir(parents=True)
        Credentials(
            station=self.number,
            site=1,
            role=self.role,
            token=Secret("a-token-of-a-station"),
            signing_seed=Secret(signing.seed()),
            certificate=self._central.enrol(self.number, signing.public, self.role),
            central_keys=(self._central.signing.public,),
            site_salt=PIN_SECRETS.site_salt,
            peppers=tuple(Pepper(version=v, pepper=p) for v, p in PIN_SECRETS.peppers),
            argon2=Argon2Cost(time=1, memory_kib=8, lanes=1),
            pin_digits=6,
        ).save(self.settings.storage.credentials)

    # --- clocks

    def clocks(self) -> ClockReadings:
        """What this machine's clocks say."""
        now = self._now()
        return ClockReadings(
            unix_s=int(now) + self.system_wrong_s,
            boottime_s=now - self._booted_at,
            boot_id=f"boot-{self.boots}",
            ntp_synchronised=self.ntp and not self.system_wrong_s,
            rtc_unix_s=int(now) + self.rtc_wrong_s if self.rtc_wrong_s is not None else None,
        )

    # --- power

    @property
    def alive(self) -> bool:
        """Whether a station runs on it."""
        return self._running is not None

    async def start(self, reason: str = "power") -> None:
        """A process of the station. One that cannot open its disk ends at once, and has to be started again."""
        self._process = Process()
        self.reader = WiredReader(self._line, self.slot)
        token = _process.set(self._process)
        try:
            starting = asyncio.create_task(self._start(reason))
        finally:
            _process.reset(token)
        with suppress(StoreFault):
            await starting

    async def _start(self, reason: str) -> None:
        process = self._process
        self.station = await Station.open(
            self.settings,
            store=await self.disk.open(),
            central=self._central.link(self.number),
            reader=self.reader,
            clocks=self.clocks,
        )
        self._running = asyncio.create_task(
            self.station.run(lambda screen: self._show(process, screen), reasons=[reason])
        )

    def _show(self, process: Process, screen: Screen) -> None:
        if process is self._process:
            self.screen = screen
            self._shown(self, screen)

    async def crash(self, *, power: bool) -> None:
        """The process is gone this instant, or the whole machine with it."""
        self.reader.die()
        self.disk.crash()
        ended, self._process = self._process, Process()
        self.station = self.screen = self._running = None
        if power:
            self.boots += 1
            self._booted_at = self._now()
            # Without a battery it starts where its file system was last written.
            self.system_wrong_s = self.rtc_wrong_s if self.rtc_wrong_s is not None else -86400
            self.ntp = False
        await ended.end()

    def check(self) -> None:
        """Raises Crashed when the station has ended by itself."""
        if self._running is None or not self._running.done():
            return
        error = self._running.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        # What the judge has found in the middle of something of the station's is still the judge's finding.
        if isinstance(error, AssertionError):
            raise error
        raise Crashed(repr(error)) from error

    # --- people

    def press(self, stroke: str) -> None:
        """A keystroke; nobody hears it while nothing runs."""
        if self.station is not None:
            self.station.visits.press(stroke)

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to do with the key in the socket."""
        return self.station is None or not self.station.visits.busy

    @property
    def line(self) -> ScreenLine | None:
        """What the screen says; None while it is dark."""
        return self.screen.line if self.screen is not None else None

    async def close(self) -> None:
        """At the end of a simulation."""
        self.reader.die()
        if self.disk.base is not None:
            self.disk.base.close()
        await self._process.end()


def new_loop() -> ThreadlessLoop:
    """A loop in virtual time that knows the processes of its tasks."""
    loop = ThreadlessLoop()
    loop.set_task_factory(Process.factory)
    return loop
