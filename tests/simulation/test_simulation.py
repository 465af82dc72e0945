"""Simulated sites, about twenty visits each, thirty of them in `make test`: whatever happens, what must be true is."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.run import simulate

SEEDS = 200
VISITS = 18
AT_ONCE = 10
BY_DAY = 30
"""So many seeds are played in `make test`, the others in `make test-nightly`."""
REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "first",
    [
        *range(0, BY_DAY, AT_ONCE),
        *(pytest.param(first, marks=pytest.mark.nightly) for first in range(BY_DAY, SEEDS, AT_ONCE)),
    ],
)
def test_seeds(first: int) -> None:
    seen = Counter[str]()
    for seed in range(first, first + AT_ONCE):
        outcome = simulate(seed, VISITS)
        assert outcome.error is None, outcome.report
        seen.update(outcome.seen)
    # Ten sites in which nobody gets to work, nobody slips and nothing fails would prove nothing.
    assert seen["screen ready"] >= AT_ONCE
    assert seen["lock opened"] >= 1
    assert seen["wrong PIN"] >= AT_ONCE
    assert seen["kill"] + seen["power cut"] >= AT_ONCE / 2


def test_a_seed_is_the_same_each_time() -> None:
    first = simulate(3)
    assert simulate(3).digest == first.digest
    assert simulate(4).digest != first.digest


def test_a_seed_is_the_same_in_another_process() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "5"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.splitlines()[-1] == f"digest {simulate(5).digest[:16]}"
