"""What a visit with real parts leaves on a key: permit, blocklist, sync, activation and the time."""

import asyncio
import os
from dataclasses import replace

import pytest

from station.display.screen import Line
from station.ports import KeyFile
from station.records import envelope
from station.records.claims import Blocklist, Category, KeyKind, Permit
from station.rules.clock import ClockReadings, ClockRules
from station.rules.facts import KeyStatus, Refusal
from tests.services.site import (
    ANNA,
    AREA,
    HER_KEY,
    HIS_KEY,
    PINS,
    POOL_KEY,
    TIM,
    Site,
    tag_of,
)


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
    assert key.steps[began:] == ["clock", "read id", "write act", "read act"]
    assert [call for call in station.store.asked if call in {"commit", "begin_activation"}] == [
        "commit",
        "begin_activation",
        "commit",
    ]


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
    async with asyncio.timeout(5):
        while not await station.events("pool_key_returned"):
            await asyncio.sleep(0.02)
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
        since = {"blocked_at": site.now_s} if how == "blocked" else {}
        site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus(how), **since)
    await site.refresh(station)
    station.insert(key)
    refused = await station.until(Line.REFUSED)
    await station.idle()
    assert key.file(KeyFile.SYNC) == b""
    assert refused.blocked_at == (site.now_s if how == "blocked" else None)


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
    await time_.issue_time_seen(signed_s)
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
