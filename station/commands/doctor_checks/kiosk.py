"""Checks a running kiosk: that it still says so, and what it says of its data."""

from collections.abc import Mapping
from typing import Any

from config import Settings
from station.commands.doctor_checks.finding import Finding, fail, ok, warn
from station.commands.doctor_checks.mirror_and_outbox import check_mirror_and_outbox
from station.runtime import status_file


def check_kiosk(settings: Settings, status: Mapping[str, Any] | None, *, in_use: bool) -> Finding:
    """Check whether the kiosk runs, and still says so.

    ``status``: what the one that is alive wrote last. ``in_use``: somebody has the database.
    """
    if not in_use:
        return warn("kiosk", "does not run", "systemctl start station, or station run")
    if status is None:
        # What an earlier kiosk has left behind is no sign of one that hangs.
        path = settings.storage.database.with_name(status_file.FILE_NAME)
        what = f"the database is in use, and no kiosk that runs has written {path}"
        return warn("kiosk", what, "another command has it, or the kiosk has just been started: run this again")
    age_s = status_file.age_s(status)
    if age_s > status_file.STALE_AFTER_S:
        mend = "hold 0 and 2 until the screen goes dark; where the disk takes no writes, mend that first"
        return fail("kiosk", f"has not said anything for {age_s} s", mend)
    return ok("kiosk", f"runs; said so {age_s} s ago")


def check_kiosk_status(settings: Settings, status: Mapping[str, Any]) -> list[Finding]:
    """Check mirror, or a box's last hand-over, and outbox as a running kiosk has them."""
    return check_mirror_and_outbox(
        settings,
        confirmed_at=status.get("mirror_confirmed_at"),
        handed_over_at=status.get("handed_over_at"),
        waiting=status.get("outbox"),
    )
