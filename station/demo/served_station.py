"""One station of the world as it runs behind a kiosk, with its screen caught instead of drawn."""

import asyncio
import time
from collections.abc import Callable

from drivers.smp.key_socket import SmpKeySocket
from station.app import Station
from station.core.screen import Screen
from station.core.visit_state import Phase
from station.demo.place import Place
from station.demo.world import World
from station.errors import StationError
from station.services.visits import Visits
from ui.words import words

NOTICE_LIMIT_S = 20.0
"""How long anything expected may take: more than ten times what the slowest machine has needed."""

LOOK_S = 0.01


class NothingNoticed(StationError):
    """The station did not get to where it was waited for."""


class ServedStation:
    """The real services of one station. `start` it, `stop` it; that again is a restart."""

    def __init__(self, world: World, place: Place) -> None:
        self.place = place
        self.screen: Screen | None = None
        self.shown: list[Screen] = []
        """Every screen since `forget_screens`."""
        self._world = world
        self._news = asyncio.Event()
        self._station: Station
        self._socket: SmpKeySocket
        self._visits: Visits
        self._running: asyncio.Task[None]

    async def start(self) -> None:
        """Start, and ask central for news once. Raises StationError."""
        self._station = await Station.open(self.place.settings(), lambda: self._world.clocks_of(self.place))
        self._socket = self._station.key_socket()
        self._visits = self._station.serve(self._socket, show=self._show, ring=lambda: None)
        self._running = asyncio.create_task(self._station.run())
        await self.refresh()

    async def stop(self) -> None:
        """Stop."""
        self._running.cancel()
        await asyncio.wait([self._running])
        await self._socket.close()
        await self._station.close()

    @property
    def stopped(self) -> bool:
        """Whether it has ended by itself: it should not."""
        return self._running.done()

    # --- what a person does ---

    async def insert(self, key: int) -> None:
        """Put a key in; over when the station has noticed. Raises NothingNoticed, DemoFault."""
        self.shown.clear()
        before = self._visits.state.insertion
        self._world.insert(key, self.place)
        await self.until(lambda: self._visits.state.insertion > before)

    async def pull(self) -> None:
        """Take the key out, and stand there until the station has noticed. Raises NothingNoticed."""
        self.place.line.pull()
        await self.until(lambda: self._visits.state.phase in {Phase.EMPTY, Phase.GONE, Phase.BROKEN})

    async def bounce(self, seconds: float) -> None:
        """Break the contact for so long."""
        key = self.place.line.pull()
        await asyncio.sleep(seconds)
        if key is not None:
            self.place.line.insert(key)

    def type(self, strokes: str) -> None:
        """Type on the keypad; ``<`` is Backspace."""
        for stroke in strokes.replace("<", "\b"):
            self._visits.press(stroke)

    # --- around it ---

    async def refresh(self) -> None:
        """Ask central for news and wait for what comes of it."""
        # What is under way may have been asked before the news were there.
        await self._station.mirroring.settled(None)
        self._station.mirroring.poke()
        await self._station.mirroring.settled(None)

    async def settled(self) -> None:
        """Wait for what is being asked of central: time must not jump in the middle of it."""
        await self._station.mirroring.settled(None)

    async def hand_over(self) -> None:
        """Hand over now what the outbox would hand over at its next try. Raises StationError."""
        await self._station.outbox.drain()

    # --- what it shows ---

    def _show(self, screen: Screen) -> None:
        self.screen = screen
        self.shown.append(screen)
        self._news.set()

    def says(self) -> str:
        """The screen's words."""
        return str(words(self.screen, self._world.language)) if self.screen is not None else "nothing"

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
