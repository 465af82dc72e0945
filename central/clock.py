"""Central's clock: whole seconds since 1970. What decides takes ``now`` as an argument; this is where it comes from."""

import os
import time
from pathlib import Path

HOUR_S = 3600
DAY_S = 24 * HOUR_S
END_OF_DATES = 253_402_300_800
"""The year 10000: no calendar has what comes after. Keys and stations may tell it all the same."""

OFFSET_FILE_VARIABLE = "CENTRAL_CLOCK_OFFSET_FILE"
"""Names a file with seconds to add to the time: for demonstrations, where days pass at once; never set otherwise."""


def unix_now() -> int:
    """Whole seconds since 1970-01-01T00:00:00Z."""
    offset_file = os.environ.get(OFFSET_FILE_VARIABLE)
    return int(time.time() + (float(Path(offset_file).read_text("ascii")) if offset_file else 0))
