"""What people do at a station, drawn: in time, too early, too late, with wrong PINs, with the key of somebody else."""

from collections.abc import Awaitable, Callable
from random import Random

from station.display.screen import Line
from station.records.claims import Category, KeyKind
from tests.simulation.keys import SimulatedKey
from tests.simulation.machine import Machine
from tests.simulation.model import OUT
from tests.simulation.world import WORKERS, World

SWAP_S = (0.1, 0.5)
BOUNCE_S = (0.02, 4.0)
NOTICED_WITHIN_POLLS = 8


async def visit(world: World, machine: Machine) -> None:
    """Somebody comes to a station, does something drawn, and goes."""
    style, weight = zip(*_STYLES, strict=True)
    chosen: Callable[[World, Machine], Awaitable[None]] = world.random.choices(style, weight)[0]
    await chosen(world, machine)
    if machine.slot.key is not None:
        world.pull(machine)
    # Until the station has noticed: at once, or when it has waited for an answer for long enough.
    await world.wait(0.7)
    for _ in range(NOTICED_WITHIN_POLLS):
        if machine.alive and machine.line not in OUT:
            await world.wait(0.1)
    if machine.alive and machine.line not in OUT:
        raise AssertionError(f"the key is out and the screen of station {machine.number} says {machine.line}")
    if world.random.random() < 0.6:
        await world.wait(world.random.uniform(0.5, 3.0))


def some_key(world: World) -> SimulatedKey:
    """Any key that is in no socket."""
    taken = {machine.slot.key for machine in world.machines}
    return world.random.choice([key for key in world.keys.values() if key not in taken])


def right_pin(world: World, key: SimulatedKey) -> str:
    """The PIN of somebody who may switch this key on."""
    truth = world.model.keys[key.number]
    entitled = [
        worker
        for worker in WORKERS
        if (truth.kind is KeyKind.PERSONAL and worker.holder == truth.holder)
        or (truth.kind is KeyKind.SUBSTITUTE and worker.category is Category.HOURLY)
        or (truth.kind is KeyKind.EMERGENCY and worker.category is not Category.HOURLY)
    ]
    return world.pin(world.random.choice(entitled))


def wrong_pin(world: World, key: SimulatedKey) -> str:
    """A slip, a colleague's PIN, an old one, half of one."""
    right, random = right_pin(world, key), world.random
    worker = random.choice(WORKERS)
    return random.choice(
        [
            right[:-1] + str((int(right[-1]) + 1) % 10),
            world.pin(worker),
            world.model.pins[worker.holder][0][0],
            right[:4],
            right + right,
            "0",
        ]
    )


def entry(random: Random, pin: str) -> str:
    """A PIN as it is typed: with a star in front or without, with a slip mended or begun anew."""
    return random.choice([f"*{pin}#", f"{pin}#", f"{pin[:3]}9\b{pin[3:]}#", f"12*{pin}#", f"*{pin}##"])


async def type_(world: World, machine: Machine, text: str, *, longest_s: float = 0.2) -> None:
    """Type ``text``; hurried or not, but always the same way for the whole of it."""
    pause_s = world.random.choice([0.0, 0.05, longest_s])
    world.note(f"station {machine.number}: somebody types {text!r}")
    for stroke in text:
        world.press(machine, stroke)
        if pause_s:
            await world.wait(pause_s)


async def until(world: World, machine: Machine, *lines: Line, longest_s: float = 5.0) -> bool:
    """Wait for one of these lines, as long as a person would."""
    for _ in range(int(longest_s / 0.1)):
        if machine.line in lines or not machine.alive:
            return machine.line in lines
        await world.wait(0.1)
    return False


async def _goes_home(world: World, machine: Machine) -> None:
    world.put(machine, some_key(world))
    await world.wait(world.random.choice([0.1, 0.4, 1.0, 2.5]))


async def _starts(world: World, machine: Machine) -> None:
    key = some_key(world)
    world.put(machine, key)
    await _gets_it_on(world, machine, key)


async def _gets_it_on(world: World, machine: Machine, key: SimulatedKey) -> None:
    random = world.random
    if random.random() < 0.6:
        await until(world, machine, Line.PROMPT, Line.REFUSED, longest_s=2.0)
        await world.wait(random.uniform(0.0, 1.0))
    await type_(world, machine, entry(random, right_pin(world, key)))
    if await until(world, machine, Line.READY, Line.REFUSED, Line.WRONG_PIN, Line.WAIT):
        await world.wait(random.uniform(0.1, 2.0))


async def _types_wrong(world: World, machine: Machine) -> None:
    key = some_key(world)
    world.put(machine, key)
    await until(world, machine, Line.PROMPT, Line.REFUSED, longest_s=2.0)
    for _ in range(world.random.randint(1, 3)):
        await type_(world, machine, entry(world.random, wrong_pin(world, key)))
        await until(world, machine, Line.WRONG_PIN, Line.WAIT, Line.REFUSED, Line.READY)
    if world.random.random() < 0.5:
        await _gets_it_on(world, machine, key)


async def _hammers(world: World, machine: Machine) -> None:
    """Somebody has found a key, and tries, and tries."""
    key = some_key(world)
    world.put(machine, key)
    await until(world, machine, Line.PROMPT, Line.REFUSED, longest_s=2.0)
    for _ in range(12):
        if machine.line is Line.WAIT:
            # Some cannot wait, and look away too early.
            await world.skip(world.random.choice([1.0, 4.0, 16.0, 61.0, 301.0]))
        await type_(world, machine, f"{world.random.randrange(10**6):06}#")
        await until(world, machine, Line.WRONG_PIN, Line.WAIT, Line.REFUSED, Line.READY, longest_s=2.0)
        if machine.line is Line.REFUSED:
            break
    await type_(world, machine, right_pin(world, key) + "#")
    await world.wait(1.0)


async def _pulls_early(world: World, machine: Machine) -> None:
    """The key is out again at some instant of its visit, and comes back sooner or later, or not."""
    random, key = world.random, some_key(world)
    if random.random() < 0.3:
        await type_(world, machine, right_pin(world, key)[:3])
    world.put(machine, key)
    if random.random() < 0.7:
        await world.wait(random.choice([0.0, 0.3, 1.0]))
        await type_(world, machine, entry(random, right_pin(world, key)), longest_s=0.1)
    await world.wait(random.uniform(0.0, random.choice([0.2, 0.8, 2.5])))
    world.pull(machine)
    if random.random() < 0.6:
        await world.wait(random.uniform(*BOUNCE_S))
        world.put(machine, key)
        await world.wait(random.choice([0.1, 1.0, 3.0]))


async def _bounces(world: World, machine: Machine) -> None:
    """A bad contact: in, out, in, with a spark now and then, while somebody types."""
    random, key = world.random, some_key(world)
    world.put(machine, key)
    digits = entry(random, right_pin(world, key))
    for part in (digits[:4], digits[4:], ""):
        await type_(world, machine, part, longest_s=0.1)
        await world.wait(random.uniform(0.0, 0.8))
        if random.random() < 0.5:
            world.note(f"station {machine.number}: a spark")
            machine.slot.spark()
        elif random.random() < 0.6:
            world.pull(machine)
            await world.wait(random.uniform(*BOUNCE_S))
            world.put(machine, key)
    await world.wait(random.choice([0.2, 1.5, 4.0]))


async def _swaps(world: World, machine: Machine) -> None:
    """One key out and the next one in within half a second; the PIN is for one of them."""
    random, key, other = world.random, some_key(world), some_key(world)
    world.put(machine, key)
    if random.random() < 0.7:
        typed = entry(random, right_pin(world, random.choice([key, other])))
        cut = random.choice([len(typed), len(typed) - 1, random.randrange(len(typed) + 1)])
        await world.wait(random.choice([0.0, 0.5, 1.0]))
        await type_(world, machine, typed[:cut], longest_s=0.1)
    else:
        typed, cut = "", 0
    await world.wait(random.uniform(0.0, random.choice([0.1, 0.7, 2.0])))
    world.pull(machine)
    await world.wait(random.uniform(*SWAP_S))
    world.put(machine, other)
    await type_(world, machine, typed[cut:], longest_s=0.1)
    await world.wait(random.uniform(0.0, random.choice([0.1, 1.0, 3.0])))
    if random.random() < 0.4:
        world.pull(machine)
        await world.wait(random.uniform(*SWAP_S))
        world.put(machine, key)
        await world.wait(random.uniform(0.0, 2.0))


async def _leaves_it_in(world: World, machine: Machine) -> None:
    key = some_key(world)
    world.put(machine, key)
    await _gets_it_on(world, machine, key)
    await world.skip(world.random.choice([60.0, 117.0, 119.0, 3600.0]))
    await world.wait(world.random.uniform(0.0, 3.0))


_STYLES = (
    (_goes_home, 12),
    (_starts, 34),
    (_types_wrong, 10),
    (_hammers, 2),
    (_pulls_early, 16),
    (_bounces, 9),
    (_swaps, 12),
    (_leaves_it_in, 5),
)
