"""`station run` with another program in the kiosk's place: ``run_supervisor.py FOLDER COMMAND…``."""

import os
import sys
from pathlib import Path

from station.supervisor import restart_policy
from station.supervisor.supervisor import supervise

if __name__ == "__main__":
    restart_policy.SILENCE_LIMIT_S = float(os.environ.get("TEST_SILENCE_S", restart_policy.SILENCE_LIMIT_S))
    folder = Path(sys.argv[1])
    code = supervise(
        sys.argv[2:],
        config=folder / "station.toml",
        log=folder / "station.log",
        keypad=os.environ.get("TEST_KEYPAD"),
    )
    sys.exit(code)
