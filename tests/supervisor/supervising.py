"""`station run` with another program in the kiosk's place: ``supervising.py FOLDER COMMAND…``."""

import os
import sys
from pathlib import Path

from station.supervisor.supervisor import supervise

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    code = supervise(
        sys.argv[2:],
        config=folder / "station.toml",
        log=folder / "station.log",
        keypad=os.environ.get("TEST_KEYPAD"),
    )
    sys.exit(code)
