"""The same services against `central serve`: good paths, and what is in flight when something dies."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from offline_cache import SqliteStore
from station.ports import Change, LogEvent
from station.records.base64url import decoded
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proof
from station.secret import Secret
from station.sync.client import CentralClient, CentralRefused, Enrolled, Pieces, Resnapshot
from station.sync.identity import Identity
from tests.central.served import central as central_command
from tests.central.served import start_server, stop_server
from tests.offline_cache import month_offline
from tests.services.parts import NO_CLOCK, PINS, CountedStation, StationParts, settings_of

pytestmark = pytest.mark.slow

BACKLOG = 5000
RATE_MIN = 200
"""Events per second; more than 2,000 is wanted, and twice that was measured on two idle processors."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    data = tmp_path_factory.mktemp("central") / "data"
    summary = json.loads(central_command("seed", "--keys", str(data.parent / "keys"), "--json", data=data))
    process, url = start_server(data)
    yield url, summary
    stop_server(process)


_enrolled: dict[str, tuple[Enrolled, SigningKey]] = {}


@pytest_asyncio.fixture
async def met(served: tuple[str, dict[str, Any]], tmp_path: Path) -> AsyncIterator[StationParts]:
    """A station of the sample site, enrolled once, with a database of its own for each test."""
    url, summary = served
    if url not in _enrolled:
        signing = SigningKey.generate()
        link = CentralClient(url)
        code = str(summary["enrol_code"])
        _enrolled[url] = (await link.enrol(Secret(code), signing.public, enrolment_proof(code, signing)), signing)
        with pytest.raises(CentralRefused, match="bad_code"):
            await link.enrol(Secret("1-wrongwrong"), signing.public, enrolment_proof("1-wrongwrong", signing))
        await link.close()
    enrolled, signing = _enrolled[url]
    store = await SqliteStore.open(tmp_path / "station.db")
    identity = Identity(
        station=enrolled.station,
        site=enrolled.site,
        certificate=decoded(enrolled.certificate),
        central_keys=[decoded(key) for key in enrolled.central_keys],
        signing=signing,
        pin=PINS,
    )
    link = CentralClient(url, Secret(enrolled.token))
    settings = settings_of(enrolled.station, NO_CLOCK)
    it = StationParts(await CountedStation.open(settings, identity=identity, store=store, central=link), store)
    yield it
    await it.close()


async def test_a_station_meets_its_site(met: StationParts) -> None:
    await met.mirror.refresh()
    assert await met.events() == []
    assert len(await met.store.objects("key")) > 10
    assert await met.poll()
    facts = await met.readiness.facts()
    assert facts.off_only is None
    assert facts.area_names
    assert met.readiness.blocklist is not None
    with pytest.raises(CentralRefused, match="too_early"):
        await met.link.certificate()
    for cursor in ["b2xkLjU", "YW5vdGhlcg", "x" * 300]:
        with pytest.raises(Resnapshot):
            await met.link.changes(cursor, b"n" * 16)


@pytest.mark.parametrize("cursor", ["b2xkLjU", "no cursor of central's"])
async def test_an_epoch_that_is_another(met: StationParts, monkeypatch: pytest.MonkeyPatch, cursor: str) -> None:
    await met.mirror.refresh()
    # The snapshot was a good one: another is asked for at once.
    await met.mirror.refresh()
    count = len(await met.store.objects("key"))
    epoch, answered = met.mirror.state.epoch, met.link.snapshot

    async def relayed(nonce: bytes, take: Callable[[Pieces], Awaitable[None]]) -> None:
        """As whoever sits between hands it on."""

        async def altered(pieces: Pieces) -> Pieces:
            first = await anext(pieces)
            told, _, rest = first.partition(b'"cursor"')
            assert told.startswith(b'{"epoch"')
            yield b'{"epoch":"old","cursor"' + rest
            async for piece in pieces:
                yield piece

        await answered(nonce, lambda pieces: take(altered(pieces)))

    monkeypatch.setattr(met.link, "snapshot", relayed)
    met.mirror._commit.state = replace(met.mirror.state, epoch="old", cursor=cursor)
    await met.mirror.refresh()
    assert met.mirror.state.epoch == epoch != "old"
    assert len(await met.store.objects("key")) == count


async def test_events_are_there_once(met: StationParts, monkeypatch: pytest.MonkeyPatch) -> None:
    await met.mirror.refresh()
    now = met.time.now()
    await met.store.commit(Change([LogEvent("key_synced", now.unix_s, 0, key=1, data={"n": n}) for n in range(150)]))
    statuses: list[str] = []
    send = met.link.send

    async def noted(events: Any) -> Any:
        results = await send(events)
        statuses.extend(result.status for result in results)
        return results

    class Killed(BaseException):
        pass

    async def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(met.link, "send", noted)
    with monkeypatch.context() as patch:
        patch.setattr(met.store, "take_answers", die)
        with pytest.raises(Killed):
            await met.outbox.drain()
    assert await met.outbox.drain() == 150
    assert statuses == ["accepted"] * 100 + ["duplicate"] * 100 + ["accepted"] * 50
    assert await met.store.pending_count() == 0


async def test_a_poisoned_event_keeps_no_other_out(met: StationParts) -> None:
    events = [LogEvent("key_synced", 1000, 0, key=1), LogEvent("Not A Type", 1000, 0), LogEvent("key_synced", 1001, 0)]
    long = LogEvent("key_synced", 1002, 0, data={"long": "x" * 5000})
    await met.store.commit(Change([*events, long]))
    assert await met.outbox.drain() == 2 + 1, "and the report of the others"
    assert await met.store.pending_count() == 0


async def test_a_batch_of_more_than_a_mebibyte(met: StationParts) -> None:
    data = {"long": "x" * 20_000}
    await met.store.commit(Change([LogEvent("key_synced", 1000, 0, data=data) for _ in range(60)]))
    await met.store.commit(Change([LogEvent("key_synced", 1000, 0, data={"n": 1})]))
    assert await met.outbox.drain() == 1 + 2, "and the reports of the others, one for each batch"
    assert await met.store.pending_count() == 0


async def test_a_body_that_is_no_json_keeps_no_other_out(met: StationParts) -> None:
    await met.store.commit(Change([LogEvent("key_synced", 1000, 0, data={"n": n}) for n in range(250)]))
    # As a fault of an earlier program, or of the disk, might have left it; central refuses the whole call with 400.
    spoil = "UPDATE outbox SET body = replace(body, '\"n\":137', '\"n\":NaN')"
    await met.store.thread.run(lambda db: db.execute(spoil).rowcount)
    assert await met.outbox.drain() == 249 + 1, "and the report of the other"
    assert await met.store.pending_count() == 0
    rows = await met.store.thread.run(lambda db: db.execute("SELECT seq, set_aside FROM outbox").fetchall())
    assert rows == [(138, "bad_request")]


async def test_a_backlog_drains_quickly(met: StationParts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await month_offline.fill(met.store, tmp_path / "station.db", BACKLOG)
    begun = time.perf_counter()
    assert await met.outbox.drain() == BACKLOG
    rate = BACKLOG / (time.perf_counter() - begun)
    with capsys.disabled():
        print(f"\noutbox: {rate:.0f} events/s to a real central server")  # noqa: T201
    assert rate > RATE_MIN
