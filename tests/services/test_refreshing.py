"""When central is asked, who waits for it, and how it ends."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from config.loading import parse, version_of
from config.models import ClockTable
from station.ports import Change, LogEvent
from station.sync.mirror_commit import CONFIRMED_STORED_EVERY_S
from station.sync.signed_time import TIME_AGAIN_S
from station.sync.station_health import self_report
from tests.services.lying_central import NOW_S, STATION, Asked, LyingCentral, Reply, octets, refusal
from tests.services.parts import Parts, eventually


class Held:
    """An address that answers when it is let."""

    def __init__(self, central: LyingCentral) -> None:
        self.let = asyncio.Event()
        self.asked = asyncio.Event()
        self._central = central

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await self.let.wait()
        writer.write(octets(self._central.changes(asked)))
        await writer.drain()


def held(central: LyingCentral) -> Held:
    it = Held(central)

    async def lie(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await it(asked, writer)

    central.lies["/mirror/changes"] = lie
    return it


@pytest.fixture
async def running(synced: Parts) -> Any:
    synced.mirror.poll_every(3600, metered=True)
    task = asyncio.create_task(synced.mirror.run())
    await synced.mirror.refreshed(None)
    await eventually(lambda: synced.station.refreshes >= 2)
    await synced.mirror.refreshed(None)
    yield synced
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_poke_asks_now(central: LyingCentral, running: Parts) -> None:
    central.put("area", 3, name="Dalen")
    running.mirror.wake()
    await running.mirror.refreshed(5)
    assert await running.field("area", 3, "name") == "Dalen"


async def test_what_changed_is_told_before_settled_returns(central: LyingCentral, running: Parts) -> None:
    central.blocklist(300, 66)
    running.mirror.wake()
    await running.mirror.refreshed(5)
    claims = running.readiness.blocklist_claims
    assert claims is not None
    assert claims.version == 300


async def test_settled_does_not_wait_when_nothing_is_under_way(running: Parts) -> None:
    async with asyncio.timeout(5):
        await running.mirror.refreshed(None)


async def test_pokes_while_it_is_under_way_are_one_question(central: LyingCentral, running: Parts) -> None:
    hold = held(central)
    before = central.calls("/mirror/changes")
    running.mirror.wake()
    await hold.asked.wait()
    for _ in range(5):
        running.mirror.wake()
    hold.let.set()
    await running.mirror.refreshed(None)
    assert central.calls("/mirror/changes") == before + 1


async def test_asked_anew_the_question_under_way_does_not_count(central: LyingCentral, running: Parts) -> None:
    it = held(central)
    running.mirror.wake()
    await it.asked.wait()
    del central.lies["/mirror/changes"]
    central.put("area", 3, name="Dalen")
    running.mirror.ask_at_once()
    before = running.station.refreshes
    it.let.set()
    await eventually(lambda: running.station.refreshes >= before + 2)
    assert await running.field("area", 3, "name") == "Dalen"


async def test_only_the_first_waits_for_a_central_that_hangs(central: LyingCentral, running: Parts) -> None:
    hold = held(central)
    running.mirror.wake()
    await hold.asked.wait()
    loop = asyncio.get_running_loop()
    started = loop.time()
    await running.mirror.refreshed(0.1)
    first_s = loop.time() - started
    for _ in range(100):
        running.mirror.wake()
        await running.mirror.refreshed(5)
    assert 0.09 < first_s < 2.5
    assert loop.time() - started < 5, "another one has waited"
    assert running.mirror.online, "slow is not lost"
    # The slow answer still counts, and after it there is waiting again.
    hold.let.set()
    await running.mirror.refreshed(None)
    again = held(central)
    running.mirror.wake()
    await again.asked.wait()
    waiting = asyncio.create_task(running.mirror.refreshed(5))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    again.let.set()
    await waiting


async def test_nobody_waits_for_a_central_known_to_be_dead(central: LyingCentral, running: Parts) -> None:
    central.lies["/mirror/changes"] = Reply(500)
    running.mirror.wake()
    await running.mirror.refreshed(5)
    assert not running.mirror.online
    hold = held(central)
    running.mirror.wake()
    await hold.asked.wait()
    loop = asyncio.get_running_loop()
    started = loop.time()
    await running.mirror.refreshed(5)
    assert loop.time() - started < 2.5
    hold.let.set()
    await running.mirror.refreshed(None)
    assert running.mirror.online


async def test_polling_goes_on_by_itself_with_jitter(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", uniform)
    synced.mirror.poll_every(0.01, metered=True)
    before = central.calls("/mirror/changes")
    task = asyncio.create_task(synced.mirror.run())
    await eventually(lambda: central.calls("/mirror/changes") > before + 3)
    task.cancel()
    await asyncio.wait([task])
    assert set(bounds) == {(0.8, 1.2)}


async def test_nothing_new_is_cheap(central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request, and no write to the disk but now and then."""
    written = []
    take_mirror = synced.store.take_mirror

    async def counted(*arguments: Any) -> None:
        written.append(arguments)
        await take_mirror(*arguments)

    monkeypatch.setattr(synced.store, "take_mirror", counted)
    before = len(central.asked)
    for _ in range(10):
        synced.clocks.advance(20)
        assert await synced.poll()
        assert synced.mirror.age_s() == 0
    assert len(central.asked) == before + 10
    assert written == []
    synced.clocks.advance(CONFIRMED_STORED_EVERY_S)
    assert await synced.poll()
    assert len(written) == 1
    assert (await synced.store.mirror_state()).confirmed_at == synced.time.now().unix_s


async def test_time_is_asked_for_again_before_it_is_old(central: LyingCentral, synced: Parts) -> None:
    assert central.calls("/time") == 1
    synced.clocks.advance(TIME_AGAIN_S - 1)
    await synced.poll()
    assert central.calls("/time") == 1
    synced.clocks.advance(1)
    await synced.poll()
    assert central.calls("/time") == 2


@pytest.mark.parametrize("lie", [refusal(429, "slow_down", Retry_After="100"), Reply(503, b"", {"Retry-After": "100"})])
async def test_retry_after_is_obeyed(central: LyingCentral, running: Parts, lie: Reply) -> None:
    central.lies["/mirror/changes"] = lie
    running.mirror.wake()
    await running.mirror.refreshed(5)
    before = len(central.asked)
    for _ in range(3):
        running.mirror.wake()
        await running.mirror.refreshed(None)
    assert len(central.asked) == before
    central.lies.clear()
    running.clocks.advance(101)
    running.mirror.wake()
    await running.mirror.refreshed(None)
    assert running.mirror.online


async def test_retry_after_puts_off_the_poll_as_well(central: LyingCentral, synced: Parts) -> None:
    synced.mirror.poll_every(0.01, metered=True)
    central.lies["/mirror/changes"] = refusal(429, "slow_down", Retry_After="3600")
    task = asyncio.create_task(synced.mirror.run())
    await eventually(lambda: not synced.mirror.online)
    before = len(central.asked)
    await asyncio.sleep(0.1)
    assert len(central.asked) == before
    task.cancel()
    await asyncio.wait([task])


async def test_cancelled_in_the_middle(central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of a refresh goes on behind a closed store."""
    hold = held(central)
    task = asyncio.create_task(synced.mirror.run())
    await hold.asked.wait()
    waiting = asyncio.create_task(synced.mirror.refreshed(None))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await waiting
    assert len(asyncio.all_tasks()) == 1 + len(central.connections)
    assert "central.lost" not in caplog.text


async def test_a_broken_invariant_ends_the_run(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not swallowed in a task of its own: the supervisor must see it."""

    async def broken() -> None:
        raise AssertionError

    monkeypatch.setattr(synced.readiness, "reload", broken)
    with pytest.raises(ExceptionGroup) as raised:
        await synced.mirror.run()
    assert isinstance(raised.value.exceptions[0], AssertionError)


async def test_a_disk_that_is_full_is_not_central_lost(
    central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    central.put("area", 3, name="Dalen")
    await synced.store.close()
    assert await synced.poll(), "central is there"
    assert "mirror.not_stored" in caplog.text
    assert "central.lost" not in caplog.text
    assert synced.mirror.store_fault is not None


async def test_an_outage_is_told_with_its_end(central: LyingCentral, running: Parts) -> None:
    port = central.port
    await central.stop()
    running.mirror.wake()
    await running.mirror.refreshed(None)
    assert not running.mirror.online
    await central.start(port=port)
    running.mirror.wake()
    await running.mirror.refreshed(None)
    assert [event["type"] for event in await running.events()] == ["central_lost", "central_back"]
    assert [event["clock"] for event in await running.events()] == [0, 0]


async def test_events_without_a_trusted_clock_say_so(central: LyingCentral, parts: Parts) -> None:
    await central.stop()
    assert not await parts.poll()
    assert [(event["type"], event["clock"]) for event in await parts.events()] == [("central_lost", "unknown")]


async def test_what_is_on_disk_is_taken_up(central: LyingCentral, synced: Parts) -> None:
    await central.stop()
    synced.clocks.turn(boot_id="boot-b")
    again = await synced.restarted(trusted=ClockTable(trust_ntp=False, trust_rtc=True))
    assert again.mirror.state == synced.mirror.state
    assert again.time.floor_s == synced.time.floor_s
    assert again.mirror.age_s() is None, "no trusted clock yet"
    again.clocks.turn(rtc_unix_s=again.clocks.readings.unix_s + 120)
    assert again.mirror.age_s() == 120
    await again.close()


async def test_pages_follow_one_another(central: LyingCentral, synced: Parts) -> None:
    for number in range(3, 9):
        central.put("area", number, name=f"Område {number}")
    everything = list(central.objects.values())

    def page(asked: Asked) -> Reply:
        since = int(asked.query["since"].rpartition(".")[2])
        if since == central.revision:
            return central.changes(asked)
        upserts = sorted((e for e in everything if e["revision"] > since), key=lambda e: e["revision"])[:2]
        to = upserts[-1]["revision"]
        cursor = f"{central.epoch}.{to}"
        return central.changes(asked, upserts=upserts, cursor=cursor, more=to < central.revision)

    central.lies["/mirror/changes"] = page
    assert await synced.poll()
    assert len(await synced.store.objects("area")) == 7
    assert central.calls("/mirror/changes") == 3
    assert central.calls("/mirror/snapshot") == 1


async def test_removed_objects_go(central: LyingCentral, synced: Parts) -> None:
    central.remove("permit", 1)
    assert await synced.poll()
    assert await synced.object("permit", 1) is None
    assert central.calls("/mirror/snapshot") == 1


async def test_each_question_tells_how_the_station_is(central: LyingCentral, synced: Parts, tmp_path: Path) -> None:
    def reported() -> str:
        return next(each for each in reversed(central.asked) if each.path == "/mirror/changes").headers[
            "station-health"
        ]

    content = f'[station]\nnumber = {STATION}\nname = "Exempelby"\n\n[central]\nurl = "{central.url}"\n'
    await synced.station.apply(parse(tmp_path / "station.toml", content.encode()))
    await synced.store.commit(Change([LogEvent("key_synced", NOW_S, 0, key=1) for _ in range(3)]))
    assert await synced.poll()
    assert reported() == f"outbox=3, clock=0, mirror=0, config={version_of(content.encode())}"
    central.lies["/mirror/changes"] = refusal(503, "busy")
    synced.clocks.advance(600)
    assert not await synced.poll()
    assert "mirror=600," in reported()
    synced.clocks.turn(boot_id="boot-b", boottime_s=1.0)
    # Without a clock it does not know how old anything is, and says so by saying nothing.
    report = await self_report(synced.store, synced.time.now(), synced.mirror.state.confirmed_at, "")
    # One more: it has noted that central was lost.
    assert report == "outbox=4"
