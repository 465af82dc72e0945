"""A key pulled at any request, a database that fails at any step, a shutdown at any moment: nothing opens that was not
shown to, nothing is lost, and the next visit works."""

import asyncio
from pathlib import Path

import pytest

from station.display.screen import Line
from station.ports import KeyFile, StoreFault
from station.records.claims import Category
from station.rules.facts import OffOnlyReason
from tests.services.site import ANNA, HER_KEY, PINS, POOL_KEY, TIM, Site, on_sites, tag_of

pytestmark = pytest.mark.slow


SHOWN_ON = {Line.READY, Line.OUT_READY}


async def _length_of_a_visit(folder: Path) -> int:
    """How many requests the second visit of a key has."""
    site = Site(folder)
    try:
        station, key = await site.station(), site.key(HER_KEY)
        await site.switch_on(station, key)
        await station.out()
        site.skip(60)
        began = len(key.asked)
        await site.switch_on(station, key)
        return len(key.asked) - began
    finally:
        await site.close()


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "answer_lost"])
@pytest.mark.parametrize("back_after_s", [0, 60], ids=["bounce", "next_visit"])
async def test_a_key_pulled_at_any_request(tmp_path: Path, heard: bool, back_after_s: int) -> None:
    length = await _length_of_a_visit(tmp_path / "whole")

    await on_sites(tmp_path, range(length), lambda site, n: _pulled_at(site, n, heard=heard, back_after_s=back_after_s))


async def _pulled_at(site: Site, n: int, *, heard: bool, back_after_s: int) -> None:
    """The second visit of her key is interrupted at its n-th request."""
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    site.skip(60)
    first = len(key.asked)
    pulled = asyncio.Event()

    def pull(number: int) -> bool:
        if number != first + n:
            return True
        asyncio.get_running_loop().call_soon(station.line.pull)
        pulled.set()
        return False

    if heard:
        key.after = pull
    else:
        key.before = pull
    station.shown.clear()
    station.insert_typing(key, f"{PINS[ANNA]}#")
    await asyncio.wait_for(pulled.wait(), 8)
    await station.until(Line.EMPTY, Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE)
    await station.idle()
    said = station.screen
    was = key.asked[first + n]
    if site.opens(key) and was != "echo":
        written = (heard and was.startswith("write act")) or was == "read act"
        still = was in {"read act", "write act", "read act…", "write act…"}
        assert said.line in SHOWN_ON | {Line.OUT_UNSURE}, f"{n} {was}: opens, but {said.line}"
        assert written or still, was
    if said.line is Line.OUT_OFF:
        assert not site.opens(key), f"{n} {was}"
    key.before = key.after = lambda _: True
    site.skip(back_after_s)
    station.insert(key)
    if back_after_s:
        await station.until(Line.PROMPT)
        assert not site.opens(key)
        station.type(f"{PINS[ANNA]}#")
    else:
        await station.until(Line.READY, Line.PROMPT)
        if station.screen.line is Line.PROMPT:
            await station.idle()
            if station.screen.line is Line.PROMPT:
                station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY)
    await station.idle()
    assert site.opens(key)
    counts = await station.counts()
    assert counts["pin_rejected"] == 0
    assert 2 <= counts["key_activated"] <= 3, counts
    assert counts["key_activated"] + counts["key_write_interrupted"] <= 4, counts
    assert (await station.store.real.attempts(HER_KEY)).failures == 0
    # Whatever was on has been reported off, or as interrupted while it was being switched off.
    off = counts["key_deactivated"] + counts["key_write_interrupted"]
    assert off >= counts["key_activated"] - 1, counts


STEPS = ["bundle", "attempts", "commit", "begin_activation", "log_mark", "note"]


@pytest.mark.parametrize("failing", STEPS)
async def test_a_database_that_fails_at_any_call(tmp_path: Path, failing: str) -> None:
    """The n-th call of a kind fails, and all others after it until the disk is well again."""

    await on_sites(tmp_path, range(4), lambda site, n: _failing(site, failing, n))


async def _failing(site: Site, failing: str, n: int) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    await station.idle()
    site.skip(60)
    calls, broken = 0, asyncio.Event()

    def before(name: str) -> None:
        nonlocal calls
        calls += name == failing
        if name == failing and calls > n:
            broken.set()
        if broken.is_set():
            raise StoreFault("disk_full")

    station.store.before = before
    station.insert_typing(key, f"{PINS[ANNA]}#")
    screen = await station.until(Line.READY, Line.REFUSED)
    await station.idle()
    if screen.line is Line.REFUSED:
        assert broken.is_set()
        assert not site.opens(key)
        assert key.file(KeyFile.ACT) == b""
    else:
        assert site.opens(key)
    await station.out()
    site.skip(60)
    # Well again: what waited in memory comes, and keys are activated.
    station.store.before = lambda _: None
    async with asyncio.timeout(8):
        while station.visits.state.station.off_only is OffOnlyReason.DISK:
            await asyncio.sleep(0.02)
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.READY)
    await station.idle()
    counts = await station.counts()
    activated = 2 + (screen.line is Line.READY)
    assert counts["key_activated"] == activated, counts
    assert counts["key_deactivated"] == activated - 1, counts
    assert counts["key_synced"] == 3, counts


async def test_a_shutdown_at_any_moment(tmp_path: Path) -> None:
    length = await _length_of_a_visit(tmp_path / "whole")

    await on_sites(tmp_path, range(length), _stopped_at)


async def _stopped_at(site: Site, n: int) -> None:
    station, key = await site.station(), site.key(POOL_KEY)
    await site.switch_on(station, key, PINS[TIM])
    await station.out()
    site.skip(60)
    first, reached = len(key.asked), asyncio.Event()

    def stop(number: int) -> bool:
        if number == first + n:
            reached.set()
        return True

    key.before = stop
    station.insert_typing(key, f"{PINS[TIM]}#")
    await asyncio.wait_for(reached.wait(), 8)
    await station.stop()
    counts = await station.counts()
    was_cleared = key.file(KeyFile.ACT) == b"" or counts["key_activated"] == 2
    decision = site.try_lock(key)
    assert decision.reason in {"opened", "not_active"}, f"half open after {key.asked[first + n]}: {decision.reason}"
    # Each activation on the key is on record, with its receipt; and so is each that is no longer there.
    assert counts["key_activated"] == counts["pool_key_taken"]
    assert decision.opened == (counts["key_activated"] > counts["key_deactivated"]), (counts, key.asked[first + n])
    assert was_cleared == (counts["key_deactivated"] == 1), (counts, key.asked[first + n])


async def test_events_of_a_stopped_station_are_in_the_next_ones_outbox(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    station.line.pull()
    await station.close()
    again = await site.station()
    assert (await again.counts())["key_activated"] == 1


async def test_the_old_pin_does_not_count_for_a_key_pulled_before_its_newer_permit_was_read(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    newer = site.person(ANNA, Category.PERMANENT, pin_tag=tag_of("777777"))
    key.folder.store(KeyFile.PERMIT, newer)

    def deaf_from_the_permit_on(number: int) -> bool:
        return not any(step.endswith("permit") for step in key.asked[: number + 1])

    key.before = deaf_from_the_permit_on
    station.insert_typing(key, f"{PINS[ANNA]}#")
    await station.until(Line.CHECKING)
    await station.out()
    key.before = lambda _: True
    station.insert(key)
    await station.until(Line.WRONG_PIN, Line.REFUSED, Line.READY)
    await station.idle()
    assert station.screen.line is not Line.READY
    assert key.file(KeyFile.ACT) == b""
    assert key.file(KeyFile.PERMIT) == newer


async def test_a_key_pulled_before_the_list_that_it_is_on_was_read_is_not_switched_on(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.BLOCK, site.blocklist(5, HER_KEY))

    def deaf_from_the_list_on(number: int) -> bool:
        return not any(step.endswith("block") for step in key.asked[: number + 1])

    key.before = deaf_from_the_list_on
    station.insert_typing(key, f"{PINS[ANNA]}#")
    await station.until(Line.CHECKING)
    await station.out()
    key.before = lambda _: True
    station.insert(key)
    await station.until(Line.REFUSED, Line.READY)
    await station.idle()
    assert station.screen.line is Line.REFUSED
    assert key.file(KeyFile.ACT) == b""
