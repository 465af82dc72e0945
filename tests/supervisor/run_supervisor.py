"""`station run` with another program in the kiosk's place: ``run_supervisor.py FOLDER COMMAND…``."""

import os
import sys
from pathlib import Path

from station.supervisor import restart_policy, supervisor

if __name__ == "__main__":
    # The documented limits are pinned by test_restart_policy.py; a test need not wait for all of them.
    restart_policy.SILENCE_LIMIT_S = float(os.environ.get("TEST_SILENCE_S", restart_policy.SILENCE_LIMIT_S))
    supervisor.END_LIMIT_S = float(os.environ.get("TEST_END_S", supervisor.END_LIMIT_S))
    folder = Path(sys.argv[1])
    code = supervisor.supervise(
        sys.argv[2:],
        config=folder / "station.toml",
        log=folder / "station.log",
        keypad=os.environ.get("TEST_KEYPAD"),
    )
    sys.exit(code)
