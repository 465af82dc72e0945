"""What one Argon2id costs on this machine, with the cost that central has set."""

import statistics
import time

from config.credentials import Argon2Cost
from station.records.pins import pin_tag

TIMES = 3


def argon2_s(cost: Argon2Cost) -> float:
    """The median of bare computations."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        pin_tag(b"4815162342", b"s" * 16, b"p" * 32, time=cost.time, memory_kib=cost.memory_kib, lanes=cost.lanes)
        took.append(time.perf_counter() - began)
    return statistics.median(took)
