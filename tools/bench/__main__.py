"""How fast a station is on this machine, each figure against the least that it could take, measured in the same run.

Visits are real ones: a kiosk in a pseudo-terminal, an emulated key on a line of 115200 baud, a real central server.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from tools.bench import disk, mirror, screen, transfers, visits
from tools.bench.figures import LIMITS, QUICK_SAMPLES, SAMPLES, Figure, table
from tools.bench.site import BenchSite

VISITS = frozenset({
    "insert_to_prompt", "insert_to_prompt_central_dead", "pin_to_ready", "prompt_bytes", "visit_bytes",
})  # fmt: skip


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer samples: under a minute")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="on the disk to be measured (default: a temporary one)"
    )
    parser.add_argument(
        "--only", action="append", choices=LIMITS, metavar="FIGURE", help="this figure; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="station-bench-", dir=args.folder) as folder:
        found = measured(Path(folder), QUICK_SAMPLES if args.quick else SAMPLES, args.only or LIMITS.keys())
    if args.json:
        print(json.dumps({"figures": {name: figure.fields(LIMITS[name]) for name, figure in found.items()}}))
    else:
        print(table(found))


def measured(folder: Path, samples: int, only: Collection[str]) -> Mapping[str, Figure]:
    """The figures of ``only``, in the order of the table; ``folder`` is on the disk that is measured."""
    found: dict[str, Figure] = {}
    for name in transfers.OTHERS:
        if name in only:
            _say(name)
            found[name] = transfers.measured(name, samples)
    if "event_commit" in only:
        _say("event_commit")
        found["event_commit"] = asyncio.run(disk.event_commit(folder))
    at_site = {
        "start": screen.start,
        "memory": screen.memory,
        "key_to_paint": screen.key_to_paint,
        "lookup_200k_vs_1k": mirror.lookup,
        "refresh_bytes_idle": mirror.refresh,
    }
    if (at_site.keys() | VISITS) & set(only):
        with BenchSite(folder / "site") as site:
            for name, measure in at_site.items():
                if name in only:
                    _say(name)
                    found[name] = measure(site, samples)
            if VISITS & set(only):  # last: central is dead afterwards
                _say("visits")
                found |= visits.measured(site, samples)
    return {name: found[name] for name in LIMITS if name in only}


def _say(name: str) -> None:
    # On standard error: what is asked for is the table.
    if sys.stderr.isatty():
        sys.stderr.write(f"measuring {name} …\n")


if __name__ == "__main__":
    main()
