"""Which time a station trusts when clocks jump, stop or are turned; named by who turns them."""

import asyncio
import ctypes
from pathlib import Path
from typing import Any

import pytest

from config.models import ClockTable
from station.ports import StoreFault
from station.records.base64url import decoded
from station.records.claims import SIGNED_AHEAD_S, ClockSource
from station.rules.clock import UNKNOWN_BOOT, ClockDoubt, ClockMemory, ClockReadings
from station.rules.facts import OffOnlyReason
from station.sync import clock_note, timekeeping
from station.sync.signed_time import TIME_AGAIN_S
from station.sync.timekeeping import KEEP_EVERY_S, SystemClocks
from tests.services.lying_central import DAY_S, NOW_S, LyingCentral, Reply, refusal
from tests.services.parts import Parts

YEAR_S = 365 * DAY_S
JUMPS = {"1970": 0, "2038": 2**31, "an_hour_back": NOW_S - 3600, "a_year_ahead": NOW_S + YEAR_S}
NTP = ClockTable(trust_ntp=True, trust_rtc=False)
RTC = ClockTable(trust_ntp=False, trust_rtc=True)


def reboots(parts: Parts, **changes: Any) -> None:
    """The machine starts anew: central's signed time of before is over."""
    parts.clocks.turn(boot_id=f"{parts.clocks.readings.boot_id}-next", boottime_s=5.0, **changes)


async def off_only(parts: Parts) -> OffOnlyReason | None:
    return (await parts.readiness.facts()).off_only


# --- signed time


@pytest.mark.parametrize("to_s", JUMPS.values(), ids=JUMPS)
async def test_the_system_clock_jumps(synced: Parts, to_s: int) -> None:
    synced.clocks.turn(unix_s=to_s, ntp_synchronised=True)
    now = synced.time.now()
    assert (now.unix_s, now.trust) == (NOW_S, ClockSource.SYNCED)
    assert await off_only(synced) is None


async def test_a_reboot_asks_central_anew(synced: Parts) -> None:
    reboots(synced)
    synced.central.clock = lambda: NOW_S + 60
    assert await off_only(synced) is OffOnlyReason.CLOCK
    assert await synced.poll()
    assert synced.time.now().unix_s == NOW_S + 60
    assert await off_only(synced) is None


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


async def test_a_restart_of_the_program_during_an_outage(central: LyingCentral, synced: Parts) -> None:
    """0 + 2: the boot is the same, and so is the time. After a power cut nobody knows how long it lasted."""
    await central.stop()
    synced.clocks.advance(3 * 3600)
    again = await synced.restarted()
    assert not await again.poll()
    now = again.time.now()
    assert (now.unix_s, now.trust) == (NOW_S + 3 * 3600, ClockSource.HOLDOVER)
    assert await off_only(again) is None
    reboots(again)
    last = await again.restarted()
    assert last.time.now().trust is None
    assert await off_only(last) is OffOnlyReason.CLOCK
    await last.close()


async def test_a_boot_without_a_name_is_another_after_a_restart(parts: Parts) -> None:
    parts.clocks.turn(boot_id=UNKNOWN_BOOT)
    assert await parts.poll()
    assert parts.time.now().trust is ClockSource.SYNCED
    again = await parts.restarted()
    assert again.time.now().trust is None
    await again.close()


async def test_the_time_is_asked_by_nobody_in_particular(central: LyingCentral, synced: Parts) -> None:
    (asked,) = [each for each in central.asked if each.path == "/time"]
    assert "authorization" not in asked.headers
    assert asked.json["site"] == synced.identity.site


async def test_central_has_no_time_for_so_many_stations(central: LyingCentral, synced: Parts) -> None:
    """Many stations behind one address: the mirror goes on, and with a trusted clock all else does."""
    central.lies["/time"] = refusal(429, "too_many_requests")
    synced.clocks.advance(TIME_AGAIN_S)
    assert await synced.poll()
    assert await off_only(synced) is None
    reboots(synced)
    central.put("area", 2, name="Backen norra")
    assert await synced.poll()
    assert await synced.field("area", 2, "name") == "Backen norra"
    assert await off_only(synced) is OffOnlyReason.CLOCK


# --- clocks that nobody signs


@pytest.mark.parametrize("to_s", JUMPS.values(), ids=JUMPS)
async def test_a_reboot_with_a_clock_that_jumped_only_switches_off(
    central: LyingCentral, synced: Parts, to_s: int
) -> None:
    await central.stop()
    reboots(synced, unix_s=to_s, rtc_unix_s=to_s)
    again = await synced.restarted(trusted=ClockTable(trust_ntp=True, trust_rtc=to_s != JUMPS["a_year_ahead"]))
    assert await off_only(again) is OffOnlyReason.CLOCK
    assert not await again.poll()
    assert await off_only(again) is OffOnlyReason.CLOCK
    await again.close()


async def test_ntp_set_back_to_the_floor_and_a_restart(central: LyingCentral, synced: Parts) -> None:
    """The floor is two days old: whoever answers NTP could have a lost key's two days again."""
    await central.stop()
    reboots(synced, unix_s=NOW_S + 2 * DAY_S, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert again.time.now().trust is ClockSource.SYNCED
    await again.time.keep()
    for set_back_s in (NOW_S, NOW_S + 2 * DAY_S - 11):
        reboots(again, unix_s=set_back_s)
        again = await again.restarted(trusted=NTP)
        assert (again.time.now().trust, again.time.doubt()) == (None, ClockDoubt.SET_BACK)
        assert await off_only(again) is OffOnlyReason.CLOCK
    again.clocks.turn(unix_s=NOW_S + 2 * DAY_S - 10)
    assert again.time.now().trust is ClockSource.SYNCED
    await again.close()


async def test_ntp_set_back_without_a_restart(synced: Parts) -> None:
    reboots(synced, unix_s=NOW_S + 2 * DAY_S, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert again.time.now().trust is ClockSource.SYNCED
    again.clocks.turn(unix_s=NOW_S)
    assert again.time.now().trust is None
    await again.close()


async def test_a_kernel_that_says_synchronised_before_the_floor(central: LyingCentral, synced: Parts) -> None:
    await central.stop()
    reboots(synced, unix_s=NOW_S - 1, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert (again.time.now().trust, again.time.doubt()) == (None, ClockDoubt.BEFORE_FLOOR)
    again.clocks.turn(unix_s=NOW_S)
    assert again.time.now().trust is ClockSource.SYNCED
    await again.close()


async def test_an_empty_battery_is_no_attack(central: LyingCentral, synced: Parts) -> None:
    """It says 1970, and nothing comes of it: central's next answer is taken without a word in the log."""
    reboots(synced, unix_s=0, rtc_unix_s=0)
    again = await synced.restarted(trusted=RTC)
    assert (again.time.now().trust, again.time.doubt()) == (None, ClockDoubt.BEFORE_FLOOR)
    central.clock = lambda: NOW_S + 600
    assert await again.poll()
    assert (again.time.now().unix_s, again.time.now().trust) == (NOW_S + 600, ClockSource.SYNCED)
    assert await again.events("clock_changed") == []
    await again.close()


async def test_the_last_trusted_time_is_kept_when_the_program_stops(central: LyingCentral, synced: Parts) -> None:
    await central.stop()
    keeping = asyncio.create_task(synced.time.keep_for_ever())
    await asyncio.sleep(0)
    synced.clocks.advance(KEEP_EVERY_S)
    assert synced.time.now().unix_s == NOW_S + KEEP_EVERY_S
    keeping.cancel()
    await asyncio.wait([keeping])
    reboots(synced, unix_s=NOW_S + KEEP_EVERY_S - 11, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert again.time.now().trust is None
    await again.close()


async def test_and_while_it_runs(synced: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pulled plug forgets some minutes, no more."""
    monkeypatch.setattr(timekeeping, "KEEP_EVERY_S", 0)
    synced.clocks.advance(600)
    assert synced.time.now().trust is not None
    keeping = asyncio.create_task(synced.time.keep_for_ever())
    while clock_note.read(await synced.store.note(clock_note.NOTE)).memory.last_trusted_s != NOW_S + 600:
        assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])


# --- central's own clock


async def test_central_is_a_year_ahead_for_one_answer(central: LyingCentral, synced: Parts) -> None:
    """Its own later word mends it, is told, and holds after a reboot without a network."""
    synced.clocks.advance(TIME_AGAIN_S)
    central.ahead_s = YEAR_S
    assert await synced.poll()
    assert synced.time.now().unix_s == NOW_S + TIME_AGAIN_S + YEAR_S
    central.ahead_s = 0
    assert await off_only(synced) is not None
    synced.clocks.advance(TIME_AGAIN_S)
    assert await synced.poll()
    right_s = NOW_S + 2 * TIME_AGAIN_S
    assert (synced.time.now().unix_s, synced.time.now().trust) == (right_s, ClockSource.SYNCED)
    assert await off_only(synced) is None
    assert synced.mirror.age_s() == 0
    assert await synced.events("clock_changed") == [{"from_s": right_s + YEAR_S, "to_s": right_s}]
    await central.stop()
    reboots(synced, unix_s=right_s + 60, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert (again.time.now().unix_s, again.time.now().trust) == (right_s + 60, ClockSource.SYNCED)
    assert await off_only(again) is None
    await again.close()


async def test_a_head_that_is_long_past_has_the_time_asked_at_once(central: LyingCentral, synced: Parts) -> None:
    """It sets no clock, but shows that this one is wrong: nobody need wait half an hour."""
    synced.clocks.advance(TIME_AGAIN_S)
    central.lies["/time"] = lambda asked: _a_year_ahead(central, decoded(asked.json["nonce"]))
    first = central.calls("/time")
    assert await synced.poll()
    del central.lies["/time"]
    assert central.calls("/time") == first + 2
    assert synced.time.now().unix_s == NOW_S + TIME_AGAIN_S + YEAR_S
    assert await synced.poll()
    assert synced.time.now().unix_s == NOW_S + TIME_AGAIN_S
    assert await off_only(synced) is None


def _a_year_ahead(central: LyingCentral, nonce: bytes) -> Reply:
    central.ahead_s = YEAR_S
    try:
        return central.answer_time(nonce)
    finally:
        central.ahead_s = 0


async def test_central_is_a_year_ahead_and_then_the_power_fails(central: LyingCentral, synced: Parts) -> None:
    """Until central's next word no clock at hand is believed; with it, all is well."""
    synced.clocks.advance(TIME_AGAIN_S)
    central.ahead_s = YEAR_S
    assert await synced.poll()
    central.ahead_s = 0
    right_s = NOW_S + TIME_AGAIN_S + 60
    reboots(synced, unix_s=right_s, ntp_synchronised=True)
    again = await synced.restarted(trusted=NTP)
    assert (again.time.now().trust, again.time.doubt()) == (None, ClockDoubt.BEFORE_FLOOR)
    central.clock = lambda: right_s
    assert await again.poll()
    assert (again.time.now().unix_s, again.time.now().trust) == (right_s, ClockSource.SYNCED)
    assert await off_only(again) is None
    await again.close()


async def test_a_restart_asks_central_although_its_last_answer_is_fresh(central: LyingCentral, synced: Parts) -> None:
    """Who restarts a station wants it mended: 0 + 2 must not keep a wrong time for half an hour."""
    synced.clocks.advance(TIME_AGAIN_S)
    central.ahead_s = YEAR_S
    assert await synced.poll()
    central.ahead_s = 0
    again = await synced.restarted()
    assert await again.poll()
    assert again.time.now().unix_s == NOW_S + TIME_AGAIN_S
    await again.close()


async def test_a_certificate_from_a_year_ahead_stays_mended(central: LyingCentral, parts: Parts) -> None:
    """It is read at every start, and raises the floor once only: central has said since what time it is."""
    parts.first_certificate = central.certify(parts.signing.public, NOW_S + YEAR_S)
    ahead = await parts.restarted()
    assert ahead.time.floor_s == NOW_S + YEAR_S
    assert await ahead.poll()
    assert ahead.time.floor_s == NOW_S
    reboots(ahead, unix_s=NOW_S + 60, ntp_synchronised=True)
    again = await ahead.restarted(trusted=NTP)
    assert again.time.now().trust is ClockSource.SYNCED
    again.first_certificate = central.certify(again.signing.public, NOW_S + 100)
    enrolled_anew = await again.restarted(trusted=NTP)
    assert enrolled_anew.time.floor_s == NOW_S + 100
    await enrolled_anew.close()


async def test_old_answers_lower_nothing(central: LyingCentral, synced: Parts) -> None:
    """Who has kept what central said before has no answer to a new nonce."""
    old = central.answer_time(b"a nonce of before"[:16])
    synced.clocks.advance(DAY_S)
    assert await synced.poll()
    floor_s = synced.time.floor_s
    central.lies["/time"] = old
    for _ in range(2):
        synced.clocks.advance(TIME_AGAIN_S)
        assert not await synced.poll()
    assert await synced.reasons() == ["time_of_another_nonce"]
    assert synced.time.floor_s == floor_s == NOW_S + DAY_S
    assert synced.time.now().unix_s == NOW_S + DAY_S + 2 * TIME_AGAIN_S


async def test_a_central_put_forward_a_little_does_not_stop_the_station(central: LyingCentral, synced: Parts) -> None:
    central.ahead_s = 30
    central.permit(1, 11, 101, issued=NOW_S + 30)
    assert await synced.poll()
    assert synced.time.now().trust is not None
    assert synced.time.now().unix_s == NOW_S + 30


# --- what is kept


async def test_the_floor_is_kept_and_goes_up_only(central: LyingCentral, synced: Parts) -> None:
    await synced.time.issue_time_seen(NOW_S - 1)
    assert synced.time.floor_s == NOW_S
    central.permit(1, 11, 101, issued=NOW_S + 50)
    synced.clocks.advance(60)
    assert await synced.poll()
    again = await synced.restarted()
    assert again.time.floor_s == NOW_S + 60, "by the head"
    await again.close()


@pytest.mark.parametrize(("ahead_s", "raised"), [(SIGNED_AHEAD_S, True), (SIGNED_AHEAD_S + 1, False)])
async def test_the_floor_is_not_raised_into_the_future(synced: Parts, ahead_s: int, raised: bool) -> None:
    await synced.time.issue_time_seen(NOW_S + ahead_s)
    assert synced.time.floor_s == (NOW_S + ahead_s if raised else NOW_S)


async def test_the_certificate_is_the_first_floor(parts: Parts) -> None:
    assert parts.time.floor_s == NOW_S - 5 * DAY_S


async def test_a_disk_that_takes_no_more_stops_no_clock(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    reboots(synced)
    central.clock = lambda: NOW_S + 600
    note = synced.store.note

    async def fails(name: str, value: str | None = None) -> str | None:
        raise StoreFault("disk_full")

    monkeypatch.setattr(synced.store, "note", fails)
    taken = await synced.time.take_signed_time(NOW_S + 600, 4.0)
    assert taken is not None
    assert (synced.time.now().unix_s, synced.time.now().trust) == (NOW_S + 600, ClockSource.SYNCED)
    monkeypatch.setattr(synced.store, "note", note)
    await synced.time.keep()
    assert clock_note.read(await note(clock_note.NOTE)).memory.floor_s == NOW_S + 600


NO_NOTES = {
    "empty": "",
    "no_json": "garbage",
    "a_number": "5",
    "digits": "9" * 5000,
    "too_few": "[1, 2, 3]",
    "negative": "[-5, 0, null, null]",
    "too_great": f"[{2**64}, 0, null, null]",
    "no_whole_number": "[1e9, 0, null, null]",
    "true": "[true, 0, null, null]",
    "certificate": '[1, 2, "3", null]',
    "anchor_too_short": "[1, 2, 3, [4, 5.0]]",
    "anchor_without_time": '[1, 2, 3, [null, 5.0, "boot-a"]]',
    "anchor_never": '[1, 2, 3, [4, NaN, "boot-a"]]',
    "anchor_without_boot": '[1, 2, 3, [4, 5.0, ""]]',
    "anchor_of_a_number": "[1, 2, 3, [4, 5.0, 6]]",
}


@pytest.mark.parametrize("note", NO_NOTES.values(), ids=NO_NOTES)
async def test_a_note_that_cannot_be_read_is_none(synced: Parts, note: str) -> None:
    await synced.store.note(clock_note.NOTE, note)
    again = await synced.restarted()
    assert again.time.memory == ClockMemory(again.identity.claims.issued)
    await again.close()


# --- the clocks of this machine


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
