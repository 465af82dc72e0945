"""How fast a station is on this machine, each figure against the least that it could take, measured in the same run.

Visits are real ones: a kiosk in a pseudo-terminal, an emulated key on a line of 115200 baud, a real central server (if
it is installed). What cannot be measured here is said with the reason.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from station.bench.figures import QUICK_SAMPLES, SAMPLES, Figure, Found, NotMeasured
from station.cli import DONE, add_json, answer

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
NO_CENTRAL = NotMeasured("the central server is not installed (sync-station[central])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--quick", action="store_true", help="fewer samples: under 40 seconds")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="on the disk to be measured (default: a temporary one)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure everything."""
    found = measured(args.folder, quick=args.quick)
    fields = {name: each.fields() for name, each in found.items() if isinstance(each, Figure)}
    missing = {name: each.why for name, each in found.items() if isinstance(each, NotMeasured)}
    answer(args, table(found), {"figures": fields, "not_measured": missing})
    return DONE


def table(found: Mapping[str, Found]) -> str:
    """As on a terminal, and in the README."""
    rows = [("figure", "ratio", "ours", "against", "n", "spread")]
    for name, each in found.items():
        if isinstance(each, NotMeasured):
            rows.append((name, "–", f"not measured: {each.why}", "", "", ""))
            continue
        unit = each.unit
        numbers = (f"{each.ours:.4g} {unit}", f"{each.against:.4g} {unit}", str(each.n), f"{each.spread:.2g} {unit}")
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


def measured(folder: Path | None, *, quick: bool) -> dict[str, Found]:
    """Every figure, in the order of the table."""
    # Late: `station bench --help` needs none of it.
    from station.bench import refresh, screen, store, transfers, visits, wire_bytes  # noqa: PLC0415
    from station.bench.place import BenchPlace, can_be_served  # noqa: PLC0415
    from station.bench.site import BenchSite  # noqa: PLC0415

    samples = QUICK_SAMPLES if quick else SAMPLES
    found: dict[str, Found] = {}
    with ExitStack() as left:
        home = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="station-bench-", dir=folder)))
        found |= wire_bytes.measured(_say)
        found |= transfers.measured(samples, _say)
        found |= store.measured(home, quick=quick, say=_say)
        if can_be_served():
            with BenchPlace(home / "site") as place:
                config_file = place.config_file
                found["start"] = screen.start(config_file, samples, _say)
                found["memory"] = screen.memory(config_file, samples, _say)
                found["key_to_paint"] = screen.key_to_paint(place, samples, _say)
                found["refresh_bytes_304"] = refresh.measured(place, samples, _say)
                found |= visits.measured(place, samples, _say)
        else:
            site = BenchSite(home, home / "key-reader")
            found["start"] = screen.start(site.config_file, samples, _say)
            found["memory"] = screen.memory(site.config_file, samples, _say)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return {name: found.get(name, NO_CENTRAL) for name in ORDER}
