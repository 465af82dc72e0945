"""A scenario: what people do at the stations and locks of a `DemoSite`, and at its central server.

The scenarios themselves are functions in `station.demo.scenarios`, one file each. They go through the real parts,
without a screen; each step prints a line, and where it looks at something, what a person would have seen.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal, TypeAlias

from station.demo.expectations import Expectations
from station.demo.served_station import ServedStation
from station.demo.site import HOME, DemoSite
from station.demo.steps import ExpectationFailed, Instead, step

POLLED_S = 60.0
"""In a time as long as this every station would have asked central for news."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CENTRAL_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "block-key": ("block_key",),
    "unlock-key": ("unlock_key",),
    "return-key": ("return_key",),
    "end-holder": ("end_holder",),
    "close-unit": ("close_unit",),
    "open-unit": ("close_unit", "--open"),
}


class Scenario(Expectations):
    """Steps that do something; those that look are `Expectations`. It begins in front of station 1."""

    async def say(self, heading: str) -> None:
        """Begin a chapter: a heading with the time."""
        await self.at.noticed()
        self.out(f"\n{self.site.say_time()}  {heading}")
        if self.at.place.network.up:
            await self.at.hand_over()
        self.begin_chapter()

    # --- at the station ---

    @step()
    async def insert(self, key: int) -> None:
        """Press a key's button, put it in, and wait until the station has noticed."""
        await self.at.insert(key)

    @step()
    async def press(self, key: int) -> None:
        """Press a key's button: it is awake for 20 s."""
        self.site.key(key).press()

    @step()
    async def pull(self) -> None:
        """Take the key out. What comes next at this station waits until that has been noticed; a lock does not."""
        self.at.take()

    @step()
    async def bounce(self, seconds: float) -> None:
        """Break the key's contact for so long; the station may or may not notice."""
        await self.at.bounce(seconds)

    @step()
    async def type(self, strokes: str) -> None:
        """Type on the keypad: digits, ``*``, ``#``; ``<`` is Backspace."""
        await self.at.type(strokes)

    @step()
    async def pin(self, holder: int, how: Literal["", "start", "end", "only"] = "") -> None:
        """Type somebody's PIN as ``*PIN#``; with ``end`` as ``PIN#``, with ``start`` as ``*PIN``, else the digits."""
        person = self.site.people.get(holder)
        if person is None:
            raise Instead(f"there is no holder {holder}")
        begin = "" if how in {"end", "only"} else "*"
        end = "" if how in {"start", "only"} else "#"
        await self.at.type(begin + person.pin + end)

    @step()
    async def lose_power(self, key: int) -> None:
        """Take a key's battery out and put it in again."""
        self.site.key(key).lose_power()

    @step(leaves=True)
    async def station(self, number: int) -> None:
        """Go to another station of the site; it is put up and enrolled the first time."""
        await self.go_to(number)

    async def go_to(self, number: int) -> None:
        """As the step `station`, without a word."""
        if number not in self.stations:
            place = await self.site.install(number)
            if place.is_activation_box:
                # It was enrolled on a network, and stands where there is none.
                await place.network.cut()
            station = ServedStation(self.site, place)
            await station.start()
            self.stations[number] = station
        self.at = self.stations[number]

    # --- often together ---

    async def switch_on(self, key: int, holder: int) -> None:
        """A shift begins: key in, prompt, PIN, ready, key out."""
        await self.insert(key)
        await self.see("prompt")
        await self.pin(holder)
        await self.see("ready")
        await self.pull()

    async def switch_off(self, key: int) -> None:
        """A shift ends: key in, prompt, key out."""
        await self.insert(key)
        await self.see("prompt")
        await self.pull()

    async def type_wrong_pins(self, count: int) -> None:
        """So many PINs that nobody has, each refused."""
        for _ in range(count):
            await self.type("*000000#")
            await self.see("wrong_pin")

    # --- the station itself ---

    @step()
    async def restart(self) -> None:
        """Stop the station and start it again."""
        await self.at.stop()
        await self.at.start()

    @step()
    async def power(self, how: Literal["cut", "back"]) -> None:
        """Take the station's power in the middle of what it does, or give it back: the machine boots anew."""
        await (self.at.lose_power() if how == "cut" else self.at.get_power())

    @step()
    async def sync(self) -> None:
        """Stop the station, run `station sync`, start it again; an activation box is connected meanwhile."""
        await self.at.synchronise()

    @step()
    async def reader(self, how: Literal["gone", "back"]) -> None:
        """Take the station's key reader away, or put it back."""
        line = self.at.place.line
        line.hang_up() if how == "gone" else line.reopen()

    @step()
    async def rtc(self, how: Literal["on", "off"]) -> None:
        """Fit this station with a battery-backed clock that its configuration trusts, or take it away."""
        await self.at.fit_clock(battery=how == "on")

    # --- around it ---

    @step()
    async def skip(self, seconds: float) -> None:
        """Let time pass at once, for central, stations, keys and locks."""
        await self._skip(seconds)

    @step("skip until")
    async def skip_until(self, when: str) -> None:
        """The same until the site's clocks show ``HH:MM`` again, or ``mon HH:MM``."""
        *day, clock = when.split()
        await self._skip(self.site.seconds_until(clock, WEEKDAYS.index(day[0]) if day else None))

    async def _skip(self, seconds: float) -> None:
        for station in self.stations.values():
            await station.noticed()
            await station.wait_until_idle()
        self.site.skip(seconds)
        if seconds >= POLLED_S:
            # In the time that has passed they would have asked many times.
            await asyncio.gather(*(s.refresh() for s in self.stations.values() if s.place.network.up))

    @step()
    async def network(self, how: Literal["cut", "restored", "slow"], answers_take_ms: int = 0) -> None:
        """Cut this station's network, restore it, or make each answer of central take longer."""
        network = self.at.place.network
        network.delay_s = answers_take_ms / 1000
        if how == "cut":
            await network.cut()
            await self.at.refresh()
        elif how == "restored":
            await network.restore()
            await self.at.refresh()
            # It would try again by itself, within a minute.
            await self.at.hand_over()

    @step()
    async def ntp(self, how: Literal["on", "off"]) -> None:
        """What the kernel says of this station's clock: synchronised or not (as at the beginning)."""
        self.at.place.ntp_synchronised = how == "on"

    @step("central refreshed")
    async def central_refreshed(self) -> None:
        """Wait until this station has asked central for news."""
        await self.at.refresh()

    @step()
    async def manage(self, what: str, number: int, unit: int | None = None) -> None:
        """Do at central what a coordinator does, and have this station ask for news.

        ``what``: one of `CENTRAL_COMMANDS`, ``hand-out-key``, ``new-pin``, ``withdraw-permission`` (in ``unit``).
        """
        if what == "hand-out-key":
            await self.site.hand_out(number, self.at.place)
        elif what == "new-pin":
            await self.site.give_new_pin(number)
        elif what == "withdraw-permission":
            of_unit = () if unit is None else ("--unit", str(unit))
            await self.site.central.manage("withdraw_permission", str(number), *of_unit)
        else:
            command, *options = CENTRAL_COMMANDS[what]
            await self.site.central.manage(command, str(number), *options)
        if self.at.place.network.up:
            await self.at.refresh()


Play: TypeAlias = Callable[[Scenario], Awaitable[None]]


def named(name: str) -> Play:
    """One of `station.demo.scenarios.names`."""
    found: Play = import_module(f"station.demo.scenarios.{name}").play
    return found


async def play(scenario: Play, site: DemoSite, out: Callable[[str], None]) -> None:
    """Do all its steps. Raises ExpectationFailed at the first that does not come true."""
    scene = Scenario(site, out)
    try:
        await scene.go_to(HOME)
        await site.central.follow()
        await scenario(scene)
    except ExpectationFailed as failure:
        frames = traceback.extract_tb(failure.__traceback__)
        file = getattr(scenario, "__code__", None)
        own = [frame for frame in frames if file is not None and frame.filename == file.co_filename]
        if own:
            failure.where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        raise
    finally:
        for station in scene.stations.values():
            await station.stop()
