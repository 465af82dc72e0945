"""The judge: what must be true, worked out from what people typed, what is on the keys and what the locks saw.

It asks none of the station's services. What a lock would do is `station.rules.locks`, which is what locks are; the
rest it keeps count of by itself.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.records import envelope
from station.records.claims import Activation, Category, KeyKind, KeyRecord
from station.rules import locks
from station.rules.attempts import LOCK_AT, WAITS_S
from station.rules.facts import Refusal
from station.rules.locks import Lock, LockDecision
from tests.simulation.central import AREA, SimulatedCentral, Worker
from tests.simulation.keys import SimulatedKey
from tests.simulation.machine import Machine

SHIFT_S = 11 * 3600
SLACK_S = 60
"""Between the last digit and the decision: a slow disk, central's deadline, a contact that bounces."""
OLD_PIN_S = 11 * 86400
"""A PIN that central has replaced still counts at a station that has not heard of it: a mirror lives for ten days."""
TEST_LOCK = Lock(locks.TEST_LOCK, AREA)

OFF = frozenset(
    {
        Line.PROMPT,
        Line.WRONG_PIN,
        Line.WAIT,
        Line.CHECKING,
        Line.REFUSED,
        Line.UNREADABLE,
        Line.BLANK,
        Line.HANDING_OUT,
        Line.HANDED_OUT,
        Line.OUT_HANDING_OUT,
        Line.LEFT_IN,
        Line.OUT_OFF,
        Line.OUT_EARLY,
    }
)
ON = frozenset({Line.READY, Line.OUT_READY})
OUT = frozenset({Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE, Line.EMPTY, Line.READER_BROKEN, None})
MAYBE = frozenset({Line.STILL_ON, Line.OUT_UNSURE})


class Broken(AssertionError):
    """Something that must always be true was not."""


@dataclass
class KeyTruth:
    """All that has happened to one key."""

    kind: KeyKind
    holder: int | None
    typed: str = ""
    """The digits since the last ``*`` or ``#``, while this was the last key in that socket."""
    right_at: list[float] = field(default_factory=list)
    """When a right PIN was sent off for it."""
    log: list[tuple[int, int | None, int, str, int | None]] = field(default_factory=list)
    """What locks wrote: seq, time, lock, outcome, holder."""


@dataclass
class Count:
    """Wrong PINs of one key at one station, as its screen has told: there may be more that it did not get to tell."""

    wrong: int = 0
    """Since a right one was last typed, whatever came of that."""
    locked: bool = False
    """There were ten in a row, and no coordinator since."""
    forgiven: int = 0
    """How many unlocks the station has heard of: what it counts before it hears of one, it forgets when it does."""
    last_s: float = -1e9


class Model:
    """Told of everything that happens outside the stations; raises `Broken`."""

    def __init__(self, central: SimulatedCentral, now: Callable[[], float]) -> None:
        self._central, self._now = central, now
        self.keys: dict[int, KeyTruth] = {}
        self.found: dict[int, SimulatedKey] = {}
        """The keys themselves, by number."""
        self.workers: dict[int, Worker] = {}
        self.pins: dict[int, list[tuple[str, float | None]]] = {}
        """By holder: each PIN, and until when it was valid (None: it is)."""
        self.counts: dict[tuple[int, int], Count] = defaultdict(Count)
        self.activated: list[tuple[int, int, int]] = []
        """What screens have called ready: station, key, until when."""
        self._said: dict[int, tuple[object, ...]] = {}
        self._line: dict[int, Line] = {}
        self._unlocks: dict[int, int] = defaultdict(int)
        self._vouched: set[tuple[object, ...]] = set()
        self._checking_since: dict[int, float] = {}
        self.seen: dict[str, int] = defaultdict(int)
        """How often what happened: to tell whether a simulation is worth anything."""

    # --- what people do

    def inserted(self, key: SimulatedKey) -> None:
        """A key is put in where another was last."""
        self.keys[key.number].typed = ""

    def renewed(self, key: SimulatedKey) -> None:
        """A key is in an update box, which renews personal keys without a PIN."""
        truth = self.keys[key.number]
        if truth.kind is KeyKind.PERSONAL:
            truth.right_at.append(self._now())

    def typed(self, station: int, key: SimulatedKey, stroke: str) -> None:
        """For the key in the station's socket, or the one that was last, or so somebody may believe."""
        truth = self.keys[key.number]
        if stroke == "#":
            if any(truth.typed.endswith(pin) for pin in self._right_pins(truth)):
                truth.right_at.append(self._now())
                self.counts[station, key.number].wrong = 0
            truth.typed = ""
        elif stroke == "*":
            truth.typed = ""
        elif stroke == "\b":
            truth.typed = truth.typed[:-1]
        else:
            truth.typed += stroke

    def _right_pins(self, truth: KeyTruth) -> list[str]:
        """Of everybody who may switch such a key on."""
        entitled = {
            KeyKind.PERSONAL: lambda worker: worker.holder == truth.holder,
            KeyKind.SUBSTITUTE: lambda worker: worker.category is Category.HOURLY,
            KeyKind.EMERGENCY: lambda worker: worker.category is not Category.HOURLY,
        }[truth.kind]
        return [
            pin
            for holder, pins in self.pins.items()
            if entitled(self.workers[holder])
            for pin, until in pins
            if until is None or self._now() - until < OLD_PIN_S
        ]

    def unlocked(self, key: int) -> None:
        """A coordinator has unlocked a key."""
        self._unlocks[key] += 1
        for (_, number), count in self.counts.items():
            if number == key:
                count.wrong, count.locked = 0, False

    # --- what is on a key

    def written(self, key: SimulatedKey) -> None:
        """After every write to a key: it is still that key; whether it opens now, somebody has earned it."""
        record = envelope.claimed(KeyRecord, key.read(KeyFile.ID))
        if record is None or record.key != key.number:
            raise Broken(f"key {key.number} now calls itself {record}")
        if key.act:
            self.decision(key, TEST_LOCK)

    def decision(self, key: SimulatedKey, lock: Lock) -> LockDecision:
        """What a lock does with a key; if it opens, there was a right PIN for this key not too long ago."""
        clock = key.clock()
        files = {file.value: content for file, content in key.files().items()}
        decided = locks.decide(envelope, [self._central.signing.public], files, lock, clock.unix_s, button=True)
        if decided.opened:
            truth, now = self.keys[key.number], self._now()
            if not any(0 <= now - at <= SHIFT_S + SLACK_S for at in truth.right_at):
                raise Broken(f"key {key.number} opens without a right PIN in the last eleven hours")
        return decided

    def expires(self, key: SimulatedKey) -> int | None:
        """Until when the activation on a key says that it works."""
        claims = envelope.claimed(Activation, key.act)
        return claims.expires if claims is not None else None

    def lock_logged(self, key: SimulatedKey, entry: tuple[int, int | None, int, str, int | None]) -> None:
        """A lock has written an entry on a key."""
        log = self.keys[key.number].log
        if entry[0] != len(log) + 1:
            raise Broken(f"the log of key {key.number} goes on with {entry[0]} after {len(log)} entries")
        log.append(entry)
        self.seen[f"lock {entry[3]}"] += 1

    # --- what a screen says

    def restarted(self, machine: Machine) -> None:
        """A process of a station has ended: its screen is dark, and what it was about to say is not said."""
        self._said.pop(machine.number, None)
        self._line.pop(machine.number, None)

    def shown(self, machine: Machine, screen: Screen) -> None:
        """A statement about a key is true when it is made."""
        receipt = screen.receipt.expires if screen.receipt is not None else None
        said = screen.line, receipt, screen.still_on_until, screen.refusal
        if said == self._said.get(machine.number):
            return
        before, self._said[machine.number] = self._line.get(machine.number), said
        self._line[machine.number] = screen.line
        if screen.line is not before:
            self.seen[f"screen {screen.line.value}"] += 1
        key = self._spoken_of(machine, screen)
        if key is None:
            return
        if screen.line in OFF and key.act:
            raise Broken(f"the screen of station {machine.number} says {screen.line}, but key {key.number} is not off")
        if screen.line in ON and (machine.number, screen.line, key.number, receipt) not in self._vouched:
            # Once each: a receipt that is shown again is the one from then.
            self._vouched.add((machine.number, screen.line, key.number, receipt))
            self._on(machine, key, receipt, news=screen.line is Line.READY and before is Line.ACTIVATING)
        until, really = screen.still_on_until, self.expires(key)
        if screen.line in MAYBE and until is not None and really is not None and really > until:
            raise Broken(f"key {key.number} works until {really}, not {until} as station {machine.number} says")
        self._pin_judged(machine, key, screen, before)

    def _spoken_of(self, machine: Machine, screen: Screen) -> SimulatedKey | None:
        """The key that the screen names, or else the one that was put in last, or taken out last.

        After ready, a key that has just been put in is not known to be another one yet: the receipt still stands there.
        """
        named = self.found.get(screen.key) if screen.key is not None else None
        return named or (machine.reader.lost if screen.line in OUT else machine.reader.spoken_of)

    def _on(self, machine: Machine, key: SimulatedKey, until: int | None, *, news: bool) -> None:
        if until != self.expires(key):
            raise Broken(
                f"the screen of station {machine.number} says on until {until}, key {key.number} {self.expires(key)}"
            )
        decided = self.decision(key, TEST_LOCK)
        if not decided.opened:
            raise Broken(f"station {machine.number} says that key {key.number} is on, a lock {decided.reason}")
        if news:
            assert until is not None
            self.activated.append((machine.number, key.number, until))
            if self.counts[machine.number, key.number].locked:
                raise Broken(f"key {key.number} was switched on after {LOCK_AT} wrong PINs")

    # --- wrong PINs

    def _pin_judged(self, machine: Machine, key: SimulatedKey, screen: Screen, before: Line | None) -> None:
        count, now = self.counts[machine.number, key.number], self._now()
        if screen.line is Line.CHECKING and before is not Line.CHECKING:
            wait_s = WAITS_S[min(count.wrong - 4, len(WAITS_S) - 1)] if count.wrong >= 4 else 0
            # A key that came back to its check is shown so again.
            personal = self.keys[key.number].kind is KeyKind.PERSONAL
            # An unlock that the station may have heard of meanwhile ends the wait.
            unlocked = count.forgiven < self._unlocks[key.number]
            early = before in {Line.PROMPT, Line.WRONG_PIN} and now - count.last_s < wait_s - 1
            if early and personal and not unlocked:
                raise Broken(f"the PIN of key {key.number} was looked at after {now - count.last_s:.0f} s of {wait_s}")
        if before is not Line.CHECKING:
            return
        wrong = screen.line in {Line.WRONG_PIN, Line.WAIT}
        if wrong or (screen.line is Line.REFUSED and screen.refusal is Refusal.LOCKED):
            self.seen["wrong PIN"] += 1
            count.wrong, count.last_s = count.wrong + 1, now
            personal = self.keys[key.number].kind is KeyKind.PERSONAL
            count.locked = count.locked or (personal and count.wrong >= LOCK_AT)
            self.check_counts(machine)

    def check_counts(self, machine: Machine) -> None:
        """What a screen has called wrong is on the disk."""
        kept = dict(machine.disk.look("SELECT key, failures FROM attempts"))
        for (station, key), count in self.counts.items():
            if station != machine.number or self.keys[key].kind is not KeyKind.PERSONAL:
                continue
            if kept.get(key, 0) < count.wrong and count.forgiven < self._unlocks[key]:
                count.wrong, count.forgiven = kept.get(key, 0), self._unlocks[key]
            if kept.get(key, 0) < count.wrong:
                raise Broken(f"{count.wrong} wrong PINs on key {key} were seen, {kept.get(key, 0)} are remembered")

    # --- what central has at the end

    def check_events(self, machines: list[Machine]) -> None:
        """Nothing lost, nothing doubled, and what locks saw is what central has."""
        central = self._central
        if central.contradictions:
            raise Broken(central.contradictions[0])
        for machine in machines:
            self._check_numbers(machine)
        told = [(e["key"], e["data"]["expires"]) for e in central.events.values() if e["type"] == "key_activated"]
        for station, key, until in self.activated:
            if (key, until) not in told:
                raise Broken(f"station {station} switched key {key} on until {until}; central was never told")
        for number, truth in self.keys.items():
            self._check_log(number, truth)

    def _check_numbers(self, machine: Machine) -> None:
        (instance,) = machine.disk.look("SELECT id FROM instance")[0]
        (last,) = machine.disk.look("SELECT IFNULL(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")[0]
        left = machine.disk.look("SELECT COUNT(*) FROM outbox")[0][0]
        if left:
            raise Broken(f"station {machine.number} is left with {left} events")
        numbers = {seq for (of, seq) in self._central.numbered if of == instance}
        missing = set(range(1, last + 1)) - numbers
        if missing:
            raise Broken(f"central never got the events {sorted(missing)[:5]} of station {machine.number}")

    def _check_log(self, number: int, truth: KeyTruth) -> None:
        central: dict[int, list[tuple[int, int | None, int, str, int | None]]] = defaultdict(list)
        for event in self._central.events.values():
            if event.get("key") != number:
                continue
            if event["type"] == "log_gap":
                raise Broken(f"central was told of a gap in the log of key {number}: {event['data']}")
            if event["type"] in {"lock_opened", "lock_refused"}:
                seq, outcome = event["data"]["seq"], event["data"]["outcome"]
                central[seq].append((seq, event["at"], event["lock"], outcome, event.get("holder")))
        saw = {entry[0]: entry for entry in truth.log}
        for seq, entry in saw.items():
            if len(central[seq]) != 1 or not _same(central[seq][0], entry):
                raise Broken(f"of the log of key {number}, central has {central[seq]} for {entry}")
        strange = [seq for seq, entries in central.items() if entries and seq not in saw]
        if strange:
            raise Broken(f"central has entries {strange} of key {number} that no lock wrote")


def _same(told: tuple[object, ...], saw: tuple[object, ...]) -> bool:
    # Where the lock did not know the time, it is told when it was read.
    return told[2:] == saw[2:] and (saw[1] is None or told[1] == saw[1])


def files_of(key: SimulatedKey) -> str:
    """Which files have anything in them, for a trace."""
    return ",".join(file.value for file in KeyFile if key.read(file))
