"""One station of the site as it runs behind a kiosk, with its screen caught instead of drawn."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from station.app import Station
from station.commands.sync import SyncResult, synchronise
from station.demo.installation import Installation
from station.demo.reconciliation import StationCount, read
from station.demo.site import DemoSite
from station.display.screen import Screen
from station.errors import StationError
from station.visit.state import Presence
from ui.words import words

NOTICE_LIMIT_S = 20.0
"""How long anything expected may take: more than ten times what the slowest machine has needed."""

LOOK_S = 0.01


class NothingNoticed(StationError):
    """The station did not get to where it was waited for."""


class ServedStation:
    """The real services of one station. `start` it, `stop` it; that again is a restart.

    `lose_power` ends it in the middle of what it does, `get_power` is a new boot.
    """

    def __init__(self, world: DemoSite, place: Installation) -> None:
        self.place = place
        self.screen: Screen | None = None
        self.shown: list[Screen] = []
        """Every screen since the key was put in."""
        self._world = world
        self.station: Station
        """The station itself, as it was started last."""
        self._news = asyncio.Event()
        self._running: asyncio.Task[None]
        self._pulled = False
        self._dark_since_s: float | None = None
        """The world's seconds of boot time when the power went; None: there is power."""

    async def start(self) -> None:
        """Start, and ask central for news once. Raises StationError."""
        self.station = await Station.open(self.place.settings(), clocks=lambda: self._world.clocks_of(self.place))
        self._running = asyncio.create_task(self.station.run(self._show))
        await self.refresh()

    async def stop(self) -> None:
        """Stop; nothing where there is no power."""
        if self.dark:
            return
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.station.close()

    @property
    def stopped(self) -> bool:
        """Whether it has ended by itself: it should not."""
        return not self.dark and self._running.done()

    # --- power ---

    @property
    def dark(self) -> bool:
        """It has no power."""
        return self._dark_since_s is not None

    async def lose_power(self) -> None:
        """Pull the plug. What is on the disk in this instant is what it starts from, and nothing that came after."""
        if self.dark:
            return
        self._pulled = False
        database = self.place.settings().storage.database
        image = _disk_image(database)
        await self.stop()
        for path in (database, *map(database.with_name, (f"{database.name}-wal", f"{database.name}-shm"))):
            path.unlink(missing_ok=True)
        for path, content in image.items():
            path.write_bytes(content)
        self.screen = None
        self._dark_since_s = self._world.boottime_s()

    async def get_power(self) -> None:
        """Power is back: the machine boots and the station starts. Raises StationError."""
        if self._dark_since_s is None:
            return
        now_s = self._world.boottime_s()
        self.place.boot(now_s, without_power_s=now_s - self._dark_since_s)
        self._dark_since_s = None
        await self.start()

    async def fit_clock(self, *, battery: bool) -> None:
        """Give it a battery-backed clock that its configuration trusts, or none. Raises StationError."""
        self.place.has_rtc = battery
        self.place.configure()
        if not self.dark:
            await self.station.apply(self.place.settings())
            await self.station.visits.mirror_changed()

    # --- the books ---

    async def synchronise(self) -> SyncResult:
        """Stop it, run `station sync` on a network, start it again. Raises StationError."""
        await self.stop()
        try:
            return await self._synchronised()
        finally:
            await self.go_on()

    async def counted(self) -> StationCount:
        """Hand over what waits, stop, and count: the database takes one program at a time. `go_on` afterwards."""
        await self.hand_over()
        await self.stop()
        database = self.place.settings().storage.database
        count = read(self.place.number, database)
        if count.waiting and not self.dark and (self.place.network.up or (not self.station.profile.asks_central)):
            # A box's, or what was kept between handing over and stopping.
            await self._synchronised()
            count = read(self.place.number, database)
        return count

    async def go_on(self) -> None:
        """Start again after `counted`, where there is power. Raises StationError."""
        if not self.dark:
            await self.start()

    async def _synchronised(self) -> SyncResult:
        up = self.place.network.up
        await self.place.network.restore()
        try:
            return await synchronise(self.place.settings(), lambda: self._world.clocks_of(self.place))
        finally:
            if not up:
                await self.place.network.cut()

    # --- what a person does ---

    async def insert(self, key: int) -> None:
        """Put a key in; over when the station has noticed. Raises NothingNoticed, DemoFault."""
        self.shown.clear()
        before = self.station.visits.state.insertion
        self._world.insert(key, self.place)
        if self.dark:
            return
        await self.until(lambda: self.station.visits.state.insertion > before)

    async def pull(self) -> None:
        """Take the key out, and stand there until the station has noticed. Raises NothingNoticed."""
        self.take()
        await self.noticed()

    def take(self) -> None:
        """Take the key out and go; `noticed` waits for the station."""
        self.place.line.pull()
        self._pulled = not self.dark

    async def noticed(self) -> None:
        """Stand there until the station has noticed that a key was pulled. Raises NothingNoticed."""
        if self._pulled:
            self._pulled = False
            await self.until(lambda: self.station.visits.state.presence is Presence.OUT)

    async def bounce(self, seconds: float) -> None:
        """Break the contact for so long."""
        key = self.place.line.pull()
        await asyncio.sleep(seconds)
        if key is not None:
            self.place.line.insert(key)

    async def type(self, strokes: str) -> None:
        """Type on the keypad, and see what the screen makes of it; ``<`` is Backspace."""
        for stroke in strokes.replace("<", "\b"):
            self.station.visits.press(stroke)
        await self.station.visits.inputs_taken()

    # --- around it ---

    async def refresh(self) -> None:
        """Ask central for news and wait for what comes of it."""
        if not self._asks_central:
            return
        # What is under way may have been asked before the news were there.
        await self.station.mirror.refreshed(None)
        self.station.mirror.wake()
        await self.station.mirror.refreshed(None)

    async def wait_until_idle(self) -> None:
        """Wait for what is being written, and asked of central: time must not jump in the middle of it."""
        if self.dark:
            return
        # Whatever was kept before this is on the disk when the database's thread has come to it.
        await self.station.store.alive()
        if self._asks_central:
            await self.station.mirror.refreshed(None)

    async def hand_over(self) -> None:
        """Hand over now what the outbox would hand over at its next try. Raises StationError."""
        if self._asks_central:
            await self.station.outbox.drain()

    @property
    def _asks_central(self) -> bool:
        return not self.dark and self.station.profile.asks_central

    # --- what it shows ---

    def _show(self, screen: Screen) -> None:
        self.screen = screen
        self.shown.append(screen)
        self._news.set()

    def says(self) -> str:
        """The screen's words."""
        if self.dark:
            return "nothing: the screen is dark"
        return str(words(self.screen, self._world.language)) if self.screen is not None else "nothing"

    def lamp(self) -> str:
        """The state on a box's screen; nothing while no key is there."""
        return words(self.screen, self._world.language).key_state if self.screen is not None else ""

    async def comes_to_show(self, wanted: Callable[[Screen], bool]) -> bool:
        """Whether the screen comes to be as ``wanted`` in time."""
        deadline = time.monotonic() + NOTICE_LIMIT_S
        while self.screen is None or not wanted(self.screen):
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(deadline - time.monotonic(), 0.0))
            except TimeoutError:
                return False
            if self.stopped:
                return False
        return True

    @staticmethod
    async def until(noticed: Callable[[], bool]) -> None:
        """Wait for ``noticed``. Raises NothingNoticed."""
        deadline = time.monotonic() + NOTICE_LIMIT_S
        while not noticed():
            if time.monotonic() > deadline:
                raise NothingNoticed("nothing_noticed")
            await asyncio.sleep(LOOK_S)


def _disk_image(database: Path) -> Mapping[Path, bytes]:
    """The files of a database as they are now: what has not reached its log goes with the power."""
    # The log first: what moves from it into the database in between is then in both, and counts once.
    paths = (database.with_name(f"{database.name}-wal"), database)
    return {path: path.read_bytes() for path in paths if path.exists()}
