"""Which configuration a station runs on: the file that was pushed, or the last good one while that is broken.

A pushed file is examined at once and applied between two visits. What cannot change in a running kiosk makes
`PushedConfig.run` return: the kiosk then ends, and its supervisor starts it again.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config import ConfigFault, Problem, Settings
from config.config_file import ConfigFile
from config.file_watch import FileWatch
from config.good_copies import GoodCopies, folder_of
from config.models import Reach, changed_keys
from config.problems import summary
from station.admission import admit
from station.app import Station
from station.errors import StationError
from station.ports import Json, StoreFault
from station.sync.timekeeping import Clocks

VERSION_NOTE = "config_version"
BETWEEN_VISITS_LOOK_S = 0.1
KEYS_LIMIT = 30
"""More is all of them."""

_log = logging.getLogger("station.config")


@dataclass(slots=True)
class ConfigStatus:
    """How a station stands with its configuration, for `station status`."""

    version: str = ""
    """Of what runs."""
    waiting: str | None = None
    """Of what has been examined and waits for the end of a visit."""
    problems: tuple[Problem, ...] = field(default=())
    """Why the file that is there does not run; empty where it does."""

    @property
    def rejected(self) -> bool:
        """Whether the file that is there is not the one that runs, and never will be."""
        return bool(self.problems)

    def fields(self) -> dict[str, Json]:
        """For the status file: ``version``; ``waiting``, a version; ``rejected``, see `config.problems.summary`."""
        rejected: Json = dict(summary(self.problems)) if self.problems else None
        return {"version": self.version, "waiting": self.waiting, "rejected": rejected}


class PushedConfig:
    """The configuration at ``path``. First `open`, then `run`."""

    def __init__(self, path: Path, watch: FileWatch | None = None) -> None:
        self.status = ConfigStatus()
        self._path = path
        self._copies = GoodCopies(folder_of(path))
        self._watch = watch or FileWatch(path)
        self._running: ConfigFile
        self._station: Station
        self._waiting: ConfigFile | None = None
        self._something_waits = asyncio.Event()
        self._refused_version: str | None = None
        """A file that looked right and that the station did not start on."""

    # --- the beginning ---

    async def open(self, clocks: Clocks | None = None) -> Station:
        """Open the station on the file, or else on the last good copy of it.

        Raises ConfigFault where there has never been a good one, and whatever `Station.open` raises about a file that
        was good before.
        """
        copies = self._copies.newest_first()
        pushed = None
        try:
            pushed = ConfigFile.read(self._path, copies)
            return await self._opened(pushed, clocks)
        except StationError as error:
            # A file that has worked is not to blame.
            if not copies or (pushed is not None and pushed.version in {copy.version for copy in copies}):
                raise
            fault = error
        try:
            station = await self._opened(ConfigFile.from_copy(self._path, copies[0]), clocks)
        except StationError:
            raise fault from None
        self._refused_version = pushed.version if pushed is not None else None
        self._reject(self._problems(pushed, fault))
        return station

    async def _opened(self, pushed: ConfigFile, clocks: Clocks | None) -> Station:
        admit(pushed, at_start=True)
        station = await Station.open(pushed.settings, clocks=clocks)
        self._running, self._station = pushed, station
        self.status.version = pushed.version
        return station

    def _problems(self, pushed: ConfigFile | None, fault: StationError) -> tuple[Problem, ...]:
        if isinstance(fault, ConfigFault):
            return fault.problems
        expected = f"the station does not start with it ({fault.code})"
        if pushed is not None and isinstance(fault, StoreFault):
            return (pushed.problem(("storage", "database"), expected),)
        return (Problem(str(self._path), expected),)

    # --- while the station runs ---

    async def run(self, adopted: Callable[[Settings], None] = lambda _settings: None) -> None:
        """Watch the file beside the opened station, which runs, and apply what comes between two of its visits.

        Returns when another process must go on with a new file. ``adopted`` is told of everything that is applied.
        """
        if self.status.rejected:
            await self._tell_rejected()
        await self._keep()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch.run(self._examine), name="config")
            await self._apply_between_visits(adopted)
            watching.cancel()

    async def _examine(self) -> None:
        try:
            # In a thread: somebody may be typing, and a file may be a megabyte of brackets.
            pushed = await asyncio.to_thread(self._taken)
        except ConfigFault as fault:
            await self._refuse(fault.problems)
            return
        except StationError as error:
            await self._refuse(self._problems(None, error))
            return
        if pushed.version == self._refused_version:
            self._waiting = self.status.waiting = None
            return
        self._accept(pushed)

    def _taken(self) -> ConfigFile:
        pushed = ConfigFile.read(self._path, self._copies.newest_first())
        if pushed.version not in {self._running.version, self._refused_version}:
            admit(pushed)
        return pushed

    async def _refuse(self, problems: tuple[Problem, ...]) -> None:
        self._waiting = self.status.waiting = None
        if self._reject(problems):
            await self._tell_rejected()

    def _accept(self, pushed: ConfigFile) -> None:
        if self.status.rejected:
            _log.info("config.mended")
        self.status.problems = ()
        self._station.readiness.config_rejected = False
        if pushed.version == self._running.version:
            self._waiting = self.status.waiting = None
            return
        self._waiting, self.status.waiting = pushed, pushed.version
        self._something_waits.set()
        _log.info("config.waits version=%s", pushed.version)

    def _reject(self, problems: tuple[Problem, ...]) -> bool:
        """Whether that is news."""
        if problems == self.status.problems:
            return False
        self.status.problems = problems
        self._station.readiness.config_rejected = True
        for problem in problems:
            _log.error("config.rejected %s", problem)
        return True

    async def _apply_between_visits(self, adopted: Callable[[Settings], None]) -> None:
        while True:
            await self._something_waits.wait()
            pushed = self._waiting
            if pushed is None:
                self._something_waits.clear()
            elif not self._station.visits.between_visits:
                await asyncio.sleep(BETWEEN_VISITS_LOOK_S)
            elif Reach.PROCESS in (reaches := changed_keys(self._running.settings, pushed.settings)).values():
                # It counts as good only once a station has started on it.
                _log.info("config.restart version=%s", pushed.version)
                return
            else:
                await self._apply(pushed, reaches, adopted)

    async def _apply(self, pushed: ConfigFile, reaches: dict[str, Reach], adopted: Callable[[Settings], None]) -> None:
        # Nothing is awaited between the look at the visits and the change of the rules.
        self._waiting = self.status.waiting = None
        before, self._running = self._running, pushed
        self.status.version = pushed.version
        try:
            await self._station.apply(pushed.settings)
        except ConfigFault as fault:
            self._running, self.status.version = before, before.version
            await self._refuse(fault.problems)
            return
        adopted(pushed.settings)
        await self._keep(reaches)

    # --- what is kept and told ---

    async def _keep(self, reaches: dict[str, Reach] | None = None) -> None:
        """The running configuration has proved itself; ``reaches`` says what has just changed, None at a start."""
        version = self._running.version
        try:
            await asyncio.to_thread(self._copies.keep, self._running.content)
        except ConfigFault as fault:
            _log.error("config.not_kept %s", fault.problems[0])
        store = self._station.store
        try:
            known = await store.note(VERSION_NOTE)
            if known == version:
                return
            await store.note(VERSION_NOTE, version)
        except StoreFault as error:
            self._station.readiness.store_failed(error)
        _log.info("config.applied version=%s", version)
        marks = sorted({reach.value for reach in (reaches or {}).values()}) if reaches is not None else ["process"]
        keys: list[Json] = [*sorted(reaches or {})[:KEYS_LIMIT]]
        await self._station.record_event("config_applied", version=version, reach=", ".join(marks) or "live", keys=keys)

    async def _tell_rejected(self) -> None:
        await self._station.record_event(
            "config_rejected", **summary(self.status.problems), version=self.status.version
        )
