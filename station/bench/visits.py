"""Whole visits at a real kiosk: from the first answer of a key to the prompt, and from ``#`` to ready."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from station.bench.disk import bare_commit_s
from station.bench.figures import Figure, Found, Say, paired, worse
from station.bench.key_line import KeyLine, Piece, between, echoed_at, late_s
from station.bench.pins import argon2_s
from station.bench.place import READY_MARK, BenchPlace, Person
from station.bench.terminal import Terminal

QUIET_S = 0.12
"""A wire that has been silent for so long is done with what is owed to a key; a look at whether it is still there comes
every quarter of a second."""
DIGIT_S = 0.03


@dataclass(slots=True)
class Phase:
    """Samples of one phase: what it took, and the bytes of both directions that passed in it."""

    took_s: list[float] = field(default_factory=list)
    wire_bytes: list[int] = field(default_factory=list)
    passed: list[list[Piece]] = field(default_factory=list)
    window: list[tuple[float, float]] = field(default_factory=list)
    beside_s: list[float] = field(default_factory=list)
    """What it cannot do without beside the wire, measured right after it."""

    def figure(self, line: KeyLine) -> Figure:
        """Against the wire time of the same bytes, and what else it cannot do without."""
        beside = self.beside_s or [0.0] * len(self.wire_bytes)
        against = [line.wire_s(size) + least for size, least in zip(self.wire_bytes, beside, strict=True)]
        ms = [1000 * took for took in self.took_s], [1000 * least for least in against]
        return paired(*ms, "ms")


@dataclass(slots=True)
class Visits:
    """What was measured with one central: alive or dead."""

    off: Phase = field(default_factory=Phase)
    active: Phase = field(default_factory=Phase)
    ready: Phase = field(default_factory=Phase)


def measured(place: BenchPlace, samples: int, say: Say) -> dict[str, Found]:
    """``insert_to_prompt``, the same with central dead, and ``pin_to_ready``."""
    with place.kiosk() as kiosk:
        say("visits, central alive")
        alive = _whole_visits(place, kiosk, samples)
        acts = alive.acts
        _insertions(place, kiosk, alive.visits.off, acts, samples, active=False)
        _insertions(place, kiosk, alive.visits.active, acts, samples, active=True)
        say("visits, central dead")
        place.kill_central()
        dead = Visits()
        _insertions(place, kiosk, dead.off, acts, samples, active=False)
        _insertions(place, kiosk, dead.active, acts, samples, active=True)
    return _figures(place, alive.visits, dead)


def _figures(place: BenchPlace, alive: Visits, dead: Visits) -> dict[str, Found]:
    line = place.line
    return {
        "insert_to_prompt": worse(alive.off.figure(line), alive.active.figure(line)),
        "insert_to_prompt_central_dead": worse(dead.off.figure(line), dead.active.figure(line)),
        "pin_to_ready": alive.ready.figure(line),
    }


@dataclass(slots=True)
class _Whole:
    visits: Visits
    acts: dict[int, bytes]
    """What the station wrote on each key."""


def _whole_visits(place: BenchPlace, kiosk: Terminal, rounds: int) -> _Whole:
    """Insert, type, ready."""
    whole, cost = _Whole(Visits(), {}), place.credentials().argon2
    for _ in range(max(rounds, len(place.people))):
        person = place.next_person()
        with _inserted(place, kiosk, person, Phase()):
            place.line.until_quiet(QUIET_S)
            for digit in person.pin:
                kiosk.type(bytes([digit]))
                time.sleep(DIGIT_S)
            place.line.until_quiet(QUIET_S)
            begin = kiosk.type(b"#")
            end = kiosk.until(READY_MARK)
            _keep(whole.visits.ready, place.line.passed(), begin, end)
            whole.visits.ready.beside_s.append(argon2_s(cost) + 2 * bare_commit_s(place.config_file.parent))
            whole.acts[person.key] = place.act_of(person)
    return whole


def _insertions(
    place: BenchPlace, kiosk: Terminal, phase: Phase, acts: dict[int, bytes], samples: int, *, active: bool
) -> None:
    for _ in range(3 * samples):
        if len(phase.took_s) >= samples:
            break
        person = place.next_person()
        place.lay(person, acts[person.key] if active else b"")
        with _inserted(place, kiosk, person, phase):
            place.line.until_quiet(QUIET_S)


@contextmanager
def _inserted(place: BenchPlace, kiosk: Terminal, person: Person, phase: Phase) -> Iterator[None]:
    """Put a key in, in the place of the one before: a queue at five to seven."""
    kiosk.forget()
    place.line.insert(person.folder)
    # The prompt is there when it says whose key it is: of the rows only those are written that have changed.
    end = kiosk.until(f"Key {person.key}".encode())
    passed = place.line.passed()
    begin = echoed_at(passed)
    if begin is not None:  # else the swap fell into a look whether the key is still there
        _keep(phase, passed, begin, end)
    yield


def _keep(phase: Phase, passed: list[Piece], begin: float, end: float) -> None:
    phase.took_s.append(end - begin - late_s(passed, begin, end))
    phase.wire_bytes.append(between(passed, begin, end))
    phase.passed.append(passed)
    phase.window.append((begin, end))
