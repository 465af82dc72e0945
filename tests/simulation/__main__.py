"""Simulate many seeds, or one again: ``python -m tests.simulation --seeds 5000``."""

# ruff: noqa: T201 - it prints what was found

import argparse
import sys
import time
from collections import Counter

from tests.simulation.run import VISITS, simulate


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="this one alone, with all of its trace")
    parser.add_argument("--visits", type=int, default=VISITS, help="of each seed (default: %(default)s)")
    asked = parser.parse_args()
    if asked.seed is not None:
        outcome = simulate(asked.seed, asked.visits)
        print(*outcome.trace, sep="\n")
        print(f"digest {outcome.digest[:16]}")
        if outcome.error is not None:
            raise outcome.error
        return 0
    began, seen, found, days = time.monotonic(), Counter[str](), 0, 0.0
    for seed in range(asked.first, asked.first + asked.seeds):
        outcome = simulate(seed, asked.visits)
        seen.update(outcome.seen)
        days += outcome.days
        if outcome.error is not None:
            found += 1
            print(outcome.report, flush=True)
    for what, count in sorted(seen.items()):
        print(f"{count:8} {what}")
    took_s = time.monotonic() - began
    print(
        f"{asked.seeds} seeds, {asked.seeds * asked.visits} visits, {days:.0f} days in {took_s:.0f} s: {found} failed"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
