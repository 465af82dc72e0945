"""How fast a station is on this machine, each figure against the least that it could take, measured in the same run.

Visits are real ones: a kiosk in a pseudo-terminal, an emulated key on a line of 115200 baud, a real central server (if
it is installed). What cannot be measured here is said with the reason.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from station.bench.figures import QUICK_SAMPLES, SAMPLES, Figure, Found, NotMeasured
from station.commands.command_line import DONE, add_json, print_answer

EXAMPLE = "example: station bench --quick --json"
ORDER = (
    "insert_to_prompt",
    "insert_to_prompt_central_dead",
    "pin_to_ready",
    "prompt_bytes",
    "visit_bytes",
    "transfer_vs_mcumgr_toolkit",
    "transfer_vs_smpclient",
    "key_to_paint",
    "start",
    "memory",
    "event_commit",
    "lookup_200k_vs_1k",
    "refresh_bytes_304",
)
VISITS = frozenset({"insert_to_prompt", "insert_to_prompt_central_dead", "pin_to_ready"})
BYTES = frozenset({"prompt_bytes", "visit_bytes"})
WITH_CENTRAL = VISITS | {"start", "memory", "key_to_paint", "refresh_bytes_304"}
NO_CENTRAL = NotMeasured("the central server is not installed (sync-station[central])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--quick", action="store_true", help="fewer samples: under 40 seconds")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="on the disk to be measured (default: a temporary one)"
    )
    parser.add_argument("--only", action="append", choices=ORDER, metavar="FIGURE", help="this figure; may be repeated")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure everything."""
    found = measured(args.folder, quick=args.quick, only=frozenset(args.only or ORDER))
    fields = {name: each.fields() for name, each in found.items() if isinstance(each, Figure)}
    missing = {name: each.why for name, each in found.items() if isinstance(each, NotMeasured)}
    print_answer(args, table(found), {"figures": fields} | ({"not_measured": missing} if missing else {}))
    return DONE


def table(found: Mapping[str, Found]) -> str:
    """As on a terminal, and in the README."""
    rows = [("figure", "ratio", "ours", "against", "n", "spread")]
    for name, each in found.items():
        if isinstance(each, NotMeasured):
            rows.append((name, "–", f"not measured: {each.why}", "", "", ""))
            continue
        unit = each.unit
        numbers = (f"{each.ours:.4g} {unit}", f"{each.against:.4g} {unit}", str(each.n), f"{each.spread:.3g} {unit}")
        rows.append((name, f"{each.ratio:.2f}", *numbers))
    widths = [
        max(len(row[column]) for row in rows if not row[2].startswith("not ") or column < 2) for column in range(6)
    ]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _say(what: str) -> None:
    # On standard error: what is asked for is the table.
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kmeasuring: {what} …")
        sys.stderr.flush()


def measured(folder: Path | None, *, quick: bool, only: AbstractSet[str] = frozenset(ORDER)) -> dict[str, Found]:
    """The figures of ``only``, in the order of the table; ``folder`` is on the disk that is measured."""
    samples = QUICK_SAMPLES if quick else SAMPLES
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix="station-bench-", dir=folder) as inside:
        home = Path(inside)
        found |= _without_central(home, samples, quick=quick, only=only)
        if only & WITH_CENTRAL:
            found |= _with_central(home, samples, only=only)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return {name: found.get(name, NO_CENTRAL) for name in ORDER if name in only}


def _without_central(home: Path, samples: int, *, quick: bool, only: AbstractSet[str]) -> dict[str, Found]:
    # Late: `station bench --help` needs none of it.
    from station.bench import store, transfers, wire_bytes  # noqa: PLC0415

    found: dict[str, Found] = {}
    if only & BYTES and not only & WITH_CENTRAL:
        found |= wire_bytes.measured(samples, _say)
    for name in sorted(only & transfers.OTHERS.keys()):
        found[name] = transfers.measured(name, samples, _say)
    if "event_commit" in only:
        found["event_commit"] = store.event_commit(home, quick=quick, say=_say)
    if "lookup_200k_vs_1k" in only:
        found["lookup_200k_vs_1k"] = store.lookup(home, _say)
    return found


def _with_central(home: Path, samples: int, *, only: AbstractSet[str]) -> dict[str, Found]:
    from station.bench import refresh, screen, visits, wire_bytes  # noqa: PLC0415
    from station.bench.place import BenchPlace, can_be_served  # noqa: PLC0415
    from station.bench.site import BenchSite  # noqa: PLC0415

    found: dict[str, Found] = {}
    with ExitStack() as left:
        beside = left.enter_context(ThreadPoolExecutor(1))
        # Bytes are no time: they are counted while the site is being put up.
        counted = beside.submit(wire_bytes.measured, samples, _say) if only & BYTES else None
        place = left.enter_context(BenchPlace(home / "site")) if can_be_served() else None
        config_file = place.config_file if place is not None else BenchSite(home, home / "key-reader").config_file
        if counted is not None:
            found |= counted.result()
        if "start" in only:
            found["start"] = screen.start(config_file, samples, _say)
        if "memory" in only:
            found["memory"] = screen.memory(config_file, samples, _say)
        if place is None:
            return found
        if "key_to_paint" in only:
            found["key_to_paint"] = screen.key_to_paint(place, samples, _say)
        if "refresh_bytes_304" in only:
            found["refresh_bytes_304"] = refresh.measured(place, samples, _say)
        if only & VISITS:
            found |= visits.measured(place, samples, _say)
    return found
