"""What a station's time rests on, and which time that is. Pure: the readings come in, nothing is asked here.

Three sources, best first. Central's signed time, received in this boot and counted on with CLOCK_BOOTTIME: nobody at
the station can turn it, so it goes before a kernel that says it is NTP-synchronised (NTP is not signed), and before a
battery-backed clock. The *floor* is the newest issue time that central has ever signed. It can reject a clock, never
confirm one: a clock set back to 1970 or to yesterday is before it, but any later time would pass.
"""

from dataclasses import dataclass

from station.records.claims import ClockSource

SIGNED_TIME_ROUND_TRIP_S = 10
"""Within this, central's answer counts as the present. Held-over time can lag true time by as much, so a record issued
meanwhile may be that far ahead of it: that much below the floor is no sign of a clock set back."""

SYNCED_FOR_S = 3600
"""Signed time counted on for less than this is `ClockSource.SYNCED`, after that `ClockSource.HOLDOVER`."""

CEILING_S = 400 * 86400
"""How far past the floor a clock that nobody has signed is believed: the longest lifetime of a certificate. Later than
that nothing that this station has is in force, so all it can be is a clock that jumped (to 2038, say)."""

DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Anchor:
    """Central's signed time, and when it came: Unix seconds, seconds of CLOCK_BOOTTIME, and in which boot."""

    unix_s: int
    boottime_s: float
    boot_id: str
    """As in /proc/sys/kernel/random/boot_id. CLOCK_BOOTTIME starts anew with every boot."""


@dataclass(frozen=True, slots=True)
class ClockReadings:
    """All that a station can read of its clocks, at one moment."""

    unix_s: int
    """The system clock."""
    boottime_s: float
    boot_id: str
    ntp_synchronised: bool = False
    """The kernel says so (adjtimex)."""
    rtc_unix_s: int | None = None
    """A battery-backed clock; None where there is none, or it cannot be read."""


@dataclass(frozen=True, slots=True)
class ClockRules:
    """Which sources the site trusts (``[clock]`` and ``policy.mirror_max_age_days`` of station.toml)."""

    trust_ntp: bool
    trust_rtc: bool
    holdover_days: int


@dataclass(frozen=True, slots=True)
class Trusted:
    """A time that may be signed with."""

    unix_s: int
    source: ClockSource


def anchored(
    issued_s: int, asked_boottime_s: float, received_boottime_s: float, boot_id: str, floor_s: int
) -> Anchor | None:
    """What a verified ``time/1`` for our nonce is worth; None when it is not to be kept.

    ``issued_s``: its claim. Refused when it took too long (somebody kept it back, to set us back), and when it is older
    than ``floor_s``, what central has signed before: a replay, or a central whose own clock went back.
    """
    took_s = received_boottime_s - asked_boottime_s
    if not 0 <= took_s <= SIGNED_TIME_ROUND_TRIP_S or _before(issued_s, floor_s):
        return None
    return Anchor(issued_s, received_boottime_s, boot_id)


def trusted_time(readings: ClockReadings, rules: ClockRules, anchor: Anchor | None, floor_s: int) -> Trusted | None:
    """The time and what it rests on; None when nothing can be trusted: then no activation.

    ``floor_s``: the newest central-signed issue time ever seen, in Unix seconds; 0 where none has been seen.
    """
    held_over = _held_over(readings, rules, anchor)
    if held_over is not None and not _before(held_over.unix_s, floor_s):
        # Central has signed something at the floor, so it is not earlier: a key whose clock is set to less would be
        # refused by locks (`clock_behind`) until it has caught up with its own permit.
        return Trusted(max(held_over.unix_s, floor_s), held_over.source)
    if rules.trust_ntp and readings.ntp_synchronised and _plausible(readings.unix_s, floor_s):
        return Trusted(readings.unix_s, ClockSource.SYNCED)
    if rules.trust_rtc and readings.rtc_unix_s is not None and _plausible(readings.rtc_unix_s, floor_s):
        return Trusted(readings.rtc_unix_s, ClockSource.RTC)
    return None


def _held_over(readings: ClockReadings, rules: ClockRules, anchor: Anchor | None) -> Trusted | None:
    """Signed time counted on. The system clock has no part in it, wherever that was set to meanwhile."""
    if anchor is None or anchor.boot_id != readings.boot_id:
        return None
    elapsed_s = readings.boottime_s - anchor.boottime_s
    if not 0 <= elapsed_s <= rules.holdover_days * DAY_S:
        return None
    source = ClockSource.SYNCED if elapsed_s < SYNCED_FOR_S else ClockSource.HOLDOVER
    return Trusted(anchor.unix_s + int(elapsed_s), source)


def _before(unix_s: int, floor_s: int) -> bool:
    return unix_s < floor_s - SIGNED_TIME_ROUND_TRIP_S


def _plausible(unix_s: int, floor_s: int) -> bool:
    return unix_s >= floor_s and (floor_s == 0 or unix_s <= floor_s + CEILING_S)
