"""The states of a visit, how a key comes to each, and what a person does who is disturbed there."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from station.display.screen import Line
from station.ports import KeyFile
from station.records.claims import KeyKind
from station.rules.facts import KeyStatus
from station.visit.state import Phase, Presence, State
from tests import virtual_time
from tests.faults.bad_contact import ContactInMemory
from tests.faults.worst_visit import ENTRY, WorstVisit
from tests.services.site import ANNA, HER_KEY

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
ROUNDS = 6 if FULL else 1
"""Of each case, at other moments."""
WITHIN_S = 0.5
PIN_TAKES_S = 0.15
"""On a small board; it leaves time for something to happen meanwhile."""
QUIET_S = 1.0
LEFT_IN_S = 125.0


class Moment(StrEnum):
    """Where a visit is disturbed: a phase with its key there, or one of the two at the end."""

    EMPTY = "empty"
    CLEARING = "clearing"
    READING = "reading"
    PROMPT = "prompt"
    CHECKING = "checking"
    ACTIVATING = "activating"
    READY = "ready"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    STILL_ON = "still_on"
    SWITCHING_OFF = "switching_off"
    LEFT_IN = "left_in"
    BROKEN = "broken"
    IDENTIFYING = "identifying"
    """A ready key is back, and is asked whether it is the same."""
    GONE = "gone"
    """The key was just being taken out."""


def moment_of(state: State) -> Moment:
    """Where the visit is."""
    match state.presence:
        case Presence.OUT if state.phase not in {Phase.EMPTY, Phase.BROKEN}:
            return Moment.GONE
        case Presence.RETURNING if state.phase is Phase.READY:
            return Moment.IDENTIFYING
        case Presence.RETURNING:
            return Moment.READING
        case _:
            return Moment(state.phase.value)


@dataclass(frozen=True)
class Scene:
    """How a visit comes to a moment, and where it ends that is disturbed there."""

    moment: Moment
    ends: frozenset[Line] = frozenset({Line.READY})
    delay_s: float = 0.0
    """How long after the phase began the disturbance does, at most."""


SCENES = [
    Scene(Moment.EMPTY),
    Scene(Moment.CLEARING, delay_s=0.02),
    Scene(Moment.READING, delay_s=0.02),
    Scene(Moment.PROMPT, delay_s=0.4),
    Scene(Moment.CHECKING, delay_s=PIN_TAKES_S),
    Scene(Moment.ACTIVATING, delay_s=0.08),
    Scene(Moment.READY, delay_s=0.5),
    Scene(Moment.IDENTIFYING, delay_s=0.01),
    Scene(Moment.REFUSED, frozenset({Line.REFUSED}), delay_s=0.5),
    Scene(Moment.UNREADABLE, frozenset({Line.UNREADABLE}), delay_s=0.5),
    Scene(Moment.STILL_ON, frozenset({Line.STILL_ON}), delay_s=0.5),
    Scene(Moment.SWITCHING_OFF, frozenset({Line.LEFT_IN, Line.PROMPT}), delay_s=0.02),
    Scene(Moment.LEFT_IN, frozenset({Line.LEFT_IN, Line.PROMPT}), delay_s=0.5),
    # Where it last touched while it was being pulled out, the station may not have come to see that it is off.
    Scene(Moment.GONE, frozenset({Line.OUT_OFF, Line.OUT_UNSURE})),
    Scene(Moment.BROKEN),
]
AFTER_READY = frozenset({Moment.READY, Moment.IDENTIFYING, Moment.SWITCHING_OFF, Moment.LEFT_IN})


class Disturbed:
    """One site for one scene: her visit comes to the phase, then ``disturb`` is called."""

    def __init__(self, visit: WorstVisit, scene: Scene) -> None:
        self.visit, self.scene = visit, scene
        self.station, self.site, self.line = visit.station, visit.site, visit.line
        self.disturbed_at_s: float | None = None
        self.pin_takes_s = PIN_TAKES_S
        self.his_files: dict[str, bytes] = {}
        self.types = True
        """She types her PIN when she is asked for it."""

    @classmethod
    async def at(cls, folder: Path, scene: Scene) -> "Disturbed":
        visit = await WorstVisit.at(folder, ContactInMemory)
        it, tags = cls(visit, scene), visit.station.station.pin_tags.tags

        async def takes_its_time(entry: Any) -> tuple[bytes, ...]:
            await asyncio.sleep(it.pin_takes_s)
            return await tags(entry)

        visit.station.station.pin_tags.tags = takes_its_time  # type: ignore[method-assign]
        if scene.moment is Moment.REFUSED:
            visit.site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.BLOCKED)
            await visit.site.refresh(visit.station)
        if scene.moment is Moment.UNREADABLE:
            visit.before[KeyFile.ID.value] = b"no record"
        return it

    async def come_to_it(self, disturb: Callable[[], None], delay_s: float) -> None:
        """Have ``disturb`` called so long after the phase began."""
        loop, moment = asyncio.get_running_loop(), self.scene.moment
        self.disturbed_at_s = None

        def now() -> None:
            self.disturbed_at_s = loop.time()
            disturb()

        def entered(state: State) -> None:
            if moment_of(state) is moment:
                self.visit.on_change = lambda _: None
                loop.call_later(delay_s, now)

        await self._before()
        if moment is Moment.READY:
            loop.call_later(delay_s, now)
            return
        at_once = moment in {Moment.EMPTY, Moment.GONE, Moment.BROKEN}
        if not at_once:
            self.visit.on_change = entered
        await self._come()
        if at_once:
            now()

    async def _before(self) -> None:
        """What goes before the phase."""
        visit, moment = self.visit, self.scene.moment
        if moment is Moment.STILL_ON:
            visit.key.use(replace(visit.key.options, read_only=True))
        if moment in AFTER_READY | {Moment.GONE}:
            visit.insert()
            await visit.until(Line.PROMPT)
            if moment is not Moment.GONE:
                visit.station.type(ENTRY)
                await visit.until(Line.READY)
            await visit.sleep(0.6)
        if moment is Moment.BROKEN:
            self.line.hang_up()
            await visit.until(Line.READER_BROKEN)
            await visit.sleep(2.0)
            self.line.reopen()

    async def _come(self) -> None:
        """What leads to it."""
        visit = self.visit
        match self.scene.moment:
            case Moment.SWITCHING_OFF | Moment.LEFT_IN:
                self.site.skip(LEFT_IN_S)
                visit.key.press()  # it would be awake: it was asked all the while
            case Moment.IDENTIFYING:
                await visit.out()
                await visit.sleep(0.5)
                visit.insert()
            case Moment.GONE:
                pass
            case _:
                visit.insert()

    async def typing(self, entry: str, *ends: Line, within_s: float = 25.0) -> None:
        """Type the PIN whenever the screen has asked for it for a while; until one of these lines stays."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + within_s
        while loop.time() < give_up_s:
            line, insertion = self.station.screen.line, self.station.visits.state.insertion
            disturbed = self.disturbed_at_s is not None and loop.time() > self.disturbed_at_s + WITHIN_S
            if line in ends and disturbed:
                await self.visit.sleep(QUIET_S)
                if self.station.screen.line is line:
                    return
            elif line in {Line.PROMPT, Line.WRONG_PIN} and line not in ends:
                await self.visit.sleep(0.4)
                still = self.station.screen.line is line and self.station.visits.state.insertion == insertion
                if still and self.types:
                    self.station.type(entry)
                    await self.visit.change(0.3)
            else:
                await self.visit.change(0.25)
        raise AssertionError(f"not {ends} but {self.station.lines[-20:]}")


def run(folder: Path, scene: Scene, cases: Callable[[Disturbed], Coroutine[Any, Any, int]]) -> int:
    async def work() -> int:
        it = await Disturbed.at(folder, scene)
        try:
            return await cases(it)
        finally:
            await it.visit.close()

    return virtual_time.run(work())
