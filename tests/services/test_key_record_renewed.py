"""A key gets the record that central has signed anew: whole or not at all, whenever it is pulled out."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from station.display.screen import Line
from station.ports import KeyFile, KeyLost, KeyRefused
from station.records import envelope
from station.records.claims import Category, KeyKind, KeyRecord, Role
from station.rules.facts import KeyStatus, Refusal
from tests.services.hooked import HookedKey
from tests.services.parts import eventually
from tests.services.site import ANNA, BO, HER_KEY, HIS_KEY, PINS, Site, StationAt, on_sites


async def signed_anew(site: Site, **how: Any) -> tuple[StationAt, HookedKey, bytes]:
    """A station whose mirror has a newer record of her key than the key itself; and that record."""
    key = site.key(HER_KEY, **how)
    site.skip(60)
    record = site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA)
    assert record != key.file(KeyFile.ID)
    return await site.station(), key, record


async def test_it_is_written_while_the_person_types_and_once(site: Site) -> None:
    station, key, record = await signed_anew(site)
    await site.switch_on(station, key)
    assert key.file(KeyFile.ID) == record
    assert site.opens(key)
    assert key.steps.count("write id") == 1
    written = key.steps.index("write id")
    assert key.steps[written + 1] == "read id"
    assert written < key.steps.index("write act")
    await station.idle()
    (event,) = await station.events("key_record_written")
    assert event["key"] == HER_KEY
    newer = envelope.verified(KeyRecord, record, [site.central.public])
    assert newer is not None
    assert event["data"] == {"issued": newer.issued}
    await station.out()
    site.skip(60)
    await site.switch_on(station, key)
    await station.idle()
    assert key.steps.count("write id") == 1
    first, second = await station.events("key_synced")
    assert first["data"]["record_issued"] == second["data"]["record_issued"] == event["data"]["issued"]


async def test_after_it_was_written_a_bounce_is_still_the_same_key(site: Site) -> None:
    station, key, record = await signed_anew(site)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert key.file(KeyFile.ID) == record
    station.type(f"*{PINS[ANNA][:3]}")
    await station.out()
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA][3:]}#")
    await station.until(Line.READY)
    await station.out()
    began = len(key.steps)
    station.insert(key)
    await eventually(lambda: "read id" in key.steps[began:])
    await station.until(Line.READY)
    assert key.steps[began:] == ["read id"]
    assert site.opens(key)


async def test_another_key_put_in_its_place_is_not_taken_for_it(site: Site) -> None:
    station, key, record = await signed_anew(site)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert key.file(KeyFile.ID) == record
    visit = station.visits.state.visit
    # From one answer to the next: no silence in between.
    his = site.key(HIS_KEY)
    station.insert(his)
    await eventually(lambda: station.visits.state.visit > visit)
    await station.until(Line.PROMPT)
    station.type(f"*{PINS[BO]}#")
    await station.until(Line.READY)
    assert site.opens(his)
    assert not site.opens(key)


@pytest.mark.parametrize("why", ["older", "blocked", "returned"])
async def test_it_is_left_alone(site: Site, why: str) -> None:
    if why == "older":
        site.skip(60)
        site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA)
    key = site.key(HER_KEY)
    before = key.file(KeyFile.ID)
    site.skip(-60 if why == "older" else 60)
    status = {"blocked": KeyStatus.BLOCKED, "returned": KeyStatus.RETURNED}.get(why, KeyStatus.ACTIVE)
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, status)
    station = await site.station()
    station.insert(key)
    await station.until(Line.PROMPT, Line.REFUSED)
    await station.idle()
    assert "write id" not in key.steps
    assert key.file(KeyFile.ID) == before
    assert await station.events("key_record_written") == []


async def test_a_returned_key_is_its_new_holders_at_the_next_insertion(site: Site) -> None:
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.RETURNED)
    key, station = site.key(HER_KEY), await site.station()
    key.folder.store(KeyFile.PERMIT.value, site.person(ANNA, Category.PERMANENT))
    station.insert(key)
    assert (await station.until(Line.REFUSED)).refusal is Refusal.RETURNED
    await station.out()
    site.skip(60)
    record = site.key_object(HER_KEY, KeyKind.PERSONAL, BO)
    await site.refresh(station)
    station.insert(key)
    screen = await station.until(Line.PROMPT)
    assert (key.file(KeyFile.ID), screen.holder_name) == (record, f"Person {BO}")
    # Her PIN is as wrong as any other.
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.WRONG_PIN)
    station.type(f"*{PINS[BO]}#")
    await station.until(Line.READY)
    assert site.opens(key)
    await station.idle()
    (event,) = await station.events("key_record_written")
    assert (event["key"], event["holder"]) == (HER_KEY, BO)


async def test_a_key_that_is_handed_on_while_it_is_in_is_read_anew(site: Site) -> None:
    key, station = site.key(HER_KEY), await site.station()
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    station.type("111")
    site.skip(60)
    key.press()
    record = site.key_object(HER_KEY, KeyKind.PERSONAL, BO)
    await site.refresh(station)
    await eventually(lambda: station.screen.holder_name == f"Person {BO}")
    assert (station.screen.line, station.screen.digits, key.file(KeyFile.ID)) == (Line.PROMPT, 0, record)
    station.type(f"*{PINS[BO]}#")
    await station.until(Line.READY)
    assert site.opens(key)


async def test_where_it_takes_two_requests_it_is_left_alone(site: Site) -> None:
    """Torn in between, the key would be nobody's."""
    station, key, record = await signed_anew(site, buffer_bytes=128)
    await site.switch_on(station, key)
    assert site.opens(key)
    assert key.file(KeyFile.ID) != record
    assert "write id" not in key.steps


async def test_an_update_box_writes_it_before_the_activation(site: Site) -> None:
    key = site.key(HER_KEY)
    site.skip(60)
    record = site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA)
    box = await site.station(12, role=Role.UPDATE_BOX)
    box.insert(key)
    await box.until(Line.READY)
    await box.idle()
    assert key.file(KeyFile.ID) == record
    assert site.opens(key)
    assert key.steps.index("write id") < key.steps.index("write act")
    assert "write id" not in key.steps[key.steps.index("write act") :]


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "answer_lost"])
async def test_a_key_pulled_around_it_is_whole_and_works_at_its_next_visit(tmp_path: Path, heard: bool) -> None:
    cases = [(offset, back_after_s) for offset in (-1, 0, 1) for back_after_s in (0, 60)]
    await on_sites(tmp_path, cases, lambda site, case: _pulled_near(site, *case, heard=heard))


async def _pulled_near(site: Site, offset: int, back_after_s: int, *, heard: bool) -> None:
    """The key is pulled at the request before the record, at it, or at the one after it."""
    station, key, record = await signed_anew(site)
    before = key.file(KeyFile.ID)
    # How many requests a visit has until then is not known beforehand: one like it is made first.
    twin = HookedKey(site.folder / "twin", key.options, site.world)
    twin.folder.store(KeyFile.ID.value, before)
    twin.folder.store_state(key.folder.state())
    station.insert(twin)
    await station.until(Line.PROMPT)
    await station.idle()
    at = [step for step in twin.asked if step != "echo"].index("write id") + offset
    await station.out()
    site.skip(60)
    pulled = asyncio.Event()
    steps = 0

    def pull(number: int) -> bool:
        nonlocal steps
        if key.asked[number] == "echo" or pulled.is_set():
            return not pulled.is_set()
        steps += 1
        if steps <= at:
            return True
        asyncio.get_running_loop().call_soon(station.line.pull)
        pulled.set()
        return False

    if heard:
        key.after = pull
    else:
        key.before = pull
    station.shown.clear()
    station.insert(key)
    await asyncio.wait_for(pulled.wait(), 8)
    await station.until(Line.EMPTY, Line.OUT_OFF, Line.OUT_EARLY, Line.OUT_UNSURE)
    await station.idle()
    assert key.file(KeyFile.ID) in {before, record}
    key.before = key.after = lambda _: True
    site.skip(back_after_s)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert key.file(KeyFile.ID) == record
    assert site.opens(key)
    await station.idle()
    assert await station.events("key_read_failed") == []


async def test_the_driver_leaves_what_it_cannot_replace_at_once(site: Site) -> None:
    station = await site.station(run=False)
    key = site.key(HER_KEY)
    station.insert(key)
    session = await asyncio.wait_for(station.station.reader.next_key(), 5)
    before = key.file(KeyFile.ID)
    with pytest.raises(KeyRefused, match="not_at_one_stroke"):
        await session.replace(KeyFile.ID, bytes(2000))
    assert key.file(KeyFile.ID) == before
    assert await session.read(KeyFile.ID) == before
    removed = asyncio.create_task(session.gone())
    await session.replace(KeyFile.ID, b"another record")
    began = len(key.asked)
    await eventually(lambda: key.asked[began:].count("read id") >= 2)
    assert not removed.done(), "the same key"
    station.insert(site.key(HIS_KEY))
    await asyncio.wait_for(removed, 5)
    with pytest.raises(KeyLost):
        await session.read(KeyFile.ID)
