"""Which time a station trusts when clocks jump, stop or are turned, and what may raise the floor."""

import ctypes
from pathlib import Path
from typing import Any

import pytest

from config.models import ClockTable
from station.records.claims import ClockSource
from station.rules.clock import CEILING_S, ClockReadings, ClockRules
from station.rules.facts import OffOnlyReason
from station.sync import timekeeping
from station.sync.timekeeping import AHEAD_LIMIT_S, FLOOR_NOTE, SystemClocks, Timekeeper
from tests.services.lying_central import DAY_S, NOW_S, LyingCentral
from tests.services.parts import HandClocks, Parts

JUMPS = {"1970": 0, "2038": 2**31, "an_hour_back": NOW_S - 3600, "a_year_ahead": NOW_S + 365 * DAY_S}


@pytest.mark.parametrize("to_s", JUMPS.values(), ids=JUMPS)
async def test_the_system_clock_jumps(synced: Parts, to_s: int) -> None:
    synced.clocks.turn(unix_s=to_s, ntp_synchronised=True)
    now = synced.time.now()
    assert (now.unix_s, now.trust) == (NOW_S, ClockSource.SYNCED)
    assert (await synced.readiness.facts()).off_only is None


@pytest.mark.parametrize("to_s", JUMPS.values(), ids=JUMPS)
async def test_a_restart_with_a_clock_that_jumped_only_switches_off(
    central: LyingCentral, synced: Parts, to_s: int
) -> None:
    await central.stop()
    synced.clocks.turn(unix_s=to_s, rtc_unix_s=to_s, boot_id="boot-b", boottime_s=5.0)
    again = await synced.restarted(trusted=ClockTable(trust_ntp=True, trust_rtc=to_s != JUMPS["a_year_ahead"]))
    assert (await again.readiness.facts()).off_only is OffOnlyReason.CLOCK
    assert not await again.poll()
    assert (await again.readiness.facts()).off_only is OffOnlyReason.CLOCK
    await again.close()


async def test_a_reboot_asks_central_anew(synced: Parts) -> None:
    synced.clocks.turn(boot_id="boot-b", boottime_s=1.0)
    synced.central.clock = lambda: NOW_S + 60
    assert (await synced.readiness.facts()).off_only is OffOnlyReason.CLOCK
    assert await synced.poll()
    assert synced.time.now().unix_s == NOW_S + 60
    assert (await synced.readiness.facts()).off_only is None


async def test_a_night_in_suspend(synced: Parts) -> None:
    synced.clocks.advance(9 * 3600)
    now = synced.time.now()
    assert (now.unix_s, now.trust) == (NOW_S + 9 * 3600, ClockSource.HOLDOVER)


async def test_holdover_ends(central: LyingCentral, synced: Parts) -> None:
    await central.stop()
    synced.clocks.advance(10 * DAY_S)
    assert synced.time.now().trust is ClockSource.HOLDOVER
    synced.clocks.advance(1)
    assert synced.time.now().trust is None


async def test_the_floor_is_kept_and_goes_up_only(central: LyingCentral, synced: Parts) -> None:
    assert await synced.store.note(FLOOR_NOTE) == str(NOW_S)
    await synced.time.raise_floor(synced.store, NOW_S - 1)
    assert synced.time.floor_s == NOW_S
    central.permit(1, 11, 101, issued=NOW_S + 50)
    synced.clocks.advance(60)
    assert await synced.poll()
    again = await synced.restarted()
    assert again.time.floor_s == NOW_S + 50
    await again.close()


@pytest.mark.parametrize(("ahead_s", "raised"), [(AHEAD_LIMIT_S, True), (AHEAD_LIMIT_S + 1, False)])
async def test_the_floor_is_not_raised_into_the_future(synced: Parts, ahead_s: int, raised: bool) -> None:
    await synced.time.raise_floor(synced.store, NOW_S + ahead_s)
    assert synced.time.floor_s == (NOW_S + ahead_s if raised else NOW_S)


@pytest.mark.parametrize(("ahead_s", "believed"), [(AHEAD_LIMIT_S - 3600, True), (AHEAD_LIMIT_S, False)])
async def test_a_central_whose_clock_jumps(central: LyingCentral, synced: Parts, ahead_s: int, believed: bool) -> None:
    """Otherwise its mistake would outlive it: no later time of it would be past the floor."""
    synced.clocks.advance(3600)
    central.ahead_s = ahead_s + 3600
    if not believed:
        central.ahead_s += 1
    assert await synced.poll()
    assert (synced.time.now().unix_s == NOW_S + 3600 + central.ahead_s) is believed
    assert await synced.reasons() == ([] if believed else ["time_not_believed"])
    central.ahead_s = 0
    synced.clocks.advance(3600)
    assert await synced.poll()
    assert (synced.time.now().trust is not None) is True


async def test_a_central_put_forward_a_little_does_not_stop_the_station(central: LyingCentral, synced: Parts) -> None:
    central.ahead_s = 30
    central.permit(1, 11, 101, issued=NOW_S + 30)
    assert await synced.poll()
    assert synced.time.now().trust is not None
    assert synced.time.now().unix_s == NOW_S + 30


def test_without_signed_time_the_certificates_life_bounds_belief(clocks: HandClocks) -> None:
    time = Timekeeper(clocks, ClockRules(trust_ntp=True, trust_rtc=True, holdover_days=10))
    assert time.anchor(2**40, clocks.readings.boottime_s) is True, "nothing is known yet"
    time = Timekeeper(clocks, ClockRules(trust_ntp=True, trust_rtc=True, holdover_days=10))
    time.floor_s = NOW_S
    assert time.latest_s() == NOW_S + CEILING_S
    assert time.anchor(NOW_S + CEILING_S + 1, clocks.readings.boottime_s) is False
    assert time.anchor_age_s() is None
    assert time.anchor(NOW_S + CEILING_S, clocks.readings.boottime_s) is True
    assert time.anchor_age_s() == 0


@pytest.mark.parametrize("note", ["", "-5", "garbage", "9" * 5000, "1e9"])
async def test_a_floor_that_cannot_be_read(synced: Parts, note: str) -> None:
    await synced.store.note(FLOOR_NOTE, note)
    again = await synced.restarted()
    assert again.time.floor_s == again.identity.claims.issued
    await again.close()


async def test_the_certificate_is_the_first_floor(parts: Parts) -> None:
    assert parts.time.floor_s == NOW_S - 5 * DAY_S


def test_the_clocks_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rtc = tmp_path / "since_epoch"
    monkeypatch.setattr(timekeeping, "_RTC", rtc)
    clocks = SystemClocks(read_rtc=True)
    assert clocks().rtc_unix_s is None
    for text, read in [("1800000000\n", 1_800_000_000), ("\xff", None), ("soon", None), ("", None)]:
        rtc.write_bytes(text.encode("latin-1"))
        assert clocks().rtc_unix_s == read
    first, second = clocks(), clocks()
    assert isinstance(first, ClockReadings)
    assert first.boot_id == second.boot_id != ""
    assert first.boottime_s <= second.boottime_s
    assert SystemClocks(read_rtc=False)().rtc_unix_s is None


@pytest.mark.parametrize(("state", "synchronised"), [(0, True), (4, True), (5, False), (-1, False), (None, False)])
def test_what_the_kernel_says_of_ntp(monkeypatch: pytest.MonkeyPatch, state: int | None, synchronised: bool) -> None:
    class Library:
        def __init__(self, name: None) -> None:
            if state is None:
                raise OSError

        def adjtimex(self, _: Any) -> int:
            assert state is not None
            return state

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert SystemClocks(read_rtc=False)().ntp_synchronised is synchronised
