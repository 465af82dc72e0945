"""What goes wrong, drawn: network, disk, clocks, power, reader, keys; and what the office does meanwhile."""

import asyncio
from random import Random

from station.ports import KeyFile
from station.records.base64url import encoded
from station.records.claims import Window
from tests.simulation.central import Network
from tests.simulation.keys import SimulatedKey
from tests.simulation.machine import Machine
from tests.simulation.world import WORKERS, World

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


async def between(world: World) -> None:
    """Before a visit: something may have changed since the last one."""
    random = world.random
    if random.random() < 0.30:
        world.central.network = random.choices(list(Network), [50, 10, 20, 20])[0]
        world.note(f"network: {world.central.network.value}")
    if random.random() < 0.06:
        world.central.clock_wrong_s = random.choice([0, 0, -HOUR_S, 90, 2 * HOUR_S, 3 * DAY_S])
        world.note(f"central's clock: {world.central.clock_wrong_s:+} s")
    for machine in world.machines:
        _disk(world, machine)
        _clocks(world, machine)
    _keys(world)
    _office(world)
    await _time(world)


def during(world: World, machine: Machine) -> "asyncio.Task[None] | None":
    """An accident at some instant of the visit that begins now, or none."""
    drawn = world.random.random()
    after_s = world.random.uniform(0.0, world.random.choice([0.3, 1.5, 5.0]))
    if drawn < 0.09:
        return asyncio.create_task(_crash(world, machine, after_s, power=drawn < 0.04))
    if drawn < 0.11:
        return asyncio.create_task(_reader_out(world, machine, after_s))
    return None


async def none(world: World) -> None:
    """Everything works again, and every clock is right."""
    world.note("everything is mended")
    world.central.network, world.central.clock_wrong_s = Network.UP, 0
    for key in world.keys.values():
        key.refuses = frozenset()
    for machine in world.machines:
        machine.disk.full = machine.disk.failing = False
        machine.disk.slow_s = 0.002
        machine.system_wrong_s, machine.rtc_wrong_s = 0, 0
        machine.slot.plug(unplugged=False)
        if not machine.alive:
            await world.start(machine, "power")


async def _crash(world: World, machine: Machine, after_s: float, *, power: bool) -> None:
    await asyncio.sleep(after_s)
    if not machine.alive:
        return
    await world.crash(machine, power=power)
    await asyncio.sleep(world.random.choice([20.0, 300.0]) if power else 1.0)
    await world.start(machine, "power" if power else "crash")


async def _reader_out(world: World, machine: Machine, after_s: float) -> None:
    await asyncio.sleep(after_s)
    world.note(f"station {machine.number}: the reader's cable is out")
    machine.slot.plug(unplugged=True)
    await asyncio.sleep(world.random.uniform(0.2, 6.0))
    world.note(f"station {machine.number}: the reader's cable is in again")
    machine.slot.plug(unplugged=False)


def _disk(world: World, machine: Machine) -> None:
    random, disk = world.random, machine.disk
    if random.random() < 0.08:
        disk.full = not disk.full
        world.note(f"station {machine.number}: the disk {'is full' if disk.full else 'has room again'}")
    if random.random() < (0.5 if disk.failing else 0.03):
        disk.failing = not disk.failing
        world.note(f"station {machine.number}: the disk {'fails' if disk.failing else 'works again'}")
    if random.random() < 0.1:
        disk.slow_s = random.choice([0.002, 0.002, 0.05, 1.0])
        world.note(f"station {machine.number}: the disk takes {disk.slow_s} s")


def _clocks(world: World, machine: Machine) -> None:
    random = world.random
    if random.random() < 0.06:
        machine.system_wrong_s = random.choice([0, -DAY_S, DAY_S, -400 * DAY_S, 11 * 365 * DAY_S])
        machine.ntp = machine.system_wrong_s == 0
        world.note(f"station {machine.number}: the system clock {machine.system_wrong_s:+} s")
    if random.random() < 0.04:
        machine.rtc_wrong_s = random.choice([0, None, -HOUR_S, 5 * HOUR_S, -30 * DAY_S, 500 * DAY_S])
        world.note(f"station {machine.number}: the battery-backed clock {machine.rtc_wrong_s} s")


def _keys(world: World) -> None:
    random = world.random
    if random.random() < 0.04:
        key = random.choice(list(world.keys.values()))
        key.lose_power()
        world.note(f"key {key.number}: its battery is changed")
    if random.random() < 0.06:
        key = _some_key(world)
        key.refuses = random.choice([frozenset(), frozenset({KeyFile.ACT}), frozenset({KeyFile.PERMIT})])
        world.note(f"key {key.number}: refuses to write {sorted(key.refuses)}")


def _office(world: World) -> None:
    random, central = world.random, world.central
    number = random.choice(list(world.keys))
    if random.random() < 0.06:
        blocked = number not in central.blocked_keys
        central.block(number, blocked=blocked)
        world.note(f"central: key {number} is {'blocked' if blocked else 'no longer blocked'}")
    if random.random() < 0.06:
        for each in world.keys:
            if central.objects["key", each].get("locked_at") is not None or random.random() < 0.3:
                central.change_key(
                    each, unlocked_at=max(central.clock(), central.objects["key", each].get("locked_at") or 0) + 1
                )
                world.model.unlocked(each)
                world.note(f"central: key {each} is unlocked")
    if random.random() < 0.05:
        truth = world.model.keys[number]
        central.change_key(number, record=encoded(central.key_record(number, truth.kind, truth.holder)))
        world.note(f"central: the record of key {number} is signed anew")
    worker = random.choice(WORKERS)
    if random.random() < 0.04:
        world.new_pin(worker)
        world.note(f"central: {worker.holder} has a new PIN")
    if random.random() < 0.05:
        central.windows(worker, _windows(random))
        world.note(f"central: {worker.holder} may work at other hours")


def _windows(random: Random) -> tuple[Window, ...]:
    return random.choice([(), (Window(127, 7 * 60, 16 * 60),), (Window(127, 22 * 60, 1440), Window(127, 0, 7 * 60))])


async def _time(world: World) -> None:
    random = world.random
    drawn = random.random()
    if drawn < 0.25:
        # A queue: the next one is there already.
        return
    kinds = [random.uniform(5, 60), random.uniform(MINUTE_S, HOUR_S), random.uniform(HOUR_S, 14 * HOUR_S)]
    seconds = random.choices([*kinds, random.uniform(DAY_S, 12 * DAY_S)], [30, 30, 30, 6])[0]
    world.note(f"{seconds / HOUR_S:.2f} hours go by")
    # Somebody uses keys on the way.
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        part_s = seconds * random.uniform(0.0, 0.4)
        seconds -= part_s
        world.pass_by(part_s)
        world.try_lock(_some_key(world))
    await world.skip(seconds)


def _some_key(world: World) -> SimulatedKey:
    """One that is on rather than one that is off: that is where it matters."""
    out = [key for key in world.keys.values() if all(machine.slot.key is not key for machine in world.machines)]
    on = [key for key in out if key.act]
    return world.random.choice(on if on and world.random.random() < 0.6 else out)
