"""A visit with real parts: an emulated key behind a pseudo-terminal, the real driver, the real database."""

import asyncio
import os
from dataclasses import replace

import pytest

from station.display.screen import Line
from station.ports import KeyFile
from station.records import envelope
from station.records.base64url import encoded
from station.records.claims import Permit
from station.rules.facts import Policy, Refusal
from tests.services.parts import eventually
from tests.services.site import (
    ANNA,
    BO,
    HER_KEY,
    HIS_KEY,
    PINS,
    Site,
)

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
    await eventually(lambda: "read id" in key.steps[began:])
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
    await eventually(lambda: station.visits.state.insertion == 2)
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
