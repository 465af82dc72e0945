"""What a station's time rests on when clocks jump, stop, or are turned; named by who turns them."""

from dataclasses import replace

import pytest

from station.records.claims import SIGNED_AHEAD_S, ClockSource
from station.rules.clock import (
    CEILING_S,
    SYNCED_FOR_S,
    UNKNOWN_BOOT,
    Anchor,
    ClockDoubt,
    ClockMemory,
    ClockReadings,
    ClockRules,
    SignedTimeTaken,
    Trusted,
    after_restart,
    doubt,
    issue_time_seen,
    signed_time_taken,
    trusted_time,
    trusted_time_seen,
)

NOW_S = 1_800_000_000
DAY_S = 86400
FLOOR_S = NOW_S - 3 * DAY_S
RULES = ClockRules(trust_ntp=True, trust_rtc=True, holdover_days=10)
SIGNED_ONLY = ClockRules(trust_ntp=False, trust_rtc=False, holdover_days=10)
ANCHOR = Anchor(NOW_S, 5000.0, "boot-a")
HERE = ClockReadings(NOW_S, 5000.0, "boot-a")
SIGNED = ClockMemory(FLOOR_S, anchor=ANCHOR)
UNSIGNED = ClockMemory(FLOOR_S)
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
    assert trusted_time(readings, RULES, SIGNED) == Trusted(NOW_S + 600, ClockSource.SYNCED)


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
    assert trusted_time(later(elapsed_s), SIGNED_ONLY, SIGNED) == Trusted(NOW_S + elapsed_s, source)


def test_holdover_ends() -> None:
    assert trusted_time(later(10 * DAY_S + 1), SIGNED_ONLY, SIGNED) is None
    assert trusted_time(later(DAY_S + 1), replace(SIGNED_ONLY, holdover_days=1), SIGNED) is None


def test_after_a_reboot_signed_time_is_over() -> None:
    readings = replace(later(0), boottime_s=6000.0, boot_id="boot-b")
    assert trusted_time(readings, SIGNED_ONLY, SIGNED) is None
    assert trusted_time(replace(readings, rtc_unix_s=NOW_S + 60), RULES, SIGNED) == Trusted(NOW_S + 60, ClockSource.RTC)


def test_a_boot_clock_before_the_anchor_is_another_boot_whatever_it_is_called() -> None:
    assert trusted_time(later(-1), SIGNED_ONLY, SIGNED) is None


def test_the_system_clock_alone_is_nothing() -> None:
    assert trusted_time(HERE, RULES, UNSIGNED) is None


def test_ntp_where_the_site_trusts_it() -> None:
    readings = replace(HERE, ntp_synchronised=True)
    assert trusted_time(readings, RULES, UNSIGNED) == Trusted(NOW_S, ClockSource.SYNCED)
    assert trusted_time(readings, replace(RULES, trust_ntp=False), UNSIGNED) is None


def test_rtc_where_the_site_trusts_it() -> None:
    # The time is the battery-backed clock's own: the system clock may have been set by hand since the start.
    readings = replace(HERE, unix_s=NOW_S - 3600, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, UNSIGNED) == Trusted(NOW_S, ClockSource.RTC)
    assert trusted_time(readings, replace(RULES, trust_rtc=False), UNSIGNED) is None


def test_ntp_goes_before_rtc() -> None:
    readings = replace(HERE, ntp_synchronised=True, rtc_unix_s=NOW_S - 5)
    assert trusted_time(readings, RULES, UNSIGNED) == Trusted(NOW_S, ClockSource.SYNCED)


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
    assert (trusted_time(readings, RULES, UNSIGNED) is not None) is believed


def test_a_station_that_has_seen_nothing_signed_has_no_ceiling() -> None:
    readings = replace(HERE, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, ClockMemory()) == Trusted(NOW_S, ClockSource.RTC)


def test_a_rejected_clock_leaves_the_next_its_turn() -> None:
    readings = replace(HERE, unix_s=0, ntp_synchronised=True, rtc_unix_s=NOW_S)
    assert trusted_time(readings, RULES, UNSIGNED) == Trusted(NOW_S, ClockSource.RTC)


def test_a_permit_issued_while_the_answer_was_on_its_way_does_not_stop_the_clock() -> None:
    ahead = replace(SIGNED, floor_s=NOW_S + 10)
    assert trusted_time(HERE, SIGNED_ONLY, ahead) == Trusted(NOW_S + 10, ClockSource.SYNCED)
    assert trusted_time(later(11), SIGNED_ONLY, ahead) == Trusted(NOW_S + 11, ClockSource.SYNCED)


def test_a_floor_far_ahead_does_not_turn_signed_time() -> None:
    # The certificate of a central whose clock was a year ahead, say, which a restart reads again.
    ahead = replace(SIGNED, floor_s=NOW_S + 365 * DAY_S)
    assert trusted_time(HERE, RULES, ahead) == Trusted(NOW_S, ClockSource.SYNCED)


@pytest.mark.parametrize("took_s", [10.1, -0.1])
def test_an_answer_that_was_kept_back_is_refused(took_s: float) -> None:
    received = replace(HERE, boottime_s=100.0 + took_s)
    assert signed_time_taken(UNSIGNED, NOW_S, 100.0, received) is None


@pytest.mark.parametrize("took_s", [0.0, 10.0])
def test_signed_time(took_s: float) -> None:
    received = replace(HERE, boottime_s=100.0 + took_s)
    anchor = Anchor(NOW_S, 100.0 + took_s, "boot-a")
    taken = signed_time_taken(UNSIGNED, NOW_S, 100.0, received)
    assert taken == SignedTimeTaken(ClockMemory(NOW_S, NOW_S, anchor))
    assert trusted_time(received, SIGNED_ONLY, taken.memory) == Trusted(NOW_S, ClockSource.SYNCED)


@pytest.mark.parametrize("wrong", ["floor_s", "last_trusted_s"])
def test_a_central_that_was_a_year_ahead_for_one_answer(wrong: str) -> None:
    """Its own later word mends it, and is told; until then nothing unsigned is believed."""
    ahead_s = NOW_S + 365 * DAY_S
    fooled = replace(UNSIGNED, **{wrong: ahead_s})  # type: ignore[arg-type]
    right = replace(HERE, ntp_synchronised=True, rtc_unix_s=NOW_S)
    assert trusted_time(right, RULES, fooled) is None
    taken = signed_time_taken(fooled, NOW_S, 4999.0, right)
    assert taken == SignedTimeTaken(ClockMemory(NOW_S, NOW_S, ANCHOR), lowered_from_s=ahead_s)
    assert trusted_time(right, RULES, taken.memory) == Trusted(NOW_S, ClockSource.SYNCED)
    rebooted = replace(right, boot_id="boot-b")
    assert trusted_time(rebooted, RULES, after_restart(taken.memory, rebooted)) == Trusted(NOW_S, ClockSource.SYNCED)


@pytest.mark.parametrize("back_s", [0, 10])
def test_seconds_between_two_answers_mend_nothing(back_s: int) -> None:
    taken = signed_time_taken(ClockMemory(NOW_S, NOW_S), NOW_S - back_s, 4999.0, HERE)
    assert taken == SignedTimeTaken(ClockMemory(NOW_S, NOW_S, Anchor(NOW_S - back_s, 5000.0, "boot-a")))


def test_old_records_rollback() -> None:
    """Whoever holds what central has signed before lowers nothing by it."""
    memory = ClockMemory(NOW_S, NOW_S)
    for issued_s in (0, FLOOR_S, NOW_S - 1, NOW_S):
        assert issue_time_seen(memory, issued_s, HERE, RULES) == memory
    assert issue_time_seen(memory, NOW_S + 1, HERE, RULES) == replace(memory, floor_s=NOW_S + 1)


@pytest.mark.parametrize(("ahead_s", "raised"), [(SIGNED_AHEAD_S, True), (SIGNED_AHEAD_S + 1, False)])
def test_a_record_from_the_future_does_not_raise_the_floor(ahead_s: int, raised: bool) -> None:
    issued_s = NOW_S + 60 + ahead_s
    seen = issue_time_seen(SIGNED, issued_s, later(60), SIGNED_ONLY)
    assert seen.floor_s == (issued_s if raised else FLOOR_S)
    # Without signed time nobody can tell; central's next word lowers it.
    assert issue_time_seen(UNSIGNED, issued_s, later(60), SIGNED_ONLY).floor_s == issued_s


@pytest.mark.parametrize("source", ["unix_s", "rtc_unix_s"])
@pytest.mark.parametrize(("back_s", "believed"), [(0, True), (10, True), (11, False), (2 * DAY_S, False)])
def test_ntp_rollback_to_the_floor_after_a_restart(source: str, back_s: int, believed: bool) -> None:
    """The floor may be weeks old: every day since then could be lived again."""
    memory = trusted_time_seen(UNSIGNED, Trusted(NOW_S, ClockSource.SYNCED))
    back = replace(HERE, boot_id="boot-b", ntp_synchronised=source == "unix_s", **{source: NOW_S - back_s})
    assert (trusted_time(back, RULES, after_restart(memory, back)) is not None) is believed


def test_last_trusted_time_goes_up_only() -> None:
    memory = trusted_time_seen(UNSIGNED, Trusted(NOW_S, ClockSource.RTC))
    assert trusted_time_seen(memory, Trusted(NOW_S - 5, ClockSource.RTC)) == memory


def test_neither_bound_confirms_a_clock() -> None:
    known = ClockMemory(NOW_S, NOW_S)
    assert trusted_time(HERE, RULES, known) is None
    assert trusted_time(replace(HERE, ntp_synchronised=True), SIGNED_ONLY, known) is None


def test_an_empty_battery_is_1970_and_no_attack() -> None:
    dead = replace(HERE, rtc_unix_s=86400)
    assert trusted_time(dead, RULES, UNSIGNED) is None
    assert trusted_time(replace(dead, ntp_synchronised=True), RULES, UNSIGNED) == Trusted(NOW_S, ClockSource.SYNCED)
    taken = signed_time_taken(UNSIGNED, NOW_S, 4999.0, dead)
    assert taken is not None
    assert taken.lowered_from_s is None


def test_signed_time_survives_a_restart_of_the_program_during_an_outage() -> None:
    restarted = later(3 * DAY_S)
    kept = after_restart(SIGNED, restarted)
    assert trusted_time(restarted, SIGNED_ONLY, kept) == Trusted(NOW_S + 3 * DAY_S, ClockSource.HOLDOVER)
    assert trusted_time(later(10 * DAY_S + 1), SIGNED_ONLY, kept) is None


def test_signed_time_of_another_boot_is_forgotten() -> None:
    # Even where its boot clock happens to be past the anchor's.
    rebooted = replace(later(60), boot_id="boot-b")
    assert after_restart(SIGNED, rebooted) == UNSIGNED
    assert after_restart(UNSIGNED, rebooted) == UNSIGNED


def test_signed_time_of_a_boot_that_has_no_name_ends_with_the_program() -> None:
    nameless = replace(later(60), boot_id=UNKNOWN_BOOT)
    memory = replace(SIGNED, anchor=replace(ANCHOR, boot_id=UNKNOWN_BOOT))
    assert trusted_time(nameless, SIGNED_ONLY, memory) is not None
    assert trusted_time(nameless, SIGNED_ONLY, after_restart(memory, nameless)) is None


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        (HERE, ClockDoubt.NO_SOURCE),
        (replace(HERE, ntp_synchronised=True, unix_s=FLOOR_S - 1), ClockDoubt.BEFORE_FLOOR),
        (replace(HERE, rtc_unix_s=0), ClockDoubt.BEFORE_FLOOR),
        (replace(HERE, ntp_synchronised=True, unix_s=NOW_S - 11), ClockDoubt.SET_BACK),
        (replace(HERE, rtc_unix_s=FLOOR_S + CEILING_S + 1), ClockDoubt.TOO_FAR_AHEAD),
        # The better of two is named.
        (replace(HERE, ntp_synchronised=True, unix_s=NOW_S - 11, rtc_unix_s=0), ClockDoubt.SET_BACK),
        (replace(HERE, ntp_synchronised=True, unix_s=0, rtc_unix_s=NOW_S), None),
    ],
)
def test_why_nothing_is_trusted(readings: ClockReadings, why: ClockDoubt | None) -> None:
    assert doubt(readings, RULES, ClockMemory(FLOOR_S, NOW_S)) is why
