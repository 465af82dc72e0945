"""Plays a scenario through the real parts, without a screen, and prints what a person would have seen."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from station.demo.checks import Checks, ExpectationFailed
from station.demo.place import Place
from station.demo.script import Step
from station.demo.served_station import ServedStation
from station.demo.shapes import GROUPS, WEEKDAYS
from station.demo.world import HOME, World
from station.errors import StationError

POLLED_S = 60.0
"""In a time as long as this every station would have asked central for news."""

OUTSIDE_HELP = frozenset({"lock", "light", "station"})
"""Steps of somebody who has taken the key and left: the station may still be noticing that."""

CENTRAL_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "block-key": ("block_key",),
    "unlock-key": ("unlock_key",),
    "return-key": ("return_key",),
    "end-holder": ("end_holder",),
    "close-unit": ("close_unit",),
    "open-unit": ("close_unit", "--open"),
}


class Player:
    """The people of a scenario: before the stations of a `World`, at its locks and at its central server."""

    def __init__(self, world: World, out: Callable[[str], None]) -> None:
        self._world = world
        self._out = out
        self._stations: dict[int, ServedStation] = {}
        self._checks = Checks(world, self._stations)
        self._at: ServedStation

    async def play(self, steps: Sequence[Step]) -> None:
        """Do all steps. Raises ExpectationFailed at the first that does not come true."""
        try:
            await self._go_to(HOME)
            await self._world.central.follow()
            for step in steps:
                await self._do(step)
        finally:
            for station in self._stations.values():
                await station.stop()

    async def _do(self, step: Step) -> None:
        try:
            seen = await self._done(step)
        except ExpectationFailed:
            raise
        except StationError as error:
            raise ExpectationFailed(step, str(error)) from error
        if self._at.stopped:
            raise ExpectationFailed(step, "the station has stopped")
        if step.verb != "say":
            self._out(f"  {step.text:<28} -> {seen}" if seen else f"  {step.text}")

    async def _done(self, step: Step) -> str | None:
        """Do one step; what there is to see, if the step looks at something."""
        if step.verb not in OUTSIDE_HELP:
            await self._at.noticed()
        if step.verb == "say":
            self._out(f"\n{self._world.say_time()}  {step.words[0]}")
            if self._at.place.network.up:
                await self._at.hand_over()
            self._checks.begin_chapter()
            return None
        if step.verb in GROUPS["Expecting"]:
            return await self._checks.expect(step, self._at)
        if step.verb in GROUPS["Around it"]:
            await self._around(step)
        elif step.verb in GROUPS["The station itself"]:
            await self._at_machine(step)
        else:
            await self._at_station(step)
        return None

    # --- at the station ---

    async def _at_station(self, step: Step) -> None:
        world = self._world
        match step.verb, step.words:
            case "press", (key,):
                world.key(int(key)).press()
            case "insert", (key,):
                await self._at.insert(int(key))
            case "pull", ():
                self._at.take()
            case "bounce", (seconds,):
                await self._at.bounce(float(seconds))
            case "type", (strokes,):
                self._at.type(strokes)
            case "pin", (holder, *how):
                self._at.type(self._pin(step, int(holder), *how))
            case "lose-power", (key,):
                world.key(int(key)).lose_power()
            case "station", (number,):
                await self._go_to(int(number))

    async def _at_machine(self, step: Step) -> None:
        match step.verb, step.words:
            case "restart", ():
                await self._at.stop()
                await self._at.start()
            case "power", ("cut",):
                await self._at.lose_power()
            case "power", ("back",):
                await self._at.get_power()
            case "sync", ():
                await self._at.synchronise()
            case "reader", ("gone",):
                self._at.place.line.hang_up()
            case "reader", ("back",):
                self._at.place.line.reopen()
            case "rtc", (how,):
                await self._at.fit_clock(battery=how == "on")

    async def _go_to(self, number: int) -> None:
        if number not in self._stations:
            place = await self._world.place(number)
            if place.is_activation_box:
                # It was enrolled on a network, and stands where there is none.
                await place.network.cut()
            station = ServedStation(self._world, place)
            await station.start()
            self._stations[number] = station
        self._at = self._stations[number]

    def _pin(self, step: Step, holder: int, how: str = "") -> str:
        person = self._world.people.get(holder)
        if person is None:
            raise ExpectationFailed(step, f"there is no holder {holder}")
        begin = "" if how in {"end", "only"} else "*"
        end = "" if how in {"start", "only"} else "#"
        return begin + person.pin + end

    # --- around it ---

    async def _around(self, step: Step) -> None:
        match step.verb, step.words:
            case "skip", ("until", *day, clock):
                weekday = WEEKDAYS.index(day[0]) if day else None
                await self._skip(self._world.seconds_until(clock, weekday))
            case "skip", (seconds,):
                await self._skip(float(seconds))
            case "network", (how, *milliseconds):
                await self._set_network(self._at.place, how, *milliseconds)
            case "ntp", (how,):
                self._at.place.ntp_synchronised = how == "on"
            case "central", _:
                await self._at.refresh()
            case "manage", (what, number, *unit):
                await self._manage(what, number, *unit)
                if self._at.place.network.up:
                    await self._at.refresh()

    async def _skip(self, seconds: float) -> None:
        for station in self._stations.values():
            await station.noticed()
            await station.settled()
        self._world.skip(seconds)
        if seconds < POLLED_S:
            return
        # In the time that has passed they would have asked many times.
        await asyncio.gather(*(s.refresh() for s in self._stations.values() if s.place.network.up))

    async def _set_network(self, place: Place, how: str, milliseconds: str = "0") -> None:
        place.network.delay_s = int(milliseconds) / 1000
        if how == "cut":
            await place.network.cut()
            await self._at.refresh()
        elif how == "restored":
            await place.network.restore()
            await self._at.refresh()
            # It would try again by itself, within a minute.
            await self._at.hand_over()

    async def _manage(self, what: str, number: str, *unit: str) -> None:
        world = self._world
        if what == "hand-out-key":
            await world.hand_out(int(number), self._at.place)
        elif what == "new-pin":
            await world.give_new_pin(int(number))
        elif what == "withdraw-permission":
            await world.central.manage("withdraw_permission", number, *(("--unit", *unit) if unit else ()))
        else:
            command, *options = CENTRAL_COMMANDS[what]
            await world.central.manage(command, number, *options)
