"""What a scenario may expect: of the screen, of keys and locks, of what central gets to hear."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from station.demo.ledger import differences
from station.demo.script import Step
from station.demo.served_station import NOTICE_LIMIT_S, ServedStation
from station.demo.world import World
from station.display.screen import Screen
from station.errors import StationError
from station.ports import KeyFile
from ui import boxes
from ui.sentences import Tone

LATE_S = 3
"""How much of a countdown, or of a minute, a slow machine may have used up before it is looked at."""


COLOURS = {Tone.QUIET: "dark", Tone.OFF: "blue", Tone.ON: "green", Tone.FAULT: "red"}


class ExpectationFailed(StationError):
    """A step of a scenario did not come true. Its text is one plain line, ``FILE:LINE: STEP: instead …``."""

    def __init__(self, step: Step, instead: str) -> None:
        super().__init__("expectation_failed", script=step.script, line=step.line, step=step.text, instead=instead)
        self._text = f"{step.script}:{step.line}: {step.text}: instead {' '.join(instead.split())}"

    def __str__(self) -> str:
        return self._text


class Checks:
    """Looks, and remembers what was there when the chapter (`say`) began."""

    def __init__(self, world: World, stations: Mapping[int, ServedStation]) -> None:
        """``stations``: those that the scenario has been to so far, by number."""
        self._world, self._stations = world, stations
        self._events_before = 0
        self._began_ns = 0
        self._expect: Mapping[str, Callable[[Step, ServedStation], Any]] = {
            "see": self._see,
            "never": self._never,
            "key-shown": self._key_shown,
            "digits": self._digits,
            "wait": self._wait,
            "age": self._age,
            "lock": self._lock,
            "light": self._light,
            "file": self._file,
            "event": self._event,
            "no-event": self._no_event,
            "log": self._log,
            "lamp": self._lamp,
            "trail": self._trail,
            "reconciled": self._reconciled,
        }

    def begin_chapter(self) -> None:
        """What has happened until now is the past."""
        self._events_before = len(self._world.central.events)
        self._began_ns = time.time_ns()

    async def expect(self, step: Step, station: ServedStation) -> str | None:
        """Look whether ``step`` comes true; what there was to see. Raises ExpectationFailed."""
        seen = self._expect[step.verb](step, station)
        result: str | None = await seen if asyncio.iscoroutine(seen) else seen
        return result

    # --- the screen ---

    async def _see(self, step: Step, station: ServedStation) -> str:
        line, *reason = step.words
        await self._comes(step, station, lambda screen: screen.line == line and set(reason) <= _reasons(screen))
        return station.says()

    async def _key_shown(self, step: Step, station: ServedStation) -> str:
        key = int(step.words[0])
        await self._comes(step, station, lambda screen: screen.key == key)
        return station.says()

    async def _digits(self, step: Step, station: ServedStation) -> str:
        count = int(step.words[0])
        await self._comes(step, station, lambda screen: screen.digits == count, lambda screen: f"{screen.digits}")
        return "*" * count or "none"

    async def _wait(self, step: Step, station: ServedStation) -> str:
        wait_s = int(step.words[0])

        def counts_down(screen: Screen) -> bool:
            return screen.wait_s is not None and wait_s - LATE_S <= screen.wait_s <= wait_s

        await self._comes(step, station, counts_down, lambda screen: f"it counts from {screen.wait_s}")
        return station.says()

    async def _age(self, step: Step, station: ServedStation) -> str:
        least_s = float(step.words[0])

        def is_of_age(screen: Screen) -> bool:
            age_s = screen.receipt.mirror_age_s if screen.receipt is not None else screen.status.mirror_age_s
            return age_s is not None and least_s <= age_s <= least_s + 60

        await self._comes(step, station, is_of_age, lambda screen: f"{screen.status.mirror_age_s} s")
        return station.says()

    @staticmethod
    async def _comes(
        step: Step,
        station: ServedStation,
        wanted: Callable[[Screen], bool],
        tell: Callable[[Screen], str] | None = None,
    ) -> None:
        if await station.comes_to_show(wanted):
            return
        if station.stopped:
            raise ExpectationFailed(step, "the station has stopped")
        screen = station.screen
        told = tell(screen) if tell is not None and screen is not None else "the screen says"
        raise ExpectationFailed(step, f"{told}: {station.says()}")

    @staticmethod
    def _never(step: Step, station: ServedStation) -> None:
        if any(screen.line == step.words[0] for screen in station.shown):
            raise ExpectationFailed(step, f"the screen has said {step.words[0]} since the key was put in")

    async def _lamp(self, step: Step, station: ServedStation) -> str:
        await self._comes(step, station, lambda screen: COLOURS[boxes.lamp(screen).tone] == step.words[0])
        return station.lamp()

    # --- keys and locks ---

    def _lock(self, step: Step, _station: ServedStation) -> str:
        key, lock, area = (int(word) for word in step.words[:3])
        decision = self._world.try_lock(key, lock, area, record=step.words[-1] == "record")
        if decision.reason != step.words[3]:
            raise ExpectationFailed(step, f"the lock says {decision.reason.value} ({decision.light.value})")
        return decision.light.value.replace("_", " ")

    async def _light(self, step: Step, _station: ServedStation) -> None:
        key, light = int(step.words[0]), step.words[1]
        # A key's files may be written while its person already reads the screen.
        if not await _comes_true(lambda: self._world.light(key) == light):
            raise ExpectationFailed(step, f"the key's light is {self._world.light(key).value}")

    async def _file(self, step: Step, _station: ServedStation) -> None:
        key, file, wanted = int(step.words[0]), step.words[1], step.words[2]
        files = [each for each in KeyFile if each is not KeyFile.LOG] if file == "any" else [KeyFile(file)]
        if not await _comes_true(lambda: self._is(key, files, wanted)):
            states = ("there", "empty", "written", "unwritten")
            raise ExpectationFailed(step, " and ".join(state for state in states if self._is(key, files, state)))

    def _is(self, key: int, files: Sequence[KeyFile], wanted: str) -> bool:
        folder = self._world.key_folder(key)
        match wanted:
            case "there" | "empty":
                return any(folder.read(file) for file in files) is (wanted == "there")
            case _:
                paths = [folder.path / file.value for file in files]
                written = any(path.exists() and path.stat().st_mtime_ns > self._began_ns for path in paths)
                return written is (wanted == "written")

    # --- central ---

    async def _event(self, step: Step, _station: ServedStation) -> None:
        if not await self._heard(lambda: any(map(self._fits(step), self._since()))):
            raise ExpectationFailed(step, f"central has heard {_told(self._since())}")

    async def _no_event(self, step: Step, station: ServedStation) -> None:
        await station.hand_over()
        # What the follower has not read yet counts too.
        every = (await self._world.central.manage("events", "--json")).splitlines()
        since = [json.loads(line) for line in every[self._events_before :]]
        if any(map(self._fits(step), since)):
            raise ExpectationFailed(step, f"central has heard {_told(since)}")

    async def _log(self, step: Step, _station: ServedStation) -> None:
        lock, key, holder = (int(word) for word in step.words)

        def entries() -> list[Mapping[str, Any]]:
            of_lock = [e for e in self._since() if e["type"] in {"lock_opened", "lock_refused"} and e["lock"] == lock]
            return [e for e in of_lock if (e["key"], e["holder"]) == (key, holder)]

        if not await self._heard(lambda: bool(entries())) or len(entries()) != 1:
            log = [e for e in self._since() if e["lock"] is not None]
            told = ", ".join(f"lock {e['lock']} key {e['key']} holder {e['holder']}" for e in log)
            raise ExpectationFailed(step, f"the opening log has {told or 'nothing'}")

    async def _trail(self, step: Step, _station: ServedStation) -> str:
        told = await self._world.central.manage("events", "--json", "--key", step.words[0])
        events = sorted((json.loads(line) for line in told.splitlines()), key=lambda event: int(event["at"]))
        rows = [self._told_of(event) for event in events if event["type"] != "key_synced"]
        return "\n".join([f"{len(rows)} events", *(f"      {row}" for row in rows)])

    def _told_of(self, event: Mapping[str, Any]) -> str:
        lock, data = event["lock"], event["data"]
        where = f"station {event['station']}" if lock is None else f"lock {lock}"
        why = data.get("outcome") or data.get("reason") or ""
        through = "" if lock is None else f"(told by station {event['station']})"
        return f"{self._world.say_time(event['at'])}  {where:<10} {event['type']} {why} {through}".rstrip()

    async def _reconciled(self, step: Step, _station: ServedStation) -> str:
        counts = [await station.counted() for station in self._stations.values()]
        # Nobody goes on before both sides have been looked at.
        told = await self._world.central.manage("events", "--json")
        for station in self._stations.values():
            await station.go_on()
        events = [json.loads(line) for line in told.splitlines()]
        if found := differences(events, counts, self._world.lock_entries):
            raise ExpectationFailed(step, "; ".join(found))
        return (
            f"{sum(count.events for count in counts)} events of {len(counts)} stations, none lost, none doubled; "
            f"the opening log has the {len(self._world.lock_entries)} entries that locks wrote"
        )

    @staticmethod
    def _fits(step: Step) -> Callable[[Mapping[str, Any]], bool]:
        type_, key, reason = (*step.words, None, None)[:3]

        def fits(event: Mapping[str, Any]) -> bool:
            if event["type"] != type_ or (key is not None and event["key"] != int(key)):
                return False
            return reason is None or event["data"].get("reason") == reason

        return fits

    def _since(self) -> Sequence[Mapping[str, Any]]:
        return self._world.central.events[self._events_before :]

    async def _heard(self, wanted: Callable[[], bool]) -> bool:
        central = self._world.central
        try:
            async with asyncio.timeout(NOTICE_LIMIT_S):
                while not wanted():
                    await central.told(len(central.events))
        except TimeoutError:
            return False
        return True


async def _comes_true(wanted: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + NOTICE_LIMIT_S
    while not wanted():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def _reasons(screen: Screen) -> set[str | None]:
    shortened = screen.receipt.shortened if screen.receipt is not None else None
    return {screen.refusal, screen.status.hindrance, shortened}


def _told(events: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{e['type']} {e['key'] or ''} {e['data'].get('reason', '')}".strip() for e in events) or "nothing"
