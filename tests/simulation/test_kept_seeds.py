"""Seeds that once found something. What they play changes with the code; what they found has tests of its own, too."""

import pytest

from tests.simulation.run import simulate

FOUND = {
    3: "OFF was said with the name of a key that had been pulled while it was being switched on",
    29: "ready was said of a key with a record from a central whose clock was ahead: locks called it clock_behind",
    53: "a key swapped in front of a slow disk had its log told as that of the key before",
    2227: "the same, and two stations told one number of one log differently",
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once(seed: int) -> None:
    outcome = simulate(seed)
    assert outcome.error is None, outcome.report
