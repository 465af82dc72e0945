"""Plays a seed from beginning to end."""

import asyncio
import logging
import random as global_random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from station.display.screen import Line
from station.records import envelope
from tests.simulation import faults, people
from tests.simulation.machine import new_loop
from tests.simulation.signatures import CheckedOnce
from tests.simulation.world import TRACE_SHOWN, World

VISITS = 20
WALK_S = 5.0
DRAINED_WITHIN_POLLS = 60
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Outcome:
    """What came of a seed."""

    seed: int
    visits: int
    digest: str
    days: float
    seen: dict[str, int] = field(default_factory=dict)
    trace: tuple[str, ...] = ()
    error: BaseException | None = None

    @property
    def report(self) -> str:
        """For whoever has to find out: what went wrong, what led to it, how to see it again."""
        lines = [f"seed {self.seed}: {type(self.error).__name__}: {self.error}", *self.trace[-TRACE_SHOWN:]]
        return "\n".join([*lines, f"again: python -m tests.simulation --seed {self.seed} --visits {self.visits}"])


def simulate(seed: int, visits: int = VISITS) -> Outcome:
    """One simulated site, from its first visit to the last event at central. Never raises for what it finds."""
    logging.getLogger("station").setLevel(logging.CRITICAL + 1)
    with ExitStack() as stack:
        # The spread of the station's own retries is part of the seed.
        state = global_random.getstate()
        stack.callback(global_random.setstate, state)
        global_random.seed(seed)
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None, prefix="station-"))
        )
        stack.enter_context(patch.object(envelope, "Ed25519PublicKey", CheckedOnce()))
        loop = new_loop()
        stack.callback(loop.close)
        return loop.run_until_complete(_played(seed, visits, folder))


async def _played(seed: int, visits: int, folder: Path) -> Outcome:
    asyncio.get_running_loop().set_exception_handler(_unheard)
    world = World(seed, folder)
    error = None
    try:
        await _play(world, visits)
    except Exception as found:  # noqa: BLE001 - a finding, whatever it is
        error = found
    finally:
        await world.close()
    return Outcome(seed, visits, world.digest, world.days, dict(world.model.seen), tuple(world.trace), error)


async def _play(world: World, visits: int) -> None:
    for machine in world.machines:
        await world.start(machine, "power")
    for world.step in range(1, visits + 1):
        await _step(world)
    world.step += 1
    await _ending(world)


async def _step(world: World) -> None:
    machine = world.random.choice(world.machines)
    if machine is not world.last_at:
        # From one station to another it is a walk: what the first one still had to say of a key, it has said by then.
        await world.wait(WALK_S)
    world.last_at = machine
    await faults.between(world)
    for each in world.machines:
        if not each.alive:
            await world.start(each, "crash")
    accident = faults.during(world, machine)
    await people.visit(world, machine)
    if accident is not None:
        await accident
    world.check()


async def _ending(world: World) -> None:
    """Everything is mended, every key comes once more, central is told everything: then the books are compared."""
    await faults.none(world)
    await world.skip(60)
    for key in world.keys.values():
        machine = world.machines[0]
        world.put(machine, key)
        await people.until(world, machine, Line.PROMPT, Line.REFUSED, longest_s=10.0)
        while not machine.idle:
            await world.wait(0.1)
        if key.act:
            raise AssertionError(f"key {key.number} is in a station that works, and not off")
        world.pull(machine)
        await world.wait(0.9)
    # What is still to be said of the last key is said, before it is asked whether all of it has been sent.
    await world.wait(WALK_S)
    for _ in range(DRAINED_WITHIN_POLLS):
        if all([not await _owes(machine.station) for machine in world.machines]):
            break
        await world.skip(60)
    world.check()
    world.model.check_events(world.machines)


async def _owes(station: Any) -> bool:
    return bool(station.visits.unwritten_events) or await station.store.pending_count() > 0


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Of tasks that ended with their process, nobody wants to hear.
    del loop, context
