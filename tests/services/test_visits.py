"""A visit with real parts: an emulated key behind a pseudo-terminal, the real driver, the real database."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from station.display.screen import Line
from station.ports import Change, KeyFile
from station.records import envelope
from station.records.base64url import encoded
from station.records.claims import Blocklist, Category, KeyKind, Permit
from station.rules.attempts import AttemptCount
from station.rules.clock import ClockReadings, ClockRules
from station.rules.facts import KeyStatus, Policy, Refusal
from tests.services.site import (
    ANNA,
    AREA,
    BO,
    HER_KEY,
    HIS_KEY,
    PINS,
    POOL_KEY,
    TIM,
    HookedKey,
    Site,
    StationAt,
    tag_of,
)

# --- while a PIN is being judged


class _Judge:
    """Holds PINs back until it is told."""

    def __init__(self, station: StationAt) -> None:
        self.tells = asyncio.Event()
        tag = station.station.pin_tags.tag

        async def slow(entry: Any) -> bytes:
            await self.tells.wait()
            return await tag(entry)

        station.station.pin_tags.tag = slow  # type: ignore[method-assign]


async def _entered(station: StationAt, key: HookedKey, text: str) -> int:
    """A PIN typed at a station at rest; how many steps the key had made before."""
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    began = len(key.steps)
    station.type(text)
    return began


async def test_nothing_is_written_before_a_pin_is_found_right(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    files = None
    judge = _Judge(station)
    for text in ("999999#", "888888#"):
        began = await _entered(station, key, text) if files is None else len(key.steps)
        if files is None:
            files = dict(key.folder.files())
        else:
            station.type(text)
        await station.until(Line.CHECKING)
        judge.tells.set()
        await station.until(Line.WRONG_PIN)
        judge.tells.clear()
        await station.idle()
        assert set(key.steps[began:]) <= {"read id"}
    assert dict(key.folder.files()) == files


async def test_a_key_that_was_swapped_while_a_pin_is_judged_is_not_written_to(site: Site) -> None:
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    await site.switch_on(station, his, PINS[BO])
    await station.out()
    files, began = dict(his.folder.files()), len(station.shown)
    judge = _Judge(station)
    station.insert(hers)
    await station.until(Line.PROMPT)
    await station.idle()
    seen: list[dict[KeyFile, bytes]] = []

    def looked(_: int) -> bool:
        seen.append(dict(his.folder.files()))
        return True

    his.before = looked
    station.insert(his)  # before anybody has noticed
    station.type(f"{PINS[ANNA]}#")
    await asyncio.sleep(0.01)
    judge.tells.set()
    screen = await station.until(Line.PROMPT)
    async with asyncio.timeout(5):
        while screen.key != HIS_KEY:
            screen = await station.until(Line.PROMPT)
            await asyncio.sleep(0.01)
    assert Line.READY not in {screen.line for screen in station.shown[began + 1 :]}
    assert seen[0] == files
    assert not site.opens(his)
    assert len(await station.events("key_deactivated")) == 1
    assert hers.file(KeyFile.ACT) in {b"", b"\x00"}


# --- on the wire


async def test_act_is_cleared_first_and_written_last_and_both_are_read_back(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    assert site.opens(key)
    assert key.steps[0] == "read act"  # empty: there is nothing to clear
    assert key.steps[-3:] == ["read id", "write act", "read act"]
    await station.out()
    began = len(key.steps)
    site.skip(60)
    await site.switch_on(station, key)
    assert key.steps[began : began + 3] == ["read act", "write act", "read act"]
    assert key.steps[-3:] == ["read id", "write act", "read act"]
    written = [step for step in key.steps[began:] if step.startswith("write")]
    assert written == ["write act", "write act"], "what was there already was written again"


async def test_between_the_pin_and_ready_nothing_is_asked_that_is_known(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    began, station.store.asked[:] = len(key.steps), []
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert key.steps[began:] == ["read id", "write act", "read act"]
    assert [call for call in station.store.asked if call in {"commit", "next_sequence"}] == [
        "commit",
        "next_sequence",
        "commit",
    ]


async def test_the_count_is_on_the_disk_before_the_pin_is_looked_at(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    station.store.asked.clear()
    counted: list[int] = []
    tag = station.station.pin_tags.tag

    async def tagged(entry: Any) -> bytes:
        counted.append((await station.store.real.attempts(HER_KEY)).failures)
        return await tag(entry)

    station.station.pin_tags.tag = tagged  # type: ignore[method-assign]
    station.type("999999#")
    await station.until(Line.WRONG_PIN)
    assert counted == [1]
    await station.idle()
    assert (await station.store.real.attempts(HER_KEY)).failures == 1
    assert len(await station.events("pin_rejected")) == 1
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert counted == [1, 2]
    assert (await station.store.real.attempts(HER_KEY)).failures == 0


async def test_a_tenth_wrong_pin_is_told_though_another_key_is_in_when_it_is_judged(site: Site) -> None:
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    await station.store.real.commit(Change(attempts=AttemptCount(HER_KEY, 9, site.now_s)))
    judge, tag = asyncio.Event(), station.station.pin_tags.tag

    async def slow(entry: Any) -> bytes:
        await judge.wait()
        return await tag(entry)

    station.station.pin_tags.tag = slow  # type: ignore[method-assign]
    station.insert(hers)
    await station.until(Line.WAIT)
    site.skip(400)
    hers.press()  # it has been talked to all the while
    await station.until(Line.PROMPT)
    station.type("999999#")
    await station.until(Line.CHECKING)
    await station.out()
    station.insert(his)
    await station.until(Line.PROMPT)
    await station.idle()
    assert not await station.events("pin_rejected", "key_locked_out")
    judge.set()
    async with asyncio.timeout(8):
        while not await station.events("key_locked_out"):
            await asyncio.sleep(0.01)
    told = [(e["type"], e["key"]) for e in await station.events("pin_rejected", "key_locked_out")]
    assert told == [("pin_rejected", HER_KEY), ("key_locked_out", HER_KEY)]
    assert station.screen.line is Line.PROMPT


async def test_a_lock_that_was_not_recorded_before_the_plug_was_pulled_is_told_at_the_next_insertion(
    site: Site,
) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    tenth_at = site.now_s - 500
    await station.store.real.commit(Change(attempts=AttemptCount(HER_KEY, 10, tenth_at)))
    for _ in range(2):
        station.insert(key)
        refused = await station.until(Line.REFUSED)
        assert refused.refusal is Refusal.LOCKED
        await station.idle()
        await station.out()
        site.skip(60)
    (told,) = await station.events("key_locked_out")
    assert (told["key"], told["at"]) == (HER_KEY, tenth_at)


# --- permits


async def test_a_newer_permit_on_the_key_is_kept_and_its_pin_is_the_one_that_counts(site: Site) -> None:
    key = site.key(HER_KEY)
    station = await site.station()
    newer = site.person(ANNA, Category.PERMANENT, revision=9, pin_tag=tag_of("777777"))
    key.folder.store(KeyFile.PERMIT, newer)
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.WRONG_PIN)
    station.type("*777777#")
    await station.until(Line.READY)
    assert key.file(KeyFile.PERMIT) == newer
    assert site.opens(key)


async def test_an_older_permit_is_replaced(site: Site) -> None:
    older = site.person(ANNA, Category.PERMANENT)
    newer = site.person(ANNA, Category.PERMANENT, areas=(AREA, 9))
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.PERMIT, older)
    await site.switch_on(station, key)
    assert key.file(KeyFile.PERMIT) == newer
    assert site.opens(key, 900, 9)


async def test_a_pool_key_gets_the_permit_of_whoever_typed(site: Site) -> None:
    station, key = await site.station(), site.key(POOL_KEY)
    await site.switch_on(station, key, PINS[TIM])
    permit = envelope.verify(Permit, key.file(KeyFile.PERMIT), [site.central.public])
    assert permit.holder == TIM
    (taken,) = await station.events("pool_key_taken")
    (activated,) = await station.events("key_activated")
    assert (taken["key"], taken["holder"], activated["holder"]) == (POOL_KEY, TIM, TIM)
    await station.out()
    site.skip(60)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.out()
    site.skip(60)
    await _farewell_over(station)
    assert len(await station.events("pool_key_returned")) == 1
    assert not site.opens(key)


# --- blocklists


async def test_our_newer_blocklist_goes_with_the_key(site: Site) -> None:
    old = site.blocklist(0)
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.BLOCK, old)
    await site.switch_on(station, key)
    block = envelope.verify(Blocklist, key.file(KeyFile.BLOCK), [site.central.public])
    assert block.version == 1


async def test_a_newer_blocklist_is_taken_from_a_key_and_carried_on(site: Site) -> None:
    station, key, other = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    newer = site.blocklist(5, HIS_KEY)
    key.folder.store(KeyFile.BLOCK, newer)
    await site.switch_on(station, key)
    assert key.file(KeyFile.BLOCK) == newer
    await station.out()
    site.skip(60)
    station.insert(other)
    refused = await station.until(Line.REFUSED)
    assert refused.refusal is Refusal.BLOCKED
    await station.idle()
    assert other.file(KeyFile.BLOCK) == newer


async def test_a_key_that_brings_the_list_it_is_on_is_refused(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.BLOCK, site.blocklist(5, HER_KEY))
    station.insert(key)
    await station.until(Line.PROMPT, Line.REFUSED)
    station.type(f"{PINS[ANNA]}#")
    refused = await station.until(Line.REFUSED)
    assert refused.refusal is Refusal.BLOCKED
    await station.idle()
    assert key.file(KeyFile.ACT) == b""
    assert key.file(KeyFile.SYNC) == b""


async def test_a_key_that_locks_would_find_to_be_ahead_of_its_clock_is_not_called_ready(site: Site) -> None:
    """It carries what a central whose clock was ahead has signed, by way of another station."""
    station, key = await site.station(), site.key(HER_KEY)
    issued = site.now_s + 3 * 86400
    ahead = site.sign(Blocklist(issued + 30 * 86400, issued, 5, blocked_keys=(), blocked_stations=()))
    key.folder.store(KeyFile.BLOCK, ahead)
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    refused = await station.until(Line.REFUSED, Line.READY)
    assert refused.refusal is Refusal.KEY_FAULT
    assert key.file(KeyFile.ACT) == b""


async def test_what_central_signs_while_the_key_is_in_does_not_leave_its_clock_behind(site: Site) -> None:
    """It lags by a second, which is left alone until then: locks would find it before its own new permit."""
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store_state(replace(key.folder.state(), clock_offset_s=-1.0))
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert "set clock" not in key.steps
    time_ = station.station.time
    signed_s = time_.now().unix_s
    await time_.raise_floor(station.store, signed_s)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert (key.folder.clock().unix_s or 0) >= signed_s


async def test_an_activation_whose_time_turns_out_to_be_wrong_is_not_written(site: Site) -> None:
    """Granted by a battery-backed clock that is five hours ahead; then central says what time it is."""
    station, key = await site.station(), site.key(HER_KEY)
    wrong_s = 5 * 3600

    def clocks() -> ClockReadings:
        right = site.world.clocks()
        shown = station.shown[-1].line if station.shown else Line.EMPTY
        return right if shown is Line.ACTIVATING else replace(right, rtc_unix_s=right.unix_s + wrong_s)

    rules = ClockRules(trust_ntp=False, trust_rtc=True, holdover_days=10)
    station.station.time.adopt(rules, clocks)
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    refused = await station.until(Line.REFUSED, Line.READY)
    assert refused.refusal is Refusal.KEY_FAULT
    assert key.file(KeyFile.ACT) == b""


# --- sync


async def test_sync_is_written_for_a_key_that_deserves_it_without_a_pin(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    sync = site.sync(key, station)
    assert sync is not None
    assert (sync.key, sync.issued) == (HER_KEY, station.mirror.state.confirmed_at)
    assert key.file(KeyFile.CERT) == station.identity.certificate


@pytest.mark.parametrize("how", ["blocked", "returned", "locked", "ended"])
async def test_sync_is_cleared_when_the_key_does_not_qualify(site: Site, how: str) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert site.sync(key, station) is not None
    await station.out()
    site.skip(60)
    if how == "ended":
        site.person(ANNA, Category.PERMANENT, status="ended")
    elif how == "locked":
        site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, locked_at=site.now_s)
    else:
        site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus(how))
    await site.refresh(station)
    station.insert(key)
    await station.until(Line.REFUSED)
    await station.idle()
    assert key.file(KeyFile.SYNC) == b""


@pytest.mark.parametrize("how", ["clock", "mirror"])
async def test_a_station_that_can_only_switch_off_leaves_sync_alone(site: Site, how: str) -> None:
    able, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(able, key)
    before = key.file(KeyFile.SYNC), key.file(KeyFile.CERT)
    await able.out()
    if how == "clock":
        site.world.has_rtc = False
    unable = await site.station(2)
    if how == "mirror":
        await site.fill(unable.store.real, age_s=11 * 86400)
        await unable.mirror.load()
        await unable.visits.mirror_changed()
    unable.insert(key)
    refused = await unable.until(Line.REFUSED)
    assert refused.refusal is Refusal.STATION
    await unable.idle()
    assert (key.file(KeyFile.SYNC), key.file(KeyFile.CERT)) == before
    assert key.file(KeyFile.ACT) == b""
    assert "set clock" not in key.steps[key.steps.index("write act") + 1 :] or how == "mirror"


async def test_an_unreadable_sync_is_cleared_too(site: Site) -> None:
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.BLOCKED)
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.SYNC, os.urandom(50_000))
    station.insert(key)
    await station.until(Line.REFUSED)
    await station.idle()
    assert key.file(KeyFile.SYNC) == b""


# --- the key's clock


async def test_a_right_clock_is_left_alone_and_a_wrong_one_is_set(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    assert "set clock" not in key.steps
    await station.out()
    key.folder.store_state(replace(key.folder.state(), clock_offset_s=-3000.0))
    site.skip(60)
    await site.switch_on(station, key)
    assert abs((key.folder.clock().unix_s or 0) - site.now_s) <= 2
    assert len(await station.events("key_power_lost")) == 1


async def test_a_key_without_a_clock(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY, has_clock=False)
    await site.switch_on(station, key)
    assert "set clock" not in key.steps
    assert site.opens(key)


async def test_a_key_that_lost_power_gets_the_time_and_says_so_once(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    key.lose_power()
    site.skip(60)
    ready = await site.switch_on(station, key)
    assert ready.line is Line.READY
    assert site.opens(key)
    (lost,) = await station.events("key_power_lost")
    assert lost["key"] == HER_KEY


async def test_a_new_key_has_not_lost_power(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY, clock=False)
    await site.switch_on(station, key)
    assert not await station.events("key_power_lost")
    assert site.opens(key)


# --- keys that do not do what they should


async def test_a_key_that_cannot_be_cleared_stays_on_and_the_screen_says_until_when(site: Site) -> None:
    station = await site.station()
    key = site.key(HER_KEY)
    ready = await site.switch_on(station, key)
    assert ready.receipt is not None
    await station.out()
    site.skip(60)
    key.use(replace(key.options, read_only=True))
    station.insert(key)
    still_on = await station.until(Line.STILL_ON)
    assert still_on.still_on_until == ready.receipt.expires
    assert len(await station.events("key_clear_failed")) == 1


async def test_another_stations_activation_that_cannot_be_cleared(site: Site) -> None:
    first, second = await site.station(), await site.station(2)
    key = site.key(HER_KEY)
    ready = await site.switch_on(first, key)
    assert ready.receipt is not None
    await first.out()
    key.use(replace(key.options, read_only=True))
    second.insert(key)
    assert (await second.until(Line.STILL_ON)).still_on_until == ready.receipt.expires


async def test_a_full_file_system_activates_nothing(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.use(replace(key.options, capacity_bytes=len(key.file(KeyFile.ID)) + 300))
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    refused = await station.until(Line.REFUSED)
    assert refused.refusal is Refusal.KEY_FAULT
    assert not site.opens(key)
    assert key.file(KeyFile.ACT) == b""
    await station.idle()
    assert (await station.store.real.attempts(HER_KEY)).failures == 0
    (event,) = await station.events("key_refused")
    assert event["data"]["reason"] == "key_fault"


@pytest.mark.parametrize("content", [os.urandom(700), b"\x00" * 700, b"\xff\xff", os.urandom(60_000)])
async def test_garbage_in_every_file_but_id_is_no_obstacle(site: Site, content: bytes) -> None:
    station, key = await site.station(), site.key(HER_KEY, capacity_bytes=1_000_000)
    for file in set(KeyFile) - {KeyFile.ID}:
        key.folder.store(file, content)
    await site.switch_on(station, key)
    assert site.opens(key)
    assert len(await station.events("key_deactivated")) == 1


@pytest.mark.parametrize("size", [2, 700, 5_000_000])
async def test_garbage_in_id_is_off_and_unreadable(site: Site, size: int) -> None:
    station, key = await site.station(), site.key(HER_KEY, capacity_bytes=10_000_000)
    await site.switch_on(station, key)
    await station.out()
    site.skip(60)
    key.folder.store(KeyFile.ID, os.urandom(size))
    station.insert(key)
    await station.until(Line.UNREADABLE)
    assert key.file(KeyFile.ACT) == b""
    assert await station.counts() == {
        "key_synced": 1,
        "key_activated": 1,
        "key_deactivated": 1,
        "key_read_failed": 1,
    }


async def test_an_act_of_five_megabytes_is_cleared(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY, capacity_bytes=10_000_000)
    key.folder.store(KeyFile.ACT, os.urandom(5_000_000))
    station.insert(key)
    await station.until(Line.PROMPT)
    assert key.file(KeyFile.ACT) == b""


async def test_a_clock_that_fails_is_a_fault_and_not_lost_power(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    site.skip(60)
    key.clock_text = "no time at all"
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    assert (await station.until(Line.REFUSED)).refusal is Refusal.KEY_FAULT
    assert not await station.events("key_power_lost")
    assert not site.opens(key)


# --- in and out


async def test_left_in_it_is_off_again_and_on_record(site: Site) -> None:
    station, key = await site.station(policy=Policy(left_in_s=120)), site.key(HER_KEY)
    await site.switch_on(station, key)
    site.skip(121)
    key.press()  # it has been talked to all the while
    await station.until(Line.LEFT_IN)
    assert key.file(KeyFile.ACT) == b""
    await station.idle()
    (event,) = await station.events("key_deactivated")
    assert event["key"] == HER_KEY


async def test_a_bounce_after_ready_writes_nothing(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    began = len(key.steps)
    station.insert(key)
    await _eventually(lambda: "read id" in key.steps[began:])
    await station.until(Line.READY)
    assert key.steps[began:] == ["read id"]
    assert site.opens(key)


async def test_another_key_in_place_of_a_ready_one_is_switched_off(site: Site) -> None:
    station, key, other = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    await site.switch_on(station, other, PINS[BO])
    await station.out()
    site.skip(60)
    await site.switch_on(station, key)
    assert site.opens(other)
    await station.out()
    station.insert(other)
    await station.until(Line.PROMPT)
    await station.idle()
    assert site.opens(key)
    assert not site.opens(other)
    off = [e["key"] for e in await station.events("key_deactivated")]
    assert off == [HIS_KEY]


async def test_after_a_bounce_during_the_check_the_next_pin_is_still_answered(site: Site) -> None:
    """The key came back without being prepared anew; its permit has to be known all the same."""
    station, key = await site.station(), site.key(HER_KEY)
    go_on, tag = asyncio.Event(), station.station.pin_tags.tag

    async def slow(entry: Any) -> bytes:
        await go_on.wait()
        return await tag(entry)

    station.station.pin_tags.tag = slow  # type: ignore[method-assign]
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type("999999#")
    await station.until(Line.CHECKING)
    await station.out()
    station.insert(key)
    await station.until(Line.CHECKING)
    go_on.set()
    await station.until(Line.WRONG_PIN)
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert site.opens(key)


async def test_what_waited_for_the_disk_does_not_go_on_with_the_next_key(site: Site) -> None:
    """Her key brings a blocklist; while that is being stored she is followed by him. Her permit is not for his key."""
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    newer = site.blocklist(5)
    hers.folder.store(KeyFile.BLOCK, newer)
    go_on, storing, note = asyncio.Event(), asyncio.Event(), station.store.real.note

    async def slow(name: str, value: str | None = None) -> str | None:
        if value == encoded(newer) and not go_on.is_set():
            storing.set()
            await go_on.wait()
        return await note(name, value)

    station.store.real.note = slow  # type: ignore[method-assign]
    station.insert(hers)
    await storing.wait()
    await station.out()
    began = len(his.asked)
    station.insert(his)
    await _eventually(lambda: station.visits.state.insertion == 2)
    go_on.set()
    await station.until(Line.PROMPT)
    await station.idle()
    assert his.steps[began] == "read act", "the first that was done with his key was not to switch it off"
    permit = envelope.verify(Permit, his.file(KeyFile.PERMIT), [site.central.public])
    assert permit.holder == BO


async def test_a_reader_that_is_back_says_so_before_anybody_tries(site: Site) -> None:
    station = await site.station()
    await station.until(Line.EMPTY)
    station.line.hang_up()
    await station.until(Line.READER_BROKEN)
    station.line.reopen()
    await station.until(Line.EMPTY)
    await site.switch_on(station, site.key(HER_KEY))


# --- waits


async def test_after_a_restart_the_whole_wait_runs_again(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    for _ in range(4):
        station.type("*999999#")
        await station.until(Line.CHECKING)
        await station.until(Line.WRONG_PIN, Line.WAIT)
    wait = await station.until(Line.WAIT)
    assert wait.wait_s in {4, 5}
    site.skip(6)
    await station.until(Line.PROMPT, Line.WRONG_PIN)
    station.line.pull()
    await station.close()
    station.line.close()
    again = await site.station()
    again.insert(key)
    wait = await again.until(Line.WAIT)
    assert wait.wait_s is not None
    assert wait.wait_s >= 3
    site.skip(6)
    await again.until(Line.PROMPT, Line.WRONG_PIN)
    again.type(f"*{PINS[ANNA]}#")
    await again.until(Line.READY)
    assert (await again.store.real.attempts(HER_KEY)).failures == 0


async def _eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def _farewell_over(station: StationAt) -> None:
    async with asyncio.timeout(5):
        while not await station.events("pool_key_returned"):
            await asyncio.sleep(0.02)
