"""Where the time of a visit goes: what the wire, the processor, the disk and the paint did, of one measured visit."""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from station.bench.key_line import Piece, echoed_at
from station.bench.place import EMPTY_MARK, ONLINE_S, READY_MARK, BenchPlace
from station.bench.terminal import Terminal
from station.bench.visits import DIGIT_S, QUIET_S

LANES = ("wire", "cpu", "paint", "disk", "argon2")
BYTE_S = 10 / 115200
VISITS = 9
FORGOTTEN_S = 4.5
"""After so long without a key the next one begins a visit of its own."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a visit: how long it took, and when each lane was busy, in seconds from its beginning."""

    name: str
    took_s: float
    busy: dict[str, list[Interval]]
    labels: list[tuple[float, str]]
    """When a request began, and what it was."""

    def alone_s(self) -> dict[str, float]:
        """How the phase is made up: each moment counts for the first of the lanes that was busy, else as ``idle``."""
        left: list[Interval] = [(0.0, self.took_s)]
        alone = {}
        for lane in ("wire", "argon2", "disk", "paint", "cpu"):
            taken, left = _split(left, self.busy[lane])
            alone[lane] = sum(end - begin for begin, end in taken)
        return alone | {"idle": sum(end - begin for begin, end in left)}


def measured(folder: Path) -> list[Phase]:
    """The median visit's two phases: from the first answer to the prompt, from ``#`` to ready."""
    with BenchPlace(folder / "site") as place:
        noted_file = folder / "noted.json"
        command = [sys.executable, "-m", "station.bench.traced_kiosk", str(place.config_file), str(noted_file)]
        with Terminal(command) as kiosk:
            kiosk.until(EMPTY_MARK)
            time.sleep(ONLINE_S)
            windows = [_visit(place, kiosk) for _ in range(VISITS)]
        noted = [
            (str(lane), float(begin), float(end)) for lane, begin, end in json.loads(noted_file.read_text("ascii"))
        ]
    names = ("from the key's first answer to the prompt", "from # to ready")
    return [
        _median([_phase(name, window[number], noted) for window in windows[2:]]) for number, name in enumerate(names)
    ]


def _visit(place: BenchPlace, kiosk: Terminal) -> list[tuple[float, float, list[Piece]]]:
    person = place.next_person()
    place.lay(person, b"")
    place.line.pull()
    time.sleep(FORGOTTEN_S)
    kiosk.forget()
    place.line.insert(person.folder)
    prompt = kiosk.until(f"Key {person.key}".encode())
    first = place.line.until_quiet(QUIET_S)
    for digit in person.pin:
        kiosk.type(bytes([digit]))
        time.sleep(DIGIT_S)
    place.line.until_quiet(QUIET_S)
    begin = kiosk.type(b"#")
    end = kiosk.until(READY_MARK)
    return [(echoed_at(first) or prompt, prompt, first), (begin, end, place.line.passed())]


def _phase(name: str, window: tuple[float, float, list[Piece]], noted: Sequence[tuple[str, float, float]]) -> Phase:
    begin, end, passed = window
    busy: dict[str, list[Interval]] = {lane: [] for lane in LANES}
    labels = []
    for piece in passed:
        began = piece.at - piece.late_s - piece.size_bytes * BYTE_S
        if piece.at > begin and began < end:
            busy["wire"].append((max(began, begin) - begin, min(piece.at, end) - begin))
            if piece.to_key and piece.about:
                labels.append((max(began, begin) - begin, piece.about))
    for lane, began, ended in noted:
        if ended > begin and began < end:
            busy[lane].append((max(began, begin) - begin, min(ended, end) - begin))
    return Phase(name, end - begin, busy, labels)


def _median(phases: list[Phase]) -> Phase:
    middle = statistics.median_low([phase.took_s for phase in phases])
    return next(phase for phase in phases if phase.took_s == middle)


def _split(whole: Sequence[Interval], busy: Sequence[Interval]) -> tuple[list[Interval], list[Interval]]:
    """The parts of ``whole`` that lie in ``busy``, and the rest."""
    taken: list[Interval] = []
    left = list(whole)
    for begin, end in busy:
        rest: list[Interval] = []
        for a, b in left:
            low, high = max(a, begin), min(b, end)
            if low >= high:
                rest.append((a, b))
                continue
            taken.append((low, high))
            rest += [part for part in ((a, low), (high, b)) if part[0] < part[1]]
        left = rest
    return taken, left
