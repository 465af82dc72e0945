"""What a station's time rests on when clocks jump, stop, or are turned."""

from dataclasses import replace

import pytest

from station.records.claims import ClockSource
from station.rules.clock import (
    CEILING_S,
    SYNCED_FOR_S,
    Anchor,
    ClockReadings,
    ClockRules,
    Trusted,
    anchored,
    trusted_time,
)

NOW_S = 1_800_000_000
DAY_S = 86400
FLOOR_S = NOW_S - 3 * DAY_S
RULES = ClockRules(trust_ntp=True, trust_rtc=True, holdover_days=10)
SIGNED_ONLY = ClockRules(trust_ntp=False, trust_rtc=False, holdover_days=10)
ANCHOR = Anchor(NOW_S, 5000.0, "boot-a")
HERE = ClockReadings(NOW_S, 5000.0, "boot-a")
JUMPS = [
    pytest.param(0, id="1970"),
    pytest.param(2**31 - 1, id="2038"),
    pytest.param(NOW_S - 3600, id="an_hour_back"),
    pytest.param(NOW_S + 365 * DAY_S, id="a_year_ahead"),
]


def later(seconds: float, **changes: object) -> ClockReadings:
    readings = replace(HERE, unix_s=NOW_S + int(seconds), boottime_s=HERE.boottime_s + seconds)
    return replace(readings, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("system_s", JUMPS)
@pytest.mark.parametrize("ntp", [False, True])
def test_signed_time_goes_on_wherever_the_system_clock_jumps(system_s: int, ntp: bool) -> None:
    readings = later(600.9, unix_s=system_s, ntp_synchronised=ntp, rtc_unix_s=system_s)
    assert trusted_time(readings, RULES, ANCHOR, FLOOR_S) == Trusted(NOW_S + 600, ClockSource.SYNCED)


@pytest.mark.parametrize(
    ("elapsed_s", "source"),
    [
        (0, ClockSource.SYNCED),
        (SYNCED_FOR_S - 1, ClockSource.SYNCED),
        (SYNCED_FOR_S, ClockSource.HOLDOVER),
        (10 * DAY_S, ClockSource.HOLDOVER),
    ],
)
def test_signed_time_ages(elapsed_s: int, source: ClockSource) -> None:
    assert trusted_time(later(elapsed_s), SIGNED_ONLY, ANCHOR, FLOOR_S) == Trusted(NOW_S + elapsed_s, source)


def test_holdover_ends() -> None:
    assert trusted_time(later(10 * DAY_S + 1), SIGNED_ONLY, ANCHOR, FLOOR_S) is None
    assert trusted_time(later(DAY_S + 1), replace(SIGNED_ONLY, holdover_days=1), ANCHOR, FLOOR_S) is None


def test_after_a_reboot_signed_time_is_over() -> None:
    readings = replace(later(0), boottime_s=6000.0, boot_id="boot-b")
    assert trusted_time(readings, SIGNED_ONLY, ANCHOR, FLOOR_S) is None
    assert trusted_time(replace(readings, rtc_unix_s=NOW_S + 60), RULES, ANCHOR, FLOOR_S) == Trusted(
        NOW_S + 60, ClockSource.RTC
    )


def test_a_boot_clock_before_the_anchor_is_another_boot_whatever_it_is_called() -> None:
    assert trusted_time(later(-1), SIGNED_ONLY, ANCHOR, FLOOR_S) is None


def test_the_system_clock_alone_is_nothing() -> None:
    assert trusted_time(HERE, RULES, None, FLOOR_S) is None


def test_ntp_where_the_site_trusts_it() -> None:
    readings = replace(HERE, ntp_synchronised=True)
    assert trusted_time(readings, RULES, None, FLOOR_S) == Trusted(NOW_S, ClockSource.SYNCED)
    assert trusted_time(readings, replace(RULES, trust_ntp=False), None, FLOOR_S) is None


def test_rtc_where_the_site_trusts_it() -> None:
    # The time is the battery-backed clock's own: the system clock may have been set by hand since the start.
    readings = replace(HERE, unix_s=NOW_S - 3600, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, None, FLOOR_S) == Trusted(NOW_S, ClockSource.RTC)
    assert trusted_time(readings, replace(RULES, trust_rtc=False), None, FLOOR_S) is None


def test_ntp_goes_before_rtc() -> None:
    readings = replace(HERE, ntp_synchronised=True, rtc_unix_s=NOW_S - 5)
    assert trusted_time(readings, RULES, None, FLOOR_S) == Trusted(NOW_S, ClockSource.SYNCED)


@pytest.mark.parametrize("source", ["unix_s", "rtc_unix_s"])
@pytest.mark.parametrize(
    ("time_s", "believed"),
    [
        pytest.param(0, False, id="1970"),
        pytest.param(2**31 - 1, False, id="2038"),
        pytest.param(FLOOR_S - 1, False, id="before_the_floor"),
        pytest.param(FLOOR_S, True, id="at_the_floor"),
        pytest.param(NOW_S - 3600, True, id="an_hour_back_but_past_the_floor"),
        pytest.param(FLOOR_S + CEILING_S, True, id="while_a_certificate_could_still_be_in_force"),
        pytest.param(FLOOR_S + CEILING_S + 1, False, id="when_none_could"),
    ],
)
def test_the_floor_rejects_an_unsigned_clock(source: str, time_s: int, believed: bool) -> None:
    readings = replace(HERE, ntp_synchronised=source == "unix_s", **{source: time_s})  # type: ignore[arg-type]
    assert (trusted_time(readings, RULES, None, FLOOR_S) is not None) is believed


def test_a_station_that_has_seen_nothing_signed_has_no_ceiling() -> None:
    readings = replace(HERE, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, None, 0) == Trusted(NOW_S, ClockSource.RTC)


def test_a_rejected_clock_leaves_the_next_its_turn() -> None:
    readings = replace(HERE, unix_s=0, ntp_synchronised=True, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, None, FLOOR_S) == Trusted(NOW_S, ClockSource.RTC)


def test_signed_time_before_the_floor_is_a_replay() -> None:
    old = Anchor(FLOOR_S - 3600, 5000.0, "boot-a")
    assert trusted_time(HERE, SIGNED_ONLY, old, FLOOR_S) is None
    assert anchored(FLOOR_S - 3600, 4999.0, 5000.0, "boot-a", FLOOR_S) is None
    assert trusted_time(replace(HERE, rtc_unix_s=NOW_S), RULES, old, FLOOR_S) == Trusted(NOW_S, ClockSource.RTC)


def test_a_permit_issued_while_the_answer_was_on_its_way_does_not_stop_the_clock() -> None:
    assert trusted_time(HERE, SIGNED_ONLY, ANCHOR, NOW_S + 10) == Trusted(NOW_S + 10, ClockSource.SYNCED)
    assert trusted_time(HERE, SIGNED_ONLY, ANCHOR, NOW_S + 11) is None


@pytest.mark.parametrize(("took_s", "kept"), [(0.0, True), (10.0, True), (10.1, False), (-0.1, False)])
def test_an_answer_that_was_kept_back_is_refused(took_s: float, kept: bool) -> None:
    anchor = anchored(NOW_S, 100.0, 100.0 + took_s, "boot-a", FLOOR_S)
    assert anchor == (Anchor(NOW_S, 100.0 + took_s, "boot-a") if kept else None)
