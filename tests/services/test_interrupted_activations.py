"""An activation that was begun is told of, however it ended: in the next event, or after the next start."""

import shutil
from pathlib import Path

import pytest

from offline_cache import SqliteStore
from station.display.screen import Line
from station.ports import KeyFile
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, HER_KEY, PINS, POOL_KEY, TIM, Site, StationAt


def pull_at(station: StationAt, key: HookedKey, step: str, nth: int = 1) -> None:
    """The key goes when it is asked for this for the nth time, before it has heard it."""
    left = [nth]

    def before(number: int) -> bool:
        left[0] -= key.asked[number] == step
        if left[0] == 0 and key.asked[number] == step:
            station.line.pull()
        return left[0] > 0

    key.before = before


async def test_the_process_dies_when_act_is_on_the_key(site: Site, tmp_path: Path) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    database, left = site.folder / "station1" / "station.db", tmp_path / "left"
    left.mkdir()

    def after(number: int) -> bool:
        if key.asked[number] == "write act" and len(key.file(KeyFile.ACT)) > 1:
            for file in database.parent.glob("station.db*"):
                shutil.copy(file, left / file.name)
        return True

    key.after = after
    expires = (await site.switch_on(station, key)).receipt
    assert expires is not None
    store = await SqliteStore.open(left / "station.db")
    try:
        assert [event for event in await store.pending(100) if event.body["type"] == "key_activated"] == []
        assert await store.tell_interrupted() == 1
        body = (await store.pending(100))[-1].body
        assert (body["type"], body["key"], body["holder"]) == ("key_write_interrupted", HER_KEY, ANNA)
        assert body["data"] == {"act": "unknown", "expires": expires.expires}
    finally:
        await store.close()
    await station.idle()
    assert await station.store.real.tell_interrupted() == 0


async def test_what_the_last_run_left_open_is_told_at_the_start(site: Site) -> None:
    station, key = await site.station(run=False), site.key(HER_KEY)
    event = station.station.visits._recorder.event("key_write_interrupted", None, act="unknown", expires=9)
    await station.store.real.begin_activation(event)
    station.start()
    await site.switch_on(station, key)
    await station.idle()
    (told,) = await station.events("key_write_interrupted")
    assert told["data"] == {"act": "unknown", "expires": 9}


async def test_a_right_pin_and_the_key_pulled_before_anything_is_written_is_no_refusal(site: Site) -> None:
    station, key = await site.station(), site.key(POOL_KEY)
    pull_at(station, key, "write permit")
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[TIM]}#")
    await station.until(Line.OUT_UNSURE, Line.OUT_EARLY, Line.OUT_OFF)
    await station.until(Line.EMPTY, Line.OUT_UNSURE, Line.OUT_EARLY, Line.OUT_OFF)
    site.skip(10)
    await station.idle()
    (told,) = await station.events("key_write_interrupted")
    assert (told["data"], "holder" in told) == ({"act": "no"}, False)
    assert not await station.events("key_refused", "pool_key_taken")


async def test_a_key_pulled_while_act_is_written_may_be_on(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    pull_at(station, key, "write act")
    station.type(f"{PINS[ANNA]}#")
    screen = await station.until(Line.OUT_UNSURE)
    await station.idle()
    (told,) = await station.events("key_write_interrupted")
    assert (told["holder"], told["data"]) == (ANNA, {"act": "unknown", "expires": screen.still_on_until})
    assert not await station.events("key_refused")
    assert await station.store.real.tell_interrupted() == 0


@pytest.mark.parametrize("seconds", [0, 10], ids=["swapped", "gone"])
async def test_a_right_pin_judged_when_its_key_is_gone_is_no_refusal(site: Site, seconds: int) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    tags = station.station.pin_tags.tags

    async def pulled(entry: object) -> tuple[bytes, ...]:
        station.line.pull()
        await station.until(Line.OUT_EARLY)
        site.skip(seconds)
        return await tags(entry)  # type: ignore[arg-type]

    station.station.pin_tags.tags = pulled  # type: ignore[method-assign]
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.OUT_EARLY)
    if not seconds:
        station.insert(site.key(POOL_KEY))
        await station.until(Line.PROMPT)
    else:
        await station.until(Line.OUT_EARLY, Line.EMPTY)
        while not await station.events("key_write_interrupted"):
            station.visits.tick()
            await station.idle()
    await station.idle()
    (told,) = await station.events("key_write_interrupted")
    assert (told["key"], told["data"]) == (HER_KEY, {"act": "no"})
    assert not await station.events("key_refused", "pin_rejected")
    assert (await station.store.real.attempts(HER_KEY)).failures == 0
