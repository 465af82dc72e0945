"""What a scenario may expect: of the screen, of keys and locks, of what central gets to hear."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from station.demo.central_server import READING
from station.demo.reconciliation import differences
from station.demo.served_station import NOTICE_LIMIT_S, ServedStation
from station.demo.site import DemoSite
from station.demo.steps import Instead, step
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.rules.facts import OffOnlyReason, Refusal, Shortened, Unfit
from station.rules.locks import Light, Reason
from ui import box_words
from ui.sentences import Tone

LATE_S = 3
"""How much of a countdown, or of a minute, a slow machine may have used up before it is looked at."""
COLOURS = {Tone.QUIET: "dark", Tone.OFF: "white", Tone.ON: "green", Tone.FAULT: "red"}
REASONS = frozenset[str]({*Refusal, *Unfit, *OffOnlyReason, *Shortened})

Event = Mapping[str, Any]


class Expectations:
    """The steps that look. Those of central look at what has happened since `begin_chapter`.

    Words are those of the enumerations: a line of the screen, a reason, what a lock says. Any other is a ValueError.
    """

    def __init__(self, site: DemoSite, out: Callable[[str], None]) -> None:
        self.site = site
        self.out = out
        self.stations: dict[int, ServedStation] = {}
        """Those that the scenario has been to so far, by number."""
        self.at: ServedStation
        self._events_before = 0
        self._began_ns = 0

    def begin_chapter(self) -> None:
        """What has happened until now is the past."""
        self._events_before = len(self.site.central.events)
        self._began_ns = time.time_ns()

    # --- the screen ---

    @step()
    async def see(self, line: str, reason: str | None = None) -> str:
        """The screen comes to say this, for this reason: a refusal, what a station cannot do, why an end is early."""
        wanted, why = Line(line), _known_reason(reason)
        await self._comes(lambda screen: screen.line is wanted and (why is None or why in _reasons(screen)))
        return self.at.says()

    @step()
    async def never(self, line: str) -> None:
        """The screen has not said this since the last `insert`."""
        if any(screen.line is Line(line) for screen in self.at.shown):
            raise Instead(f"the screen has said {line} since the key was put in")

    @step()
    async def key_shown(self, key: int) -> str:
        """The screen is about this key."""
        await self._comes(lambda screen: screen.key == key)
        return self.at.says()

    @step()
    async def digits(self, count: int) -> str:
        """The screen shows so many typed digits."""
        await self._comes(lambda screen: screen.digits == count, lambda screen: f"{screen.digits}")
        return "*" * count or "none"

    @step()
    async def wait(self, wait_s: int) -> str:
        """The screen counts down from about so many seconds."""

        def counts_down(screen: Screen) -> bool:
            return screen.wait_s is not None and wait_s - LATE_S <= screen.wait_s <= wait_s

        await self._comes(counts_down, lambda screen: f"it counts from {screen.wait_s}")
        return self.at.says()

    @step()
    async def age(self, least_s: int) -> str:
        """The screen says that the data is so old, or at most a minute older."""

        def is_of_age(screen: Screen) -> bool:
            age_s = screen.receipt.mirror_age_s if screen.receipt is not None else screen.status.mirror_age_s
            return age_s is not None and least_s <= age_s <= least_s + 60

        await self._comes(is_of_age, lambda screen: f"{screen.status.mirror_age_s} s")
        return self.at.says()

    @step()
    async def lamp(self, colour: Literal["dark", "white", "green", "red"]) -> str:
        """An activation box's screen: white is a key that is there and off, green one that is on, red a refusal."""
        await self._comes(lambda screen: COLOURS[box_words.lamp(screen)] == colour)
        return self.at.lamp()

    async def _comes(self, wanted: Callable[[Screen], bool], described: Callable[[Screen], str] | None = None) -> None:
        if await self.at.comes_to_show(wanted):
            return
        if self.at.stopped:
            raise Instead("the station has stopped")
        screen = self.at.screen
        what = described(screen) if described is not None and screen is not None else "the screen says"
        raise Instead(f"{what}: {self.at.says()}")

    # --- keys and locks ---

    @step(leaves=True)
    async def lock(self, key: int, lock: int, area: int, outcome: str, *, record: bool = False) -> str:
        """Turn a key in a lock; ``record`` has the lock write it to the key's log. Lock 1 is every station's own."""
        decision = self.site.try_lock(key, lock, area, record=record)
        if decision.reason is not Reason(outcome):
            raise Instead(f"the lock says {decision.reason.value} ({decision.light.value})")
        return decision.light.value.replace("_", " ")

    @step(leaves=True)
    async def light(self, key: int, light: str) -> None:
        """The key's own light."""
        wanted = Light(light)
        # A key's files may be written while its person already reads the screen.
        if not await _comes_true(lambda: self.site.light(key) is wanted):
            raise Instead(f"the key's light is {self.site.light(key).value}")

    @step()
    async def file(self, key: int, file: str, state: Literal["there", "empty", "written", "unwritten"]) -> None:
        """A file on a key has something in it or not, was written in this chapter or not; ``any``: all but the log."""
        files = [each for each in KeyFile if each is not KeyFile.LOG] if file == "any" else [KeyFile(file)]
        if not await _comes_true(lambda: self._is(key, files, state)):
            states = ("there", "empty", "written", "unwritten")
            raise Instead(" and ".join(each for each in states if self._is(key, files, each)))

    def _is(self, key: int, files: Sequence[KeyFile], state: str) -> bool:
        folder = self.site.key_folder(key)
        if state in {"there", "empty"}:
            return any(folder.read(file) for file in files) is (state == "there")
        paths = [folder.path / file.value for file in files]
        written = any(path.exists() and path.stat().st_mtime_ns > self._began_ns for path in paths)
        return written is (state == "written")

    # --- central ---

    @step()
    async def event(self, type_: str, key: int | None = None, reason: str | None = None) -> None:
        """Central gets to hear of this in this chapter: the type, about this key, with this reason."""
        fits = _fits(type_, key, _known_reason(reason))
        if not await self.heard(lambda: any(map(fits, self._since()))):
            raise Instead(f"central has heard {_listed(self._since())}")

    @step()
    async def no_event(self, type_: str, key: int | None = None) -> None:
        """Everything that the station had to tell has reached central, and this was not in it in this chapter."""
        await self.at.hand_over()
        # What the follower has not read yet counts too.
        since = (await self._every_event())[self._events_before :]
        if any(map(_fits(type_, key, None), since)):
            raise Instead(f"central has heard {_listed(since)}")

    @step()
    async def log(self, lock: int, key: int, holder: int) -> None:
        """Central's opening log has one entry in this chapter of this lock, this key and this holder."""

        def entries() -> list[Event]:
            of_lock = [e for e in self._since() if e["type"] in {"lock_opened", "lock_refused"} and e["lock"] == lock]
            return [e for e in of_lock if (e["key"], e["holder"]) == (key, holder)]

        if not await self.heard(lambda: bool(entries())) or len(entries()) != 1:
            log = [e for e in self._since() if e["lock"] is not None]
            listed = ", ".join(f"lock {e['lock']} key {e['key']} holder {e['holder']}" for e in log)
            raise Instead(f"the opening log has {listed or 'nothing'}")

    @step()
    async def trail(self, key: int) -> str:
        """Everything that central has heard about a key, oldest first, is printed."""
        events = sorted(await self._every_event("--key", str(key)), key=lambda event: int(event["at"]))
        rows = [self._as_line(event) for event in events if event["type"] != "key_synced"]
        return "\n".join([f"{len(rows)} events", *(f"      {row}" for row in rows)])

    def _as_line(self, event: Event) -> str:
        lock, data = event["lock"], event["data"]
        where = f"station {event['station']}" if lock is None else f"lock {lock}"
        why = data.get("outcome") or data.get("reason") or ""
        through = "" if lock is None else f"(told by station {event['station']})"
        return f"{self.site.say_time(event['at'])}  {where:<10} {event['type']} {why} {through}".rstrip()

    @step()
    async def reconciled(self) -> str:
        """Every station and box has handed over all that it counted, central has it once, and what locks wrote."""
        counts = [await station.counted() for station in self.stations.values()]
        # Nobody goes on before both sides have been looked at.
        events = await self._every_event()
        for station in self.stations.values():
            await station.go_on()
        if found := differences(events, counts, self.site.lock_entries):
            raise Instead("; ".join(found))
        return (
            f"{sum(count.events for count in counts)} events of {len(counts)} stations, none lost, none doubled; "
            f"the opening log has the {len(self.site.lock_entries)} entries that locks wrote"
        )

    async def _every_event(self, *options: str) -> list[Event]:
        lines = await self.site.central.manage("events", *READING, "--json", *options)
        return [json.loads(line) for line in lines.splitlines()]

    def _since(self) -> Sequence[Event]:
        return self.site.central.events[self._events_before :]

    async def heard(self, wanted: Callable[[], bool]) -> bool:
        """Whether ``wanted`` comes true of what central has heard, in time."""
        central = self.site.central
        try:
            async with asyncio.timeout(NOTICE_LIMIT_S):
                while not wanted():
                    await central.wait_for_more_events(len(central.events))
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


def _known_reason(reason: str | None) -> str | None:
    if reason is not None and reason not in REASONS:
        raise ValueError(reason)
    return reason


def _reasons(screen: Screen) -> set[str | None]:
    shortened = screen.receipt.shortened if screen.receipt is not None else None
    return {screen.refusal, screen.status.off_only, shortened}


def _fits(type_: str, key: int | None, reason: str | None) -> Callable[[Event], bool]:
    def fits(event: Event) -> bool:
        if event["type"] != type_ or (key is not None and event["key"] != key):
            return False
        return reason is None or event["data"].get("reason") == reason

    return fits


def _listed(events: Sequence[Event]) -> str:
    return ", ".join(f"{e['type']} {e['key'] or ''} {e['data'].get('reason', '')}".strip() for e in events) or "nothing"
