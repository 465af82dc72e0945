"""What is shown besides a visit, with real parts: news of the key, progress, help, standby, the technician's page."""

import asyncio
import time
from collections.abc import Callable
from unittest.mock import Mock

import argon2
import pytest

from config.models import DisplayTable
from station.display.idle import View
from station.display.screen import Changes, Line, PastVisit, Progress, Screen
from station.key.batteries import KEYS_LIMIT, Batteries
from station.key.write_progress import WriteProgress
from station.ports import KeyFile, KeySession
from station.records.claims import Category, KeyKind
from station.runtime.technician import TechnicianCode
from station.visit.entry import Entry
from tests.services.parts import eventually
from tests.services.site import ANNA, AREA, HER_KEY, LOCK, PINS, POOL_KEY, TIM, Site, StationAt

CODE = "2468"
HASH = argon2.PasswordHasher(1, 1024, 1).hash(CODE)


async def begun(site: Site, display: DisplayTable | None = None) -> StationAt:
    station = await site.station(display=display)
    await station.until(Line.EMPTY)
    return station


def view(station: StationAt) -> View | None:
    return station.screen.idle_page.view if station.screen.idle_page is not None else None


def shows(station: StationAt, wanted: Callable[[Screen], bool]) -> Callable[[], bool]:
    return lambda: wanted(station.screen)


# --- news of the key


async def test_a_low_battery_is_told_before_leaving_also_the_next_morning(site: Site) -> None:
    station, key = await begun(site), site.key(HER_KEY)
    key.folder.append_log_entry(time_s=site.now_s, lock=LOCK, outcome="opened", holder=ANNA, battery_percent=60)
    key.folder.append_log_entry(time_s=site.now_s, lock=LOCK, outcome="opened", holder=ANNA, battery_percent=12)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert (await station.out()).notes.battery_percent == 12
    shown = await site.switch_on(station, key)
    assert shown.notes.battery_percent == 12


async def test_power_lost_is_told_of_a_key_that_had_been_here_and_not_of_a_new_one(site: Site) -> None:
    station, key = await begun(site), site.key(HER_KEY, clock=False)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert not (await station.out()).notes.lost_power
    key.lose_power()
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert (await station.out()).notes.lost_power


async def test_what_changed_is_told_once(site: Site) -> None:
    station, key = await begun(site), site.key(HER_KEY)
    assert (await site.switch_on(station, key)).notes.changes is None
    await station.out()
    site.person(ANNA, Category.PERMANENT, areas=(AREA, 3), locks=(5, 6))
    await site.refresh(station)
    site.skip(60)
    shown = await site.switch_on(station, key)
    assert shown.notes.changes == Changes(added=(3,), boxes_added=2)
    await station.out()
    site.skip(60)
    assert (await site.switch_on(station, key)).notes.changes is None


async def test_a_bounce_forgets_no_news_and_the_next_key_does(site: Site) -> None:
    station, key, other = await begun(site), site.key(HER_KEY), site.key(POOL_KEY)
    key.folder.append_log_entry(time_s=site.now_s, lock=LOCK, outcome="opened", holder=ANNA, battery_percent=12)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    await station.out()
    station.insert(key)
    assert (await station.until(Line.PROMPT)).notes.battery_percent == 12
    await station.out()
    station.insert(other)
    shown = await station.until(Line.PROMPT)
    assert (shown.kind, shown.unit_name, shown.notes.battery_percent) == (KeyKind.SUBSTITUTE, "Norr", None)


def test_batteries_are_bounded() -> None:
    batteries = Batteries()
    for key in range(KEYS_LIMIT + 1):
        batteries.note(key, key % 100)
    batteries.note(1, None)
    assert batteries.percent(0) is None
    assert batteries.percent(1) == 1


# --- progress


def test_progress_counts_records_and_is_never_full_before_the_end() -> None:
    key, progress = Mock(KeySession, wire_bytes=1000), WriteProgress()
    assert progress.now() is None
    with progress.of(key, (0, 200, 300)):
        assert progress.now() == Progress(0, 500)
        progress.next()
        key.wire_bytes += 176
        assert progress.now() == Progress(100, 500)
        key.wire_bytes += 100_000
        assert progress.now() == Progress(199, 500)
        progress.next()
        assert progress.now() == Progress(200, 500)
        progress.next()
        assert progress.now() == Progress(500, 500)
    assert progress.now() is None


async def test_progress_of_an_activation_grows_and_ends_with_it(site: Site) -> None:
    station, key = await begun(site), site.key(POOL_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()

    def a_tick_with_each_request(_number: int) -> bool:
        station.visits.tick()
        return True

    key.before = a_tick_with_each_request
    station.type(f"{PINS[TIM]}#")
    await station.until(Line.READY)
    seen = [screen.progress for screen in station.shown if screen.progress is not None]
    done = [step.done_bytes for step in seen]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert {step.total_bytes for step in seen} == {
        sum(len(key.file(file)) for file in (KeyFile.BLOCK, KeyFile.CERT, KeyFile.PERMIT, KeyFile.ACT))
    }
    assert {screen.line for screen in station.shown if screen.progress is not None} == {Line.ACTIVATING}


# --- the empty station


async def test_help_is_one_keystroke_away_and_a_key_ends_it(site: Site) -> None:
    station, key = await begun(site), site.key(HER_KEY)
    station.type("*")
    await station.idle()
    assert view(station) is View.HELP
    station.insert(key)
    shown = await station.until(Line.READING)
    assert shown.idle_page is None
    await station.until(Line.PROMPT)
    station.type("*")
    await station.idle()
    assert view(station) is None, "at the prompt, * restarts the entry"


async def test_the_screen_goes_dark_and_a_key_or_a_keystroke_wakes_it(site: Site) -> None:
    station, key = await begun(site, DisplayTable(standby_min=10)), site.key(HER_KEY)
    site.skip(599)
    station.type("5")
    await station.idle()
    site.skip(601)
    await eventually(
        shows(station, lambda screen: screen.idle_page is not None and screen.idle_page.view is View.STANDBY)
    )
    began = time.perf_counter()
    station.type("5")
    await station.idle()
    assert view(station) is None
    # The requirement is a tenth of this.
    assert time.perf_counter() - began < 1.0
    site.skip(601)
    await eventually(lambda: view(station) is View.STANDBY)
    began = time.perf_counter()
    station.insert(key)
    assert (await station.until(Line.READING, Line.PROMPT)).idle_page is None
    assert time.perf_counter() - began < 10.0


async def test_the_technicians_page_opens_for_its_code_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    checked, is_right = asyncio.Event(), TechnicianCode.is_right

    async def noted(code: TechnicianCode, entry: Entry) -> bool:
        try:
            return await is_right(code, entry)
        finally:
            checked.set()

    monkeypatch.setattr(TechnicianCode, "is_right", noted)
    station = await begun(site, DisplayTable(technician_code=HASH))
    key = site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    site.skip(31)
    await station.until(Line.EMPTY)
    station.type("*0*1111#")
    await asyncio.wait_for(checked.wait(), 5)
    await eventually(lambda: view(station) is View.WRONG_CODE)
    station.type("#*0*")
    await station.idle()
    assert view(station) is View.HELP, "a wrong code costs a wait"
    station.type("##")
    await station.idle()
    site.skip(6)
    station.type(f"*0*{CODE}")
    await station.idle()
    assert (view(station), station.screen.idle_page.digits if station.screen.idle_page else 0) == (View.CODE, 4)
    station.type("#")
    await eventually(lambda: view(station) is View.TECHNICIAN)
    page_shown = station.screen.idle_page
    assert page_shown is not None
    assert page_shown.technician is not None
    page = page_shown.technician
    assert (page.reader, page.reader_works) == (str(station.line.path), True)
    assert page.central == (station.station.settings.central.url or "")
    assert page.config_version == station.station.settings.version
    assert (page.mirror_objects, page.outbox_events) == (len(site.objects), await station.store.real.pending_count())
    (visit,) = page.visits
    assert visit == PastVisit(visit.unix_s, KeyKind.PERSONAL, "ready")
    assert "Person" not in repr(page)
    assert str(HER_KEY) not in repr(page)
    site.skip(61)
    await eventually(lambda: view(station) is None)


async def test_without_a_code_there_is_no_such_page(site: Site) -> None:
    station = await begun(site)
    station.type(f"*0*{CODE}#")
    await station.idle()
    assert view(station) is View.HELP
    assert repr(TechnicianCode(HASH)) == "TechnicianCode(…)"
