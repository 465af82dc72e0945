"""Central's clock: whole seconds since 1970. What decides takes ``now`` as an argument; this is where it comes from."""

import time

HOUR_S = 3600
DAY_S = 24 * HOUR_S


def unix_now() -> int:
    """Whole seconds since 1970-01-01T00:00:00Z."""
    return int(time.time())
