"""Whole visits at a real kiosk: how long they take, against what cannot be avoided, and how many bytes."""

import statistics
import time
from dataclasses import dataclass, field

from config.credentials import Argon2Cost
from station.ports import KeyFile
from station.records.pins import pin_tag
from tools.bench.disk import bare_commit_s
from tools.bench.figures import Figure, paired, worst
from tools.bench.line import Piece, answered_at, bytes_between, wire_s
from tools.bench.site import PEOPLE, PROMPT_MARK, READY_MARK, BenchSite, Person
from tools.bench.terminal import Terminal

OFF_LIMIT_BYTES, ACTIVE_LIMIT_BYTES = 750, 1100
"""What a prompt may cost for a key that was off, and for one that is on: it is read, cleared and read back. The next
question to the key (174 bytes with its answer) is in it: it may pass while the screen is painted."""
LOG_ENTRIES = 100
QUIET_S = 0.12
"""A wire that has been silent for so long is done with what is owed to a key; a look at whether it is still there comes
every quarter of a second."""
OUT_S = 0.7
"""A station knows by then that a key is gone."""
DIGIT_S = 0.03
COMMITS = 3
"""Between ``#`` and ready: the count of wrong PINs before the check, the event, and what central is to hear."""
NOTHING = b"\x00"
"""What a file on a key holds that was cleared."""


@dataclass(slots=True)
class Phase:
    """Samples of one phase: what each took, its bytes of both directions, what it needs beside the wire."""

    took_s: list[float] = field(default_factory=list)
    size_bytes: list[int] = field(default_factory=list)
    beside_s: list[float] = field(default_factory=list)

    def keep(self, passed: list[Piece], begin: float, end: float, beside_s: float = 0.0) -> None:
        """Add a sample."""
        self.took_s.append(end - begin)
        self.size_bytes.append(bytes_between(passed, begin, end))
        self.beside_s.append(beside_s)

    def time(self) -> Figure:
        """Against the wire time of the same bytes, and what else it cannot do without."""
        least = [wire_s(size) + beside for size, beside in zip(self.size_bytes, self.beside_s, strict=True)]
        return paired([1000 * took for took in self.took_s], [1000 * each for each in least], "ms")

    def bytes_against(self, limit: int) -> Figure:
        """The fewest, against how many they may be: a look at whether the key is still there may come between."""
        return paired([min(self.size_bytes)] * len(self.size_bytes), [limit], "bytes")


def measured(site: BenchSite, samples: int) -> dict[str, Figure]:
    """The figures of visits. Central is dead afterwards."""
    ready, whole = Phase(), Phase()
    acts: dict[int, bytes] = {}
    contents: list[int] = []
    phases = [[Phase(), Phase()], [Phase(), Phase()]]  # central alive, dead; of a key that was off, that was active
    with site.kiosk() as kiosk:
        for number in range(PEOPLE + samples):
            if number == PEOPLE:  # a key's first visit also sets its clock
                ready, whole, contents = Phase(), Phase(), []
            person = site.next_person()
            contents.append(_whole_visit(site, kiosk, person, ready, whole))
            acts[person.number] = person.key.read(KeyFile.ACT)
        for central in phases:
            for _ in range(samples):
                for phase in central:
                    person = site.next_person()
                    act = NOTHING if phase is central[0] else acts[person.number]
                    _insertion(site, kiosk, person, act, phase)
            if central is phases[0]:
                site.kill_central()
    off, active = phases[0]
    return {
        "insert_to_prompt": worst(off.time(), active.time()),
        "insert_to_prompt_central_dead": worst(*(phase.time() for phase in phases[1])),
        "pin_to_ready": ready.time(),
        "prompt_bytes": worst(off.bytes_against(OFF_LIMIT_BYTES), active.bytes_against(ACTIVE_LIMIT_BYTES)),
        "visit_bytes": paired(whole.size_bytes, contents, "bytes"),
    }


def _insertion(site: BenchSite, kiosk: Terminal, person: Person, act: bytes, phase: Phase) -> None:
    """From a key's first answer to the prompt; ``act`` is on it, as another station may have left it."""
    person.key.store(KeyFile.ACT.value, act)
    kiosk.forget()
    site.line.insert(person.key.path)
    end = kiosk.until(PROMPT_MARK)
    passed = site.line.passed()
    phase.keep(passed, answered_at(passed), end)
    site.line.until_quiet(QUIET_S)
    site.line.pull()
    time.sleep(OUT_S)


def _whole_visit(site: BenchSite, kiosk: Terminal, person: Person, ready: Phase, whole: Phase) -> int:
    """A key that is off, with a log and no permit, up to ready; how many bytes its files have that had to pass."""
    key = person.key
    known = len(key.read(KeyFile.LOG))
    for number in range(LOG_ENTRIES):
        at_s = int(time.time()) - LOG_ENTRIES + number
        key.append_log_entry(time_s=at_s, lock=1000 + number % 40, outcome="opened", holder=person.holder)
    for file in (KeyFile.PERMIT, KeyFile.ACT):
        key.store(file.value, NOTHING)
    before = key.files()
    kiosk.forget()
    site.line.insert(key.path)
    kiosk.until(PROMPT_MARK)
    site.line.until_quiet(QUIET_S)
    for digit in person.pin:
        kiosk.type(bytes([digit]))
        time.sleep(DIGIT_S)
    site.line.until_quiet(QUIET_S)
    begin = kiosk.type(b"#")
    end = kiosk.until(READY_MARK)
    passed = site.line.passed()
    least_s = _argon2_s(site.demo.home.credentials().argon2) + COMMITS * bare_commit_s(site.folder)
    ready.keep(passed, begin, end, least_s)
    whole.keep(passed, answered_at(passed), end)
    site.line.until_quiet(QUIET_S)
    site.line.pull()
    time.sleep(OUT_S)
    written = [content for file, content in key.files().items() if content != before.get(file)]
    return sum(map(len, written)) + len(before[KeyFile.LOG]) - known + len(before[KeyFile.ID])


def _argon2_s(cost: Argon2Cost) -> float:
    """The median of three bare computations with the cost that central has set."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        pin_tag(b"4815162342", b"s" * 16, b"p" * 32, time=cost.time, memory_kib=cost.memory_kib, lanes=cost.lanes)
        took.append(time.perf_counter() - began)
    return statistics.median(took)
