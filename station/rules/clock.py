"""What a station's time rests on, and which time that is. Pure: the readings come in, nothing is asked here.

Three sources, best first. Central's signed time, received in this boot and counted on with CLOCK_BOOTTIME: nobody at
the station can turn it, so it goes before a kernel that says it is NTP-synchronised (NTP is not signed), and before a
battery-backed clock. Two bounds can reject an unsigned clock, and neither confirms one: the *floor*, the newest issue
time that central has ever signed, and the latest time that a trusted clock has shown here. Without the second, whoever
sets the clock back to the floor and restarts the station has all the time since for himself.

Both bounds are wrong when central's clock, or a trusted one, has been wrong. They are lowered by central's own later
word and by nothing else: a ``time/1`` bound to the station's nonce. Whoever holds old records gains nothing by them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from station.records.claims import SIGNED_AHEAD_S, ClockSource

SIGNED_TIME_ROUND_TRIP_S = 10
"""Within this, central's answer counts as the present. Held-over time can lag true time by as much, so that much below
a bound is no sign of a clock set back."""


SYNCED_FOR_S = 3600
"""Signed time counted on for less than this is `ClockSource.SYNCED`, after that `ClockSource.HOLDOVER`."""

CEILING_S = 400 * 86400
"""How far past the floor a clock that nobody has signed is believed: the longest lifetime of a certificate. Later than
that nothing that this station has is in force, so all it can be is a clock that jumped (to 2038, say)."""

DAY_S = 86400

UNKNOWN_BOOT = "unknown"
"""The boot id where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Central's signed time, and when it came: Unix seconds, seconds of CLOCK_BOOTTIME, and in which boot."""

    unix_s: int
    boottime_s: float
    boot_id: str
    """As in /proc/sys/kernel/random/boot_id. CLOCK_BOOTTIME starts anew with every boot."""


@dataclass(frozen=True, slots=True)
class ClockMemory:
    """What a station remembers of the time; all of it outlives a restart of the program."""

    floor_s: int = 0
    """The newest issue time that central has signed, in Unix seconds; 0 where none has been seen."""
    last_trusted_s: int = 0
    """The latest time that a trusted clock has shown here; 0: none yet."""
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class SignedTimeTaken:
    """What is remembered after central's signed time."""

    memory: ClockMemory
    lowered_from_s: int | None = None
    """What a bound was before, when this has lowered one: a wrong time has been mended, which the log has to tell."""


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


class ClockDoubt(StrEnum):
    """Why no clock is trusted. All are mended by central's answer; what else mends them differs."""

    NO_SOURCE = "no_source"
    """Nothing that the site trusts says any time."""
    BEFORE_FLOOR = "before_floor"
    """What there is says less than central has signed: an empty battery, or a clock that was never set."""
    SET_BACK = "set_back"
    """What there is says less than a trusted clock has shown here: it was set back, or was ahead before."""
    TOO_FAR_AHEAD = "too_far_ahead"
    """What there is says more than `CEILING_S` past the floor."""


def signed_time_taken(
    memory: ClockMemory, issued_s: int, asked_boottime_s: float, received: ClockReadings
) -> SignedTimeTaken | None:
    """What a verified ``time/1`` for our nonce is worth; None when it took too long: somebody kept it back.

    ``issued_s``: its claim; ``asked_boottime_s``: the boot clock when it was asked for. It was signed after we asked,
    so it is central's latest word: a bound that lies ahead of it came of a clock that was wrong, and is lowered.
    """
    took_s = received.boottime_s - asked_boottime_s
    if not 0 <= took_s <= SIGNED_TIME_ROUND_TRIP_S:
        return None
    anchor = Anchor(issued_s, received.boottime_s, received.boot_id)
    bound_s = max(memory.floor_s, memory.last_trusted_s)
    if issued_s < bound_s - SIGNED_TIME_ROUND_TRIP_S:
        return SignedTimeTaken(ClockMemory(issued_s, issued_s, anchor), lowered_from_s=bound_s)
    return SignedTimeTaken(ClockMemory(max(memory.floor_s, issued_s), max(memory.last_trusted_s, issued_s), anchor))


def issue_time_seen(memory: ClockMemory, issued_s: int, readings: ClockReadings, rules: ClockRules) -> ClockMemory:
    """With the floor raised to the issue time of a record that central has signed. Never lowered: records can be old.

    What was issued far ahead of signed time in this boot raises nothing: it would stop every unsigned clock.
    """
    signed = _held_over(readings, rules, memory.anchor)
    if signed is not None and issued_s > signed.unix_s + SIGNED_AHEAD_S:
        return memory
    return replace(memory, floor_s=max(memory.floor_s, issued_s))


def trusted_time_seen(memory: ClockMemory, trusted: Trusted) -> ClockMemory:
    """With the time that a trusted clock shows."""
    return replace(memory, last_trusted_s=max(memory.last_trusted_s, trusted.unix_s))


def after_restart(memory: ClockMemory, readings: ClockReadings) -> ClockMemory:
    """What is left of what was remembered, when the program starts: signed time in the same boot only.

    Where the boot's id cannot be read, nobody knows which boot this is.
    """
    anchor = memory.anchor
    same_boot = anchor is not None and anchor.boot_id == readings.boot_id != UNKNOWN_BOOT
    return memory if same_boot else replace(memory, anchor=None)


def trusted_time(readings: ClockReadings, rules: ClockRules, memory: ClockMemory) -> Trusted | None:
    """The time and what it rests on; None when nothing can be trusted: then no activation."""
    signed = _held_over(readings, rules, memory.anchor)
    if signed is not None:
        # Central has signed something at the floor, so it is not earlier: a key whose clock is set to less would be
        # refused by locks (`clock_behind`) until it has caught up with its own permit.
        ahead_s = memory.floor_s - signed.unix_s
        return Trusted(memory.floor_s, signed.source) if 0 < ahead_s <= SIGNED_AHEAD_S else signed
    for unsigned in _unsigned(readings, rules):
        if _rejected(unsigned.unix_s, memory) is None:
            return unsigned
    return None


def doubt(readings: ClockReadings, rules: ClockRules, memory: ClockMemory) -> ClockDoubt | None:
    """Why nothing is trusted: what rejects the best clock that there is. None when one is trusted."""
    if trusted_time(readings, rules, memory) is not None:
        return None
    rejections = (_rejected(unsigned.unix_s, memory) for unsigned in _unsigned(readings, rules))
    return next(rejections, ClockDoubt.NO_SOURCE)


def _unsigned(readings: ClockReadings, rules: ClockRules) -> Iterator[Trusted]:
    """The clocks that the site trusts although nobody signs them, best first."""
    if rules.trust_ntp and readings.ntp_synchronised:
        yield Trusted(readings.unix_s, ClockSource.SYNCED)
    if rules.trust_rtc and readings.rtc_unix_s is not None:
        yield Trusted(readings.rtc_unix_s, ClockSource.RTC)


def _held_over(readings: ClockReadings, rules: ClockRules, anchor: Anchor | None) -> Trusted | None:
    """Signed time counted on. The system clock has no part in it, wherever that was set to meanwhile."""
    if anchor is None or anchor.boot_id != readings.boot_id:
        return None
    elapsed_s = readings.boottime_s - anchor.boottime_s
    if not 0 <= elapsed_s <= rules.holdover_days * DAY_S:
        return None
    source = ClockSource.SYNCED if elapsed_s < SYNCED_FOR_S else ClockSource.HOLDOVER
    return Trusted(anchor.unix_s + int(elapsed_s), source)


def _rejected(unix_s: int, memory: ClockMemory) -> ClockDoubt | None:
    """Why an unsigned clock is rejected. It may have been put back by seconds: clocks of one station differ."""
    if unix_s < memory.floor_s:
        return ClockDoubt.BEFORE_FLOOR
    if unix_s < memory.last_trusted_s - SIGNED_TIME_ROUND_TRIP_S:
        return ClockDoubt.SET_BACK
    if memory.floor_s and unix_s > memory.floor_s + CEILING_S:
        return ClockDoubt.TOO_FAR_AHEAD
    return None
