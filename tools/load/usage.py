"""What processes use of the machine (Linux, /proc): processor seconds and memory, children included."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(ancestors: Iterable[int]) -> set[int]:
    """These processes, and all that descend from them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(_fields(stat)[1])
        except OSError:
            continue
    found = set(ancestors)
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def processor_s(ancestors: Iterable[int]) -> float:
    """Seconds of processor that they have used, those that have ended among their children included."""
    total = 0
    for pid in family(ancestors):
        try:
            total += sum(int(each) for each in _fields(Path(f"/proc/{pid}/stat"))[11:15])
        except OSError:
            continue
    return total / TICKS_A_SECOND


def memory_mib(ancestors: Iterable[int]) -> float:
    """What they have in memory; what several share counts once."""
    total_kib = 0
    for pid in family(ancestors):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        except OSError:
            continue
        total_kib += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total_kib / 1024


def _fields(stat: Path) -> list[str]:
    """From the third on: a program's name may have blanks and brackets in it."""
    return stat.read_text("utf-8", "replace").rpartition(")")[2].split()
