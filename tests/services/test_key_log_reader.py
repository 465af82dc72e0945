"""The log on a key, read by stations of real parts: nothing doubled, nothing lost, gaps told once."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from station.display.screen import Line
from station.ports import KeyFile, StoreFault
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, HER_KEY, HIS_KEY, PINS, POOL_KEY, TIM, Site, StationAt


def opened(key: HookedKey, *locks: int, holder: int | None = ANNA, time_s: int = 1_790_000_000) -> None:
    for n, lock in enumerate(locks):
        key.folder.append_log_entry(time_s=time_s + n, lock=lock, outcome="opened", holder=holder, battery_percent=70)


async def visit(site: Site, station: StationAt, key: HookedKey) -> None:
    """In, read to the end, out."""
    site.skip(60)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    await station.out()


async def log_events(*stations: StationAt) -> list[dict[str, Any]]:
    """What central would keep of all of their reports: each id once."""
    found = {}
    for station in stations:
        for event in await station.events("lock_opened", "lock_refused", "log_gap"):
            found[event["id"]] = event
    return list(found.values())


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return sorted(e["data"]["seq"] for e in events if e["type"] != "log_gap")


def gaps(events: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return sorted((e["data"]["first"], e["data"]["last"]) for e in events if e["type"] == "log_gap")


async def test_what_locks_wrote_is_reported_once_the_test_locks_entries_too(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 1, 102)
    await visit(site, station, key)
    await visit(site, station, key)
    events = await station.events("lock_opened")
    assert [(e["lock"], e["holder"], e["key"], e["data"]["seq"]) for e in events] == [
        (101, ANNA, HER_KEY, 1),
        (1, ANNA, HER_KEY, 2),
        (102, ANNA, HER_KEY, 3),
    ]
    opened(key, 103)
    await visit(site, station, key)
    assert [e["lock"] for e in await station.events("lock_opened")] == [101, 1, 102, 103]
    assert not await station.events("log_gap", "record_refused")


async def test_two_holders_of_one_pool_key(site: Site) -> None:
    station, key = await site.station(), site.key(POOL_KEY)
    opened(key, 101, holder=TIM)
    opened(key, 102, holder=99)
    await visit(site, station, key)
    assert [(e["lock"], e["holder"]) for e in await station.events("lock_opened")] == [(101, TIM), (102, 99)]


async def test_two_stations_that_read_the_same_entries_report_the_same_events(site: Site) -> None:
    first, second, key = await site.station(), await site.station(2), site.key(HER_KEY)
    opened(key, 101, 102)
    await visit(site, first, key)
    opened(key, 103)
    await visit(site, second, key)
    opened(key, 104)
    await visit(site, first, key)
    for station in (first, second):
        assert not gaps(await log_events(station))
    assert seqs(await log_events(first, second)) == [1, 2, 3, 4]
    assert seqs(await log_events(first)) == [1, 2, 3, 4]
    assert seqs(await log_events(second)) == [1, 2, 3]


async def test_a_station_that_dies_between_reading_and_sending(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102)
    await visit(site, station, key)
    await station.close()
    station.line.close()
    again = await site.station()
    await visit(site, again, key)
    assert seqs(await log_events(again)) == [1, 2]


async def test_a_disk_that_fails_while_the_log_is_read(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, *range(100, 160))
    commits = 0

    def before(name: str) -> None:
        nonlocal commits
        commits += name == "commit"
        if name == "commit" and commits == 3:
            raise StoreFault("disk_full")

    station.store.before = before
    await visit(site, station, key)
    station.store.before = lambda _: None
    await visit(site, station, key)
    assert seqs(await log_events(station)) == list(range(1, 61))


async def test_a_compacted_log_goes_on_where_it_was(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102, 103)
    await visit(site, station, key)
    kept = _entries(key)[1:]
    key.folder.store(KeyFile.LOG, cbor2.dumps(2) + b"".join(kept))
    opened(key, 104)
    await visit(site, station, key)
    events = await log_events(station)
    assert seqs(events) == [1, 2, 3, 4]
    assert not gaps(events)


async def test_a_gap_is_told_once_also_by_two_stations(site: Site) -> None:
    first, second, key = await site.station(), await site.station(2), site.key(HER_KEY)
    opened(key, 101, 102)
    await visit(site, first, key)
    await visit(site, second, key)
    opened(key, 103, 104, 105)
    key.folder.store(KeyFile.LOG, cbor2.dumps(2) + _entries(key)[-1])
    await visit(site, first, key)
    await visit(site, second, key)
    await visit(site, first, key)
    for stations in ((first,), (second,), (first, second)):
        assert gaps(await log_events(*stations)) == [(3, 4)]
    assert len(await log_events(first, second)) == 4


async def test_what_central_has_from_another_station_is_no_gap(site: Site) -> None:
    """She was last here three weeks ago; another station has read and the key has forgotten what came between."""
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102)
    await visit(site, station, key)
    opened(key, 103, 104, 105)
    key.folder.store(KeyFile.LOG, cbor2.dumps(2) + _entries(key)[-1])
    station.central_has(HER_KEY, 1, 4)
    await visit(site, station, key)
    events = await log_events(station)
    assert seqs(events) == [1, 2, 5]
    assert not gaps(events)


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 300, b"\x83\x01\x02\x03" * 80, cbor2.dumps([9, 1, 2, "opened", 3, 4, 5])]
)
async def test_garbage_in_the_middle_is_told_once_and_hides_what_follows_only_until_compacted(
    site: Site, garbage: bytes
) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102)
    whole = key.folder.stored(KeyFile.LOG) or b""
    lost = cbor2.dumps([3, 1_790_000_009, 103, "opened", ANNA, None])
    key.folder.store(KeyFile.LOG, whole + garbage + lost)
    for _ in range(2):
        await visit(site, station, key)
    assert seqs(await log_events(station)) == [1, 2]
    (refused,) = await station.events("record_refused")
    assert refused["data"]["reason"] == "log_garbage"
    assert refused["data"]["offset"] == len(whole)
    key.folder.store(KeyFile.LOG, cbor2.dumps(2) + cbor2.dumps([4, 1_790_000_010, 104, "opened", ANNA, None]))
    await visit(site, station, key)
    events = await log_events(station)
    assert seqs(events) == [1, 2, 4]
    assert gaps(events) == [(3, 3)]


@pytest.mark.parametrize("head", [b"\xff\xff\xff", cbor2.dumps("log"), cbor2.dumps(2**60) + b"\x01", b"\x00" * 70_000])
async def test_garbage_as_a_log_keeps_nobody_out(site: Site, head: bytes) -> None:
    station, key = await site.station(), site.key(HER_KEY, capacity_bytes=1_000_000)
    key.folder.store(KeyFile.LOG, head)
    await site.switch_on(station, key)
    await station.idle()
    assert site.opens(key)
    await station.out()
    await visit(site, station, key)
    assert len(await station.events("record_refused")) <= 1


async def test_a_torn_tail_is_read_when_it_is_whole(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102)
    whole = key.folder.stored(KeyFile.LOG) or b""
    key.folder.store(KeyFile.LOG, whole[:-4])
    await visit(site, station, key)
    assert seqs(await log_events(station)) == [1]
    key.folder.store(KeyFile.LOG, whole)
    await visit(site, station, key)
    assert seqs(await log_events(station)) == [1, 2]
    assert not await station.events("record_refused", "log_gap")


@pytest.mark.parametrize("count", [1, 3, 40])
async def test_a_wiped_key_whose_log_begins_anew_loses_nothing(site: Site, count: int) -> None:
    """The same generation, the same numbers, other entries: shorter, as long, and longer than what was read."""
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102, 103)
    await visit(site, station, key)
    key.folder.store(KeyFile.LOG, b"\x00")
    opened(key, *range(201, 201 + count), time_s=1_795_000_000)
    await visit(site, station, key)
    events = await log_events(station)
    assert sorted(e["lock"] for e in events) == [101, 102, 103, *range(201, 201 + count)]
    assert not gaps(events)
    opened(key, 300, time_s=1_795_500_000)
    await visit(site, station, key)
    assert len(await log_events(station)) == 3 + count + 1


async def test_an_older_generation_is_another_log(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.LOG, cbor2.dumps(9) + cbor2.dumps([700, 1, 101, "opened", ANNA, None]))
    await visit(site, station, key)
    key.folder.store(KeyFile.LOG, b"\x00")
    opened(key, 102)
    await visit(site, station, key)
    assert seqs(await log_events(station)) == [1, 700]
    assert not gaps(await log_events(station))


async def test_only_what_central_has_is_acknowledged(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101, 102, 103)
    await visit(site, station, key)
    assert key.file(KeyFile.ACK) == b""
    station.central_has(HER_KEY, 1, 2)
    await visit(site, station, key)
    assert cbor2.loads(key.file(KeyFile.ACK)) == [1, 2]
    station.central_has(HER_KEY, 1, 900)
    await visit(site, station, key)
    assert cbor2.loads(key.file(KeyFile.ACK)) == [1, 3], "not beyond what was read here"


async def test_a_nearly_full_log_may_forget_what_is_only_in_our_outbox(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY, buffer_bytes=2048)
    entry = [1, 1_790_000_000, 101, "opened", ANNA, 70]
    full = _filled(entry, 50_000)
    key.folder.store(KeyFile.LOG, full)
    count = len(_entries(key)) - 1
    await visit(site, station, key)
    assert cbor2.loads(key.file(KeyFile.ACK)) == [1, count]
    assert len(await log_events(station)) == count


async def test_a_full_log_gives_way_to_an_activation_at_once_and_is_read_on_next_time(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.LOG, _filled([1, 1_790_000_000, 101, "opened", ANNA, 70], 65_000))
    count = len(_entries(key)) - 1
    station.insert(key)
    await station.until(Line.PROMPT)
    async with asyncio.timeout(5):
        while "read log…" not in key.asked:
            await asyncio.sleep(0.005)
    began = len(key.asked)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.READY)
    since = Counter(key.asked[began:])
    assert since["read log…"] <= 1
    assert key.asked[-1].startswith("read act")
    mark = await station.store.real.log_mark(HER_KEY)
    assert mark is not None
    assert 0 < mark.seq < count
    assert seqs(await log_events(station)) == list(range(1, mark.seq + 1))
    await station.out()
    site.skip(60)
    station.insert(key)
    async with asyncio.timeout(8):
        while mark.seq < count:
            await asyncio.sleep(0.02)
            mark = await station.store.real.log_mark(HER_KEY) or mark
    assert seqs(await log_events(station)) == list(range(1, count + 1))


async def test_the_log_rests_while_a_pin_is_judged(site: Site) -> None:
    """The answer that is under way then does not stand in the way of the activation."""
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.LOG, _filled([1, 1_790_000_000, 101, "opened", ANNA, 70], 65_000))
    judge, tags = asyncio.Event(), station.station.pin_tags.tags

    async def slow(entry: Any) -> tuple[bytes, ...]:
        await judge.wait()
        return await tags(entry)

    station.station.pin_tags.tags = slow  # type: ignore[method-assign]
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.CHECKING)
    await station.idle()
    mark = await station.store.real.log_mark(HER_KEY)
    assert mark is not None
    assert mark.seq < (len(_entries(key)) - 1) / 2
    judge.set()
    await station.until(Line.READY)


async def test_a_key_pulled_while_its_log_is_read(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, *range(100, 200))
    site.skip(60)
    station.insert(key)
    await station.until(Line.PROMPT)
    async with asyncio.timeout(5):
        while key.asked.count("read log…") < 3:
            await asyncio.sleep(0.001)
    await station.out()
    await visit(site, station, key)
    assert seqs(await log_events(station)) == list(range(1, 101))


def _entries(key: HookedKey) -> list[bytes]:
    """The head, then each entry as bytes."""
    from io import BytesIO

    stream, found = BytesIO(key.folder.stored(KeyFile.LOG) or b""), []
    decoder_at = 0
    data = stream.getvalue()
    while decoder_at < len(data):
        stream.seek(decoder_at)
        decoder = cbor2.CBORDecoder(stream, read_size=1)
        decoder.decode()
        found.append(data[decoder_at : stream.tell()])
        decoder_at = stream.tell()
    return found


def _filled(entry: list[Any], size: int) -> bytes:
    log, seq = bytearray(cbor2.dumps(1)), 0
    while len(log) < size:
        seq += 1
        log += cbor2.dumps([seq, entry[1] + seq, *entry[2:]])
    return bytes(log)


def _kind() -> Any:
    from station.records.claims import KeyKind

    return KeyKind.PERSONAL


async def test_a_key_swapped_while_the_disk_is_slow_is_not_read_as_the_one_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has noticed yet that it is another key: its openings must not be told as the first one's."""
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    opened(his, 101, 102)
    honest = station.store.real.log_mark

    async def slow_mark(key: int) -> Any:
        if key == HER_KEY:
            station.line.pull()
            # Less than it takes to notice that somebody else's key is in: that it is asked for every 0.25 s.
            await asyncio.sleep(0.1)
            station.insert(his)
        return await honest(key)

    monkeypatch.setattr(station.store.real, "log_mark", slow_mark)
    station.insert(hers)
    await station.until(Line.PROMPT)
    await asyncio.wait_for(_read_by_name(station, HIS_KEY, 2), 8)
    assert {(e["key"], e["lock"]) for e in await log_events(station)} == {(HIS_KEY, 101), (HIS_KEY, 102)}


async def _read_by_name(station: StationAt, key: int, count: int) -> None:
    while len([e for e in await station.events("lock_opened") if e["key"] == key]) < count:
        await asyncio.sleep(0.01)


def answers_when(station: StationAt, go_on: asyncio.Event, seen: tuple[int, int]) -> None:
    """Central says how far it has the key's log, but not before that."""

    async def log_seen(_: int) -> tuple[int, int] | None:
        await go_on.wait()
        return seen

    station.visits._key_parts = replace(station.visits._key_parts, log_seen=log_seen)


async def test_neither_the_log_nor_a_pin_waits_for_long_for_centrals_word_on_it(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    opened(key, 101)
    answers_when(station, asyncio.Event(), (1, 1))
    await site.switch_on(station, key)
    await station.out()
    site.skip(60)
    await visit(site, station, key)
    assert seqs(await log_events(station)) == [1]
    assert not key.file(KeyFile.ACK)
