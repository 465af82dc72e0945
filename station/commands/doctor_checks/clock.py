"""Checks whether the time can be trusted, and what it rests on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from config import Settings
from station.commands.doctor_checks.finding import Finding, fail, ok
from station.rules.clock import ClockMemory, ClockRules, trusted_time
from station.sync.timekeeping import Clocks, SystemClocks


def check_clock(
    settings: Settings,
    status: Mapping[str, Any] | None,
    *,
    central_answers: bool,
    floor_s: int = 0,
    clocks: Clocks | None = None,
) -> Finding:
    """Check whether the time can be trusted, and what it rests on.

    ``floor_s``: the newest time (Unix seconds) that central has signed, no clock before it is right.
    """
    if status is not None:
        said = status.get("clock") or {}
        if said.get("trusted"):
            return ok("clock", f"trusted by the kiosk ({said.get('source')})")
        mend = _BOX_CLOCK_MEND if settings.is_activation_box else _CLOCK_MEND
        return fail("clock", "the kiosk has no trusted time: keys can only be switched off", mend)
    rules = settings.clock
    readings = (clocks or SystemClocks(read_rtc=rules.trust_rtc))()
    if settings.is_activation_box and readings.rtc_unix_s is None:
        # Whatever else the time could rest on is not there where the box will stand.
        return fail("clock", "no battery-backed clock answers, and a box has no other", _BOX_CLOCK_MEND)
    if central_answers and not settings.is_activation_box:
        return ok("clock", "central's signed time is at hand")
    if rules.trust_ntp and readings.ntp_synchronised:
        return ok("clock", "the system says that it is NTP-synchronised")
    if rules.trust_rtc and readings.rtc_unix_s is not None:
        by_rtc = ClockRules(trust_ntp=False, trust_rtc=True, holdover_days=settings.policy.mirror_max_age_days)
        said = datetime.fromtimestamp(readings.rtc_unix_s, UTC).strftime("%Y-%m-%d %H:%MZ")
        if trusted_time(readings, by_rtc, ClockMemory(floor_s)) is None:
            return fail("clock", f"the battery-backed clock says {said}: that cannot be", _WRONG_CLOCK_MEND)
        return ok("clock", f"a battery-backed clock answers: {said}")
    return fail("clock", "nothing that time could rest on: keys can only be switched off", _CLOCK_MEND)


_CLOCK_MEND = "connect it to central, or set up NTP (timedatectl set-ntp true), or fit a clock and set clock.trust_rtc"

_WRONG_CLOCK_MEND = "set the system's clock, then hwclock --systohc; if it is wrong again, it needs a new battery"

_BOX_CLOCK_MEND = "fit a battery-backed clock, and set it: hwclock --systohc after station sync"
