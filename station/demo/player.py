"""Plays a scenario through the real kiosk services, without a screen, and prints what a person would have seen."""

import asyncio
import time
from collections.abc import Callable, Sequence

from drivers.smp.key_socket import SmpKeySocket
from station.app import Station
from station.core.screen import Screen
from station.core.visit import Phase
from station.demo.script import Step
from station.demo.world import World
from station.errors import StationError
from station.services.visits import Visits
from ui.words import words

SEE_LIMIT_S = 10.0
"""How long an expected screen may take: ten times what the slowest machine has needed."""

LOOK_S = 0.01


class ExpectationFailed(StationError):
    """A step of a scenario did not come true."""


class Player:
    """One station in a `World`, and the person before it."""

    def __init__(self, world: World, out: Callable[[str], None]) -> None:
        self._world = world
        self._out = out
        self._screen: Screen | None = None
        self._shown: list[Screen] = []
        self._news = asyncio.Event()
        self._station: Station
        self._socket: SmpKeySocket
        self._visits: Visits
        self._running: asyncio.Task[None] | None = None

    async def play(self, steps: Sequence[Step]) -> None:
        """Do all steps. Raises ExpectationFailed at the first that does not come true."""
        await self._begin()
        try:
            for step in steps:
                await self._do(step)
        finally:
            await self._end()

    # --- the station ---

    async def _begin(self) -> None:
        self._station = await Station.open(self._world.settings(), self._world.clocks)
        self._socket = self._station.key_socket()
        self._visits = self._station.serve(self._socket, show=self._show, ring=lambda: None)
        self._running = asyncio.create_task(self._station.run())
        await self._refreshed()

    async def _end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        await self._socket.close()
        await self._station.close()

    def _show(self, screen: Screen) -> None:
        self._screen = screen
        self._shown.append(screen)
        self._news.set()

    async def _refreshed(self) -> None:
        self._station.mirroring.poke()
        await self._station.mirroring.settled(None)

    # --- the steps ---

    async def _do(self, step: Step) -> None:
        match step.verb:
            case "say":
                self._out(f"\n{step.words[0]}")
            case "see":
                await self._see(step)
            case "never":
                self._never(step)
            case "lock":
                self._lock(step)
            case "light":
                await self._light(step)
            case _:
                await self._act(step)
                self._out(f"  {step.text}")

    async def _act(self, step: Step) -> None:
        world = self._world
        match step.verb, step.words:
            case "press", (key,):
                world.key(int(key)).press()
            case "insert", (key,):
                await self._insert(int(key))
            case "pull", ():
                await self._pull()
            case "bounce", (seconds,):
                await self._bounce(float(seconds))
            case "type", (strokes,):
                self._type(strokes.replace("<", "\b"))
            case "pin", (holder, *how):
                self._pin(int(holder), how[0] if how else "")
            case "network", ("cut",):
                await world.network.cut()
                await self._refreshed()
            case "network", _:
                await world.network.restore()
                await self._refreshed()
            case "central", _:
                await self._refreshed()
            case "skip", (seconds,):
                world.skipped_s += float(seconds)
            case "lose-power", (key,):
                world.key(int(key)).lose_power()
            case "restart", ():
                await self._end()
                await self._begin()

    async def _insert(self, key: int) -> None:
        """Put a key in; the step is over when the station has noticed."""
        self._shown.clear()
        before = self._visits.state.insertion
        self._world.insert(key)
        await self._until(lambda: self._visits.state.insertion > before, "insert")

    async def _pull(self) -> None:
        """Take the key out, and stand there until the station has noticed."""
        self._world.line.pull()
        await self._until(lambda: self._visits.state.phase in {Phase.EMPTY, Phase.GONE}, "pull")

    @staticmethod
    async def _until(noticed: Callable[[], bool], step: str) -> None:
        deadline = time.monotonic() + SEE_LIMIT_S
        while not noticed():
            if time.monotonic() > deadline:
                raise ExpectationFailed("expectation_failed", step=step, instead="the station notices nothing")
            await asyncio.sleep(LOOK_S)

    async def _bounce(self, seconds: float) -> None:
        key = self._world.line.pull()
        await asyncio.sleep(seconds)
        if key is not None:
            self._world.line.insert(key)

    def _type(self, strokes: str) -> None:
        for stroke in strokes:
            self._visits.press(stroke)

    def _pin(self, holder: int, how: str) -> None:
        pin = self._world.people[holder].pin
        begin = "" if how in {"end", "only"} else "*"
        end = "" if how in {"start", "only"} else "#"
        self._type(begin + pin + end)

    async def _see(self, step: Step) -> None:
        line, *reason = step.words
        deadline = time.monotonic() + SEE_LIMIT_S
        while not self._is_seen(line, reason[0] if reason else None):
            self._news.clear()
            left_s = deadline - time.monotonic()
            try:
                await asyncio.wait_for(self._news.wait(), max(left_s, 0.0))
            except TimeoutError:
                raise self._failed(step, f"the screen says: {self._words()}") from None
            if self._running is not None and self._running.done():
                raise self._failed(step, "the station has stopped")
        self._out(f"  {step.text:<24} -> {self._words()}")

    def _is_seen(self, line: str, reason: str | None) -> bool:
        screen = self._screen
        if screen is None or screen.line != line:
            return False
        receipt = screen.receipt
        shortened = receipt.shortened if receipt is not None else None
        return reason is None or reason in {screen.refusal, screen.status.hindrance, shortened}

    def _never(self, step: Step) -> None:
        if any(screen.line == step.words[0] for screen in self._shown):
            raise self._failed(step, f"the screen has said {step.words[0]} since the key was put in")
        self._out(f"  {step.text}")

    def _lock(self, step: Step) -> None:
        key, lock, area = (int(word) for word in step.words[:3])
        decision = self._world.try_lock(key, lock, area, record=step.words[-1] == "record")
        if decision.reason != step.words[3]:
            raise self._failed(step, f"the lock says {decision.reason.value} ({decision.light.value})")
        self._out(f"  {step.text:<24} -> {decision.light.value}")

    async def _light(self, step: Step) -> None:
        light = self._world.light(int(step.words[0]))
        if light != step.words[1]:
            raise self._failed(step, f"the key's light is {light.value}")
        self._out(f"  {step.text}")

    def _words(self) -> str:
        return str(words(self._screen, self._world.language)) if self._screen is not None else "nothing"

    @staticmethod
    def _failed(step: Step, instead: str) -> ExpectationFailed:
        return ExpectationFailed("expectation_failed", line=step.line, step=step.text, instead=instead)
