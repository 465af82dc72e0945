"""One call that waits for news is always open, except on metered lines; and nobody comes back all at once."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from station.sync import mirror as mirror_module
from tests.services.lying_central import LyingCentral, Reply, refusal
from tests.services.parts import Parts, eventually

CHANGES = "/mirror/changes"


def waits(central: LyingCentral) -> int:
    return sum(each.path == CHANGES and "wait" in each.query for each in central.asked)


@pytest_asyncio.fixture
async def listening(central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    monkeypatch.setattr(mirror_module, "LISTEN_AGAIN_S", 0.0)
    synced.mirror.poll_every(3600, metered=False)
    task = asyncio.create_task(synced.mirror.run())
    await eventually(lambda: waits(central) == 1)
    # Central is asked once beside it at the start, and that may take longer.
    await synced.mirror.refreshed(None)
    yield synced
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_change_is_there_at_once_and_the_next_call_waits_again(central: LyingCentral, listening: Parts) -> None:
    calls = central.calls(CHANGES)
    central.blocklist(300, 66)
    await eventually(lambda: (listening.readiness.blocklist_claims or central).version == 300)  # type: ignore[union-attr]
    await eventually(lambda: waits(central) == 2)
    assert central.calls(CHANGES) == calls + 1, "and nobody asked without waiting"
    assert central.asked[-1].query["wait"] == "50"
    assert central.asked[-1].query["since"] == central.cursor


async def test_a_visit_does_not_queue_behind_the_call_that_waits(central: LyingCentral, listening: Parts) -> None:
    calls, refreshes = central.calls(CHANGES), listening.station.refreshes
    async with asyncio.timeout(10):
        listening.mirror.wake(51)
        await listening.mirror.refreshed(None)
        assert [each.status for each in await listening.link.send([{"id": "1"}])] == ["accepted"]
    assert (central.calls(CHANGES), waits(central)) == (calls + 1, 1)
    assert listening.station.refreshes == refreshes + 1
    assert len(central.connections) == 2


async def test_a_metered_line_is_never_listened_to(central: LyingCentral, synced: Parts) -> None:
    synced.mirror.poll_every(0.01, metered=True)
    task = asyncio.create_task(synced.mirror.run())
    before = central.calls(CHANGES)
    await eventually(lambda: central.calls(CHANGES) > before + 3)
    task.cancel()
    await asyncio.wait([task])
    assert waits(central) == 0


async def test_over_to_a_metered_line_and_back(central: LyingCentral, listening: Parts) -> None:
    listening.mirror.poll_every(3600, metered=True)
    await eventually(lambda: listening.mirror._listening is None)
    listening.mirror.poll_every(3600, metered=False)
    await eventually(lambda: waits(central) == 2)


async def test_it_hangs_up_where_central_has_moved(central: LyingCentral, listening: Parts) -> None:
    elsewhere = LyingCentral()
    elsewhere.signing, elsewhere.clock, elsewhere.objects = central.signing, central.clock, central.objects
    elsewhere.revision = central.revision
    await elsewhere.start()
    await listening.link.move(elsewhere.url, trust=listening.link._trust)
    listening.mirror.ask_at_once()
    await eventually(lambda: waits(elsewhere) == 1)
    assert listening.mirror.online
    # Closed before its other end, or that would be a fault of the line.
    await listening.link.close()
    await elsewhere.stop()


async def test_a_central_that_cannot_hold_calls_is_asked_as_seldom_as_on_a_metered_line(
    central: LyingCentral, synced: Parts
) -> None:
    central.holds = False
    synced.mirror.poll_every(3600, metered=False)
    refreshes = synced.station.refreshes
    task = asyncio.create_task(synced.mirror.run())
    # The call at the start, and the one that was to wait.
    await eventually(lambda: synced.station.refreshes >= refreshes + 2)
    for _ in range(100):
        await asyncio.sleep(0)
    assert waits(central) == 1
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize(
    ("ends", "least_s"),
    [
        pytest.param(None, 0, id="its_connections_break"),
        pytest.param(refusal(429, "too_many_polls"), 0, id="too_many_polls"),
        pytest.param(Reply(503, b"", {"Retry-After": "30"}), 30, id="overloaded"),
        pytest.param(refusal(410, "resnapshot"), 0, id="restored"),
    ],
)
async def test_when_central_comes_back_its_stations_do_not_come_all_at_once(
    central: LyingCentral, listening: Parts, monkeypatch: pytest.MonkeyPatch, ends: Reply | None, least_s: float
) -> None:
    slept: list[float] = []
    asked_before: list[int] = []
    real_sleep, uniform = asyncio.sleep, random.uniform
    bounds: list[tuple[float, float]] = []

    def noted(low: float, high: float) -> float:
        bounds.append((low, high))
        return uniform(low, high)

    async def sleep(seconds: float) -> None:
        if seconds > 1:
            slept.append(seconds)
            asked_before.append(len(central.asked))
            seconds = 0
        await real_sleep(seconds)

    monkeypatch.setattr(random, "uniform", noted)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    if ends is not None:
        central.lies[CHANGES] = ends
        central.put("area", 99, name="Dalen")
    else:
        for connection in [*central.connections]:
            connection.cancel()
    await eventually(lambda: slept)
    assert (0, 3600) in bounds
    assert least_s <= slept[0] <= least_s + 3600
    await eventually(lambda: len(central.asked) > asked_before[0])
    assert "wait" not in central.asked[asked_before[0]].query, "without waiting, whether central is there"
