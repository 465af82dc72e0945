"""Checks how old the data from central are (a box's: its last hand-over), and how many events wait for central."""

import time

from config import Settings
from station.commands.doctor_checks.finding import Finding, fail, ok, warn

HAND_OVER_WARN_DAYS = 400
OUTBOX_WARN_EVENTS = 1000
DAY_S = 86400


def check_mirror_and_outbox(
    settings: Settings, *, confirmed_at: int | None, handed_over_at: int | None, waiting: int | None
) -> list[Finding]:
    """Check the mirror, or an activation box's last hand-over, and the outbox. ``waiting``: None: it cannot be read."""
    found = _check_hand_over(handed_over_at) if settings.is_activation_box else _check_mirror(settings, confirmed_at)
    return [found, _check_outbox(waiting)]


def _check_hand_over(at: int | None) -> Finding:
    mend = "connect the box to central, stop it, then station sync"
    if at is None:
        return warn("hand-over", "there has been none: it has only what it was enrolled with", mend)
    days = max(0, int(time.time()) - at) // DAY_S
    if days > HAND_OVER_WARN_DAYS:
        return warn("hand-over", f"the last one was {days} days ago", mend)
    return ok("hand-over", f"the last one was {days} days ago")


def _check_mirror(settings: Settings, confirmed_at: int | None) -> Finding:
    if confirmed_at is None:
        return warn("mirror", "there is none yet: keys can only be switched off", "station sync")
    age_s = max(0, int(time.time()) - confirmed_at)
    longest = settings.policy.mirror_max_age_days
    if age_s > longest * DAY_S:
        what = f"{age_s // DAY_S} days old, more than {longest}: keys can only be switched off"
        return fail("mirror", what, "connect it to central, then station sync")
    if age_s > DAY_S:
        return warn("mirror", f"{age_s // DAY_S} days old", "connect it to central, then station sync")
    return ok("mirror", f"confirmed {age_s} s ago")


def _check_outbox(waiting: int | None) -> Finding:
    if waiting is None:
        return fail("outbox", "cannot be read", "look at the log; check the disk")
    if waiting > OUTBOX_WARN_EVENTS:
        return warn("outbox", f"{waiting} events wait for central", "connect it to central, then station sync")
    return ok("outbox", f"{waiting} events wait for central")
