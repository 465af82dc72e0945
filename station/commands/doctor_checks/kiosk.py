"""Checks a running kiosk: that it still says so, and what it says of its data."""

import time
from collections.abc import Mapping
from typing import Any

from config import Settings
from station.commands.doctor_checks.finding import Finding, fail, ok, warn
from station.commands.doctor_checks.mirror_and_outbox import check_mirror_and_outbox
from station.runtime import status_file


def check_kiosk(settings: Settings, *, running: bool) -> Finding:
    """Check whether the kiosk runs, and still says so."""
    path = settings.storage.database.with_name(status_file.FILE_NAME)
    if not running:
        return warn("kiosk", "does not run", "systemctl start station, or station run")
    try:
        age_s = int(time.time() - path.stat().st_mtime)
    except OSError:
        return warn("kiosk", f"has the database, but there is no {path}", "wait some seconds, then run this again")
    if age_s > status_file.STALE_AFTER_S:
        return fail("kiosk", f"has not said anything for {age_s} s", "hold 0 and 2 until the screen goes dark")
    return ok("kiosk", f"runs; said so {age_s} s ago")


def check_kiosk_status(settings: Settings, status: Mapping[str, Any]) -> list[Finding]:
    """Check mirror, or a box's last hand-over, and outbox as a running kiosk has them."""
    return check_mirror_and_outbox(
        settings,
        confirmed_at=status.get("mirror_confirmed_at"),
        handed_over_at=status.get("handed_over_at"),
        waiting=status.get("outbox"),
    )
