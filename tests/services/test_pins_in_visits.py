"""PINs typed at a station of real parts: when they are counted, and what happens while they are judged."""

import asyncio
from typing import Any

from station.display.screen import Line
from station.ports import Change, KeyFile
from station.rules.attempts import AttemptCount
from station.rules.facts import Refusal
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, BO, HER_KEY, HIS_KEY, PINS, Site, StationAt


class HeldPins:
    """Lets no PIN be judged at a station until it is told to."""

    def __init__(self, station: StationAt) -> None:
        self.go_on = asyncio.Event()
        tags = station.station.pin_tags.tags

        async def held(entry: Any) -> tuple[bytes, ...]:
            await self.go_on.wait()
            return await tags(entry)

        station.station.pin_tags.tags = held  # type: ignore[method-assign]


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
    pins = HeldPins(station)
    for text in ("999999#", "888888#"):
        began = await _entered(station, key, text) if files is None else len(key.steps)
        if files is None:
            files = dict(key.folder.files())
        else:
            station.type(text)
        await station.until(Line.CHECKING)
        pins.go_on.set()
        await station.until(Line.WRONG_PIN)
        pins.go_on.clear()
        await station.idle()
        assert set(key.steps[began:]) <= {"read id"}
    assert dict(key.folder.files()) == files


async def test_a_key_that_was_swapped_while_a_pin_is_judged_is_not_written_to(site: Site) -> None:
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    await site.switch_on(station, his, PINS[BO])
    await station.out()
    files, began = dict(his.folder.files()), len(station.shown)
    pins = HeldPins(station)
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
    pins.go_on.set()
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


async def test_the_count_is_on_the_disk_before_the_pin_is_looked_at(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    station.store.asked.clear()
    counted: list[int] = []
    tags = station.station.pin_tags.tags

    async def tagged(entry: Any) -> tuple[bytes, ...]:
        counted.append((await station.store.real.attempts(HER_KEY)).failures)
        return await tags(entry)

    station.station.pin_tags.tags = tagged  # type: ignore[method-assign]
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
    pins = HeldPins(station)
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
    pins.go_on.set()
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


async def test_after_a_bounce_during_the_check_the_next_pin_is_still_answered(site: Site) -> None:
    """The key came back without being prepared anew; its permit has to be known all the same."""
    station, key = await site.station(), site.key(HER_KEY)
    pins = HeldPins(station)
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type("999999#")
    await station.until(Line.CHECKING)
    await station.out()
    station.insert(key)
    await station.until(Line.CHECKING)
    pins.go_on.set()
    await station.until(Line.WRONG_PIN)
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert site.opens(key)


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


async def test_the_whole_wait_is_still_to_come_when_a_verdict_was_slow(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await station.store.real.commit(Change(attempts=AttemptCount(HER_KEY, 5, site.now_s)))
    site.skip(16)
    pins = HeldPins(station)
    await _entered(station, key, "999999#")
    async with asyncio.timeout(8):
        while (await station.store.real.attempts(HER_KEY)).failures < 6:
            await asyncio.sleep(0.01)
    site.skip(20)
    pins.go_on.set()
    wait = await station.until(Line.WAIT)
    assert wait.wait_s in {28, 29, 30}
    # The same for whoever puts the key in anew.
    site.skip(10)
    await station.out()
    site.skip(6)
    station.insert(key)
    await station.until(Line.WAIT)
