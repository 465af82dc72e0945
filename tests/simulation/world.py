"""One simulated site: time, keys, locks, stations, central; what is done to it is traced, what happens is judged."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from random import Random

from station.display.screen import Screen
from station.ports import KeyFile
from station.records.claims import Category, KeyKind, Role
from station.rules.locks import Lock
from tests.services.lying_central import DAY_S, NOW_S
from tests.simulation.central import AREA, SimulatedCentral, Worker
from tests.simulation.keys import SimulatedKey
from tests.simulation.machine import Machine
from tests.simulation.model import KeyTruth, Model
from tests.simulation.wire import Line

ANNA = Worker(20, Category.PERMANENT)
BO = Worker(21, Category.LONG_TERM)
CIA = Worker(22, Category.PERMANENT)
TIM = Worker(23, Category.HOURLY)
UMA = Worker(24, Category.HOURLY)
WORKERS = (ANNA, BO, CIA, TIM, UMA)
KEYS = (
    (501, KeyKind.PERSONAL, ANNA.holder),
    (502, KeyKind.PERSONAL, BO.holder),
    (503, KeyKind.PERSONAL, CIA.holder),
    (601, KeyKind.SUBSTITUTE, None),
    (701, KeyKind.EMERGENCY, None),
)
TRACE_SHOWN = 30
NOTICED_WITHIN_S = 0.9
"""After so long a station knows that another key is in its socket."""


class World:
    """Everything of one seed. Times are Unix seconds of the true time, which no clock in it need have."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.step = 0
        self.trace: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._skipped_s = 0.0
        self.central = SimulatedCentral(Random(self.random.random()), self.now)
        self.model = Model(self.central, self.now)
        self.keys: dict[int, SimulatedKey] = {}
        self.last_keys: dict[int, list[tuple[SimulatedKey, float]]] = {}
        """By station: the key in its socket, or the one that was last, and the one before it; since when."""
        self._shown_last: dict[int, str] = {}
        self.last_at: Machine | None = None
        """Where somebody was last."""
        self.locks = [Lock(1, AREA), Lock(101, AREA), Lock(102, AREA + 1)]
        self._people_and_keys()
        stations = 2 if self.random.random() < 0.3 else 1
        line = Line(folder / "keys")
        second = self.random.choice([Role.SYNC_STATION, Role.SYNC_STATION, Role.UPDATE_BOX])
        roles = [Role.SYNC_STATION, second][:stations]
        self.machines = [self._machine(n + 1, folder / f"{n + 1}", role, line) for n, role in enumerate(roles)]

    def _people_and_keys(self) -> None:
        self.central.open_site()
        for worker in WORKERS:
            self.model.workers[worker.holder] = worker
            self.new_pin(worker)
        for number, kind, holder in KEYS:
            self.model.keys[number] = KeyTruth(kind, holder)
            key = self.keys[number] = self.model.found[number] = SimulatedKey(number, self.now, self.model.written)
            key.store(KeyFile.ID.value, self.central.hand_out(number, kind, holder))

    def _machine(self, number: int, folder: Path, role: Role, line: Line) -> Machine:
        random = Random(self.random.random())
        return Machine(number, folder, self.central, random, self.now, self._shown, role=role, line=line)

    # --- time

    def now(self) -> float:
        """The true time."""
        return NOW_S + self._loop.time() + self._skipped_s

    def pass_by(self, seconds: float) -> None:
        """Time goes by, for every clock, and for the moment nothing happens."""
        self._skipped_s += seconds

    async def skip(self, seconds: float) -> None:
        """Time goes by without anything happening; then all that was due happens."""
        self.pass_by(seconds)
        self.central.renew_what_is_due()
        for machine in self.machines:
            if machine.station is not None:
                machine.station.mirror.wake()
                machine.station.outbox.central_answers()
        await self.wait(self.random.uniform(0.2, 0.8))

    async def wait(self, seconds: float) -> None:
        """Time goes by, and everything in it happens."""
        await asyncio.sleep(seconds)
        for machine in self.machines:
            machine.check()

    # --- what is done

    def note(self, text: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{self.step:4} {self.now() - NOW_S:13.3f}  {text}")

    def new_pin(self, worker: Worker) -> None:
        """Central gives somebody a PIN that nobody has or has had."""
        pins = self.model.pins.setdefault(worker.holder, [])
        if pins:
            pins[-1] = pins[-1][0], self.now()
        used = {pin for of in self.model.pins.values() for pin, _ in of}
        pin = next(p for p in iter(lambda: f"{self.random.randrange(10**6):06}", "") if p not in used)
        pins.append((pin, None))
        self.central.worker(worker, pin)

    def pin(self, worker: Worker) -> str:
        """The PIN that somebody has."""
        return self.model.pins[worker.holder][-1][0]

    def put(self, machine: Machine, key: SimulatedKey) -> None:
        """A key is put in."""
        self.note(f"station {machine.number}: key {key.number} is put in")
        self._renewing(machine, key)
        before = self.last_keys.get(machine.number, [])
        if not before or before[0][0] is not key:
            back_unnoticed = len(before) > 1 and before[1][0] is key and self.now() - before[0][1] < NOTICED_WITHIN_S
            if not back_unnoticed:
                self.model.inserted(key)
            self.last_keys[machine.number] = [(key, self.now()), *before[:1]]
        machine.slot.put(key)

    def pull(self, machine: Machine) -> None:
        """The key is taken out, if there is one."""
        key = machine.slot.pull()
        if key is not None:
            self.note(f"station {machine.number}: key {key.number} is taken out")
            self._renewing(machine, key)

    def _renewing(self, machine: Machine, key: SimulatedKey) -> None:
        # At an update box being put in does for a PIN.
        if machine.role is Role.UPDATE_BOX:
            self.model.renewed(key)

    def press(self, machine: Machine, stroke: str) -> None:
        """A keystroke."""
        keys = self.last_keys.get(machine.number, [])
        # A key that has just taken another's place is not noticed at once: the screen still asks for the other's PIN.
        unnoticed = len(keys) > 1 and self.now() - keys[0][1] < NOTICED_WITHIN_S
        for key, _ in keys if unnoticed else keys[:1]:
            self.model.typed(machine.number, key, stroke)
        machine.press(stroke)

    async def crash(self, machine: Machine, *, power: bool) -> None:
        """The station's process, or its machine, is gone, and stays so until it is started."""
        self.note(f"station {machine.number}: {'the power fails' if power else 'the process is killed'}")
        self.model.seen["power cut" if power else "kill"] += 1
        await machine.crash(power=power)
        self.model.restarted(machine)

    async def start(self, machine: Machine, reason: str) -> None:
        """A station is started; what was counted before is still counted."""
        self.note(f"station {machine.number}: starts ({reason})")
        await machine.start(reason)
        if machine.alive:
            self.model.check_counts(machine)

    def try_lock(self, key: SimulatedKey) -> None:
        """A key is put into a lock, which decides and writes it down."""
        index = self.random.randrange(len(self.locks))
        lock, clock = self.locks[index], key.clock()
        decided = self.model.decision(key, lock)
        if decided.adopted_blocklist is not None:
            self.locks[index] = replace(lock, blocklist=decided.adopted_blocklist)
        outcome, percent = decided.reason.value, self.random.choice([None, 80, 9])
        seq = key.append_log_entry(
            time_s=clock.unix_s, lock=lock.number, outcome=outcome, holder=decided.holder, battery_percent=percent
        )
        self.model.lock_logged(key, (seq, clock.unix_s, lock.number, outcome, decided.holder))
        self.note(f"lock {lock.number}: key {key.number} {outcome}")

    # --- what happens

    def _shown(self, machine: Machine, screen: Screen) -> None:
        receipt = f" until {screen.receipt.expires - NOW_S}" if screen.receipt is not None else ""
        refusal = f" {screen.refusal}" if screen.refusal is not None else ""
        text = f"station {machine.number}:    {screen.line}{refusal}{receipt}"
        if self._shown_last.get(machine.number) != text:
            self._shown_last[machine.number] = text
            self.note(text)
        self.model.shown(machine, screen)

    def check(self) -> None:
        """After every step: every key as it is now, every count."""
        for key in self.keys.values():
            self.model.written(key)
        for machine in self.machines:
            machine.check()
            if machine.alive:
                self.model.check_counts(machine)

    @property
    def digest(self) -> str:
        """Of everything that was traced: the same for the same seed."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    @property
    def days(self) -> float:
        """How much time went by."""
        return (self.now() - NOW_S) / DAY_S

    async def close(self) -> None:
        """At the end."""
        for machine in self.machines:
            await machine.close()
