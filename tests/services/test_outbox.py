"""Events on their way to central: in order, each once, whatever central does."""

import asyncio
import random
from collections import Counter
from itertools import accumulate
from typing import Any

import pytest

from station.ports import Change, LogEvent, StoreFault
from station.sync import outbox as outbox_module
from station.sync.answers import BATCH_LIMIT
from station.sync.client import CentralRefused, CentralUnreachable
from station.sync.outbox import FIRST_WAIT_S, LONGEST_WAIT_S, Outbox, again_s, next_batch_size
from tests.services.lying_central import Asked, LyingCentral, Reply, refusal, said
from tests.services.parts import Parts, eventually


async def add_events(parts: Parts, count: int, first: int = 0) -> None:
    events = [LogEvent("key_synced", 1000, 0, key=51, data={"n": n}) for n in range(first, first + count)]
    await parts.store.commit(Change(events))


REPORT = 1
"""Events that have been set aside are one event more."""


def received(central: LyingCentral) -> list[int]:
    return [event["data"]["n"] for event in central.events.values() if event["type"] == "key_synced"]


async def test_in_order_in_batches_compressed(central: LyingCentral, parts: Parts) -> None:
    await add_events(parts, 2 * BATCH_LIMIT + 5)
    assert await parts.outbox.drain() == 2 * BATCH_LIMIT + 5
    assert received(central) == list(range(2 * BATCH_LIMIT + 5))
    sent = [asked for asked in central.asked if asked.path == "/events"]
    assert [len(asked.json["events"]) for asked in sent] == [BATCH_LIMIT, BATCH_LIMIT, 5]
    assert {asked.headers["content-encoding"] for asked in sent} == {"gzip"}
    assert await parts.store.pending_count() == 0


async def test_an_event_that_is_rejected_is_set_aside(
    central: LyingCentral, parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    def judge(asked: Asked) -> Reply:
        results = [central.take(event) for event in asked.json["events"] if event["data"].get("n") != 1]
        bad = [
            {"id": event["id"], "status": "rejected", "reason": "no\ngood " + "x" * 500}
            for event in asked.json["events"]
            if event["data"].get("n") == 1
        ]
        return said({"results": bad + results})

    central.lies["/events"] = judge
    await add_events(parts, 3)
    assert await parts.outbox.drain() == 2 + REPORT
    assert received(central) == [0, 2]
    assert await parts.store.pending_count() == 0
    (data,) = [event["data"] for event in central.events.values() if event["type"] == "event_set_aside"]
    assert (data["count"], data["first_seq"]) == (1, 2)
    assert data["reason"].startswith("'no\\ngood x")
    assert len(data["reason"]) < 120
    (line,) = [record.getMessage() for record in caplog.records if "set_aside" in record.getMessage()]
    assert "\n" not in line
    assert len(line) < 300


@pytest.mark.parametrize("status", [413, 400])
async def test_a_batch_that_is_too_large_is_halved(central: LyingCentral, parts: Parts, status: int) -> None:
    sizes = []

    def judge(asked: Asked) -> Reply:
        events = asked.json["events"]
        sizes.append(len(events))
        if len(events) > 3 or any(event["data"].get("n") == 4 for event in events):
            return refusal(status, "too_large")
        return said({"results": [central.take(event) for event in events]})

    central.lies["/events"] = judge
    await add_events(parts, 10)
    assert await parts.outbox.drain() == 9 + REPORT
    assert received(central) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert await parts.store.pending_count() == 0
    assert len(sizes) < 20


@pytest.mark.parametrize("lie", [refusal(401, "unauthorized"), Reply(200, b"{}")])
async def test_what_is_not_the_events_fault_sets_none_aside(central: LyingCentral, parts: Parts, lie: Reply) -> None:
    central.lies["/events"] = lie
    await add_events(parts, 1)
    with pytest.raises((CentralUnreachable, CentralRefused)):
        await parts.outbox.drain()
    central.lies.clear()
    assert await parts.outbox.drain() == 1


async def test_answers_for_what_was_not_sent_settle_nothing(central: LyingCentral, parts: Parts) -> None:
    await add_events(parts, 2)
    (later,) = (await parts.store.pending(2))[1:]
    answers = [{"id": "00000000-0000-7000-8000-000000000000", "status": "accepted"}, {"id": "?", "status": "rejected"}]
    central.lies["/events"] = said({"results": answers})
    with pytest.raises(CentralUnreachable, match="central_answers_for_no_event"):
        await parts.outbox.drain()
    assert await parts.store.pending_count() == 2
    central.lies["/events"] = said({"results": []})
    with pytest.raises(CentralUnreachable):
        await parts.outbox.drain()
    # Some results missing: the others are settled, these are sent again.
    central.lies["/events"] = lambda asked: said(
        {
            "results": [
                central.take(e) for e in asked.json["events"] if e["id"] == later.id or len(asked.json["events"]) == 1
            ]
        }
    )
    assert await parts.outbox.drain() == 2
    assert sorted(received(central)) == [0, 1]


async def test_sent_and_not_settled_is_a_duplicate_after_the_restart(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_events(parts, 3)
    link = parts.link

    class Killed(BaseException):
        pass

    async def send_and_die(events: Any) -> Any:
        await type(link).send(link, events)
        raise Killed

    monkeypatch.setattr(link, "send", send_and_die)
    with pytest.raises(Killed):
        await parts.outbox.drain()
    again = await parts.restarted()
    assert await again.outbox.drain() == 3
    assert received(central) == [0, 1, 2]
    assert Counter(asked.path for asked in central.asked)["/events"] == 2
    await again.close()


async def test_it_runs_when_poked_and_loses_no_poke(central: LyingCentral, parts: Parts) -> None:
    let, sending = asyncio.Event(), asyncio.Event()

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        sending.set()
        await let.wait()
        body = said({"results": [central.take(event) for event in asked.json["events"]]}).body
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    central.lies["/events"] = slow
    await add_events(parts, 1)
    task = asyncio.create_task(parts.outbox.run())
    await sending.wait()
    await add_events(parts, 1, first=1)
    parts.outbox.wake()
    let.set()
    await eventually(lambda: received(central) == [0, 1])
    await add_events(parts, 1, first=2)
    parts.outbox.wake()
    await eventually(lambda: received(central) == [0, 1, 2])
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_it_tries_again(central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "FIRST_WAIT_S", 0.01)
    central.lies["/events"] = Reply(500)
    await add_events(parts, 1)
    task = asyncio.create_task(parts.outbox.run())
    await eventually(lambda: central.calls("/events") >= 3)
    central.lies.clear()
    await eventually(lambda: received(central) == [0])
    task.cancel()
    await asyncio.wait([task])


def test_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high)[1])
    waits = [again_s(failures, 0) for failures in [1, 2, 3, 6, 7, 2000]]
    assert waits == [2 * FIRST_WAIT_S, 4, 8, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert again_s(1, 600) == 600 + 2 * FIRST_WAIT_S, "and not all at the same moment after it"
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    assert again_s(5, 0) == 0


async def test_central_that_answers_again_is_not_kept_waiting_for(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "again_s", lambda *_: 3600.0)
    central.lies["/events"] = Reply(500)
    await add_events(parts, 1)
    running = asyncio.create_task(parts.outbox.run())
    await eventually(lambda: any(asked.path == "/events" for asked in central.asked))
    del central.lies["/events"]
    parts.outbox.wake()
    await asyncio.sleep(0)
    assert not central.events
    parts.outbox.central_answers()
    await eventually(lambda: received(central) == [0])
    running.cancel()


PROXY = Reply(413, b"<html>nginx</html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    "lie",
    [
        *(Reply(status) for status in (500, 502, 503)),
        refusal(500, "bad_request"),
        PROXY,
        Reply(400, b"<html>"),
        said(["error"], 400),
    ],
)
async def test_no_event_is_given_up_for_a_5xx_or_for_a_proxys_word(
    central: LyingCentral, parts: Parts, lie: Reply
) -> None:
    """Also not when the others are taken, and it is this one that is answered so every time."""

    def fails_over_it(asked: Asked) -> Reply:
        events = asked.json["events"]
        if any(event["data"].get("n") == 2 for event in events):
            return lie
        return said({"results": [central.take(event) for event in events]})

    central.lies["/events"] = fails_over_it
    await add_events(parts, 6)
    for _ in range(20):
        with pytest.raises((CentralUnreachable, CentralRefused)):
            await parts.outbox.drain()
    pending = [event.body["data"]["n"] for event in await parts.store.pending(10) if "n" in event.body["data"]]
    assert pending[-4:] == [2, 3, 4, 5]
    rows = await parts.store.thread.run(lambda db: db.execute("SELECT set_aside FROM outbox").fetchall())
    assert rows == [(None,)] * len(pending)
    central.lies.clear()
    await parts.outbox.drain()
    assert received(central) == list(range(6))


async def test_a_proxy_that_takes_less_than_central_gets_less(central: LyingCentral, parts: Parts) -> None:
    def small(asked: Asked) -> Reply:
        events = asked.json["events"]
        return PROXY if len(events) > 3 else said({"results": [central.take(event) for event in events]})

    central.lies["/events"] = small
    await add_events(parts, 20)
    assert await parts.outbox.drain() == 20
    assert received(central) == list(range(20))


@pytest.mark.parametrize("status", [500, 502])
async def test_a_central_that_is_ill_sets_nothing_aside(central: LyingCentral, parts: Parts, status: int) -> None:
    central.lies["/events"] = Reply(status)
    await add_events(parts, 20)
    with pytest.raises(CentralUnreachable):
        await parts.outbox.drain()
    assert await parts.store.pending_count() == 20
    assert central.calls("/events") < 10
    central.lies.clear()
    assert await parts.outbox.drain() == 20
    assert received(central) == list(range(20))


async def test_one_batch_at_a_time_is_on_the_wire_and_the_one_before_is_settled_meanwhile(
    central: LyingCentral, parts: Parts
) -> None:
    waiting: list[int] = []

    async def look(asked: Asked, writer: asyncio.StreamWriter) -> None:
        # What is in the outbox while a batch is being answered: it, and those after it.
        await eventually_pending(parts, 250 - len(central.events))
        waiting.append(await parts.store.pending_count())
        body = said({"results": [central.take(event) for event in asked.json["events"]]}).body
        writer.write(b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    central.lies["/events"] = look
    await add_events(parts, 250)
    assert await parts.outbox.drain() == 250
    assert waiting == [250, 150, 50]
    assert received(central) == list(range(250))


async def eventually_pending(parts: Parts, count: int) -> None:
    async with asyncio.timeout(10):
        while await parts.store.pending_count() != count:
            await asyncio.sleep(0.005)


async def test_a_batch_on_its_way_is_given_up_when_the_disk_fails(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_events(parts, 250)

    async def fails(*_: Any) -> None:
        raise StoreFault("disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(parts.store, "take_answers", fails)
        with pytest.raises(StoreFault):
            await parts.outbox.drain()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "batch"]
    assert await parts.outbox.drain() == 250
    assert sorted(received(central)) == list(range(250))


async def test_a_visit_goes_before_the_backlog(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "GATHER_S", 3600.0)
    monkeypatch.setattr(outbox_module, "LOOK_EVERY_S", 0.005)
    visiting = True
    looked = 0

    def somebody_is_there() -> bool:
        nonlocal looked
        looked += 1
        return visiting

    parts.outbox = Outbox(parts.link, parts.store, visiting=somebody_is_there)
    await add_events(parts, BATCH_LIMIT + 1)
    running = asyncio.create_task(parts.outbox.run())
    await eventually(lambda: looked > 3)
    assert not central.events
    visiting = False
    await eventually(lambda: len(central.events) == BATCH_LIMIT + 1)
    await eventually_pending(parts, 0)
    # In the middle of a backlog: what has been sent is settled, the rest waits.
    await add_events(parts, 2 * BATCH_LIMIT, first=1000)

    def insert_a_key(asked: Asked) -> Reply:
        nonlocal visiting
        visiting = True
        return said({"results": [central.take(event) for event in asked.json["events"]]})

    central.lies["/events"] = insert_a_key
    parts.outbox.wake()
    await eventually_pending(parts, BATCH_LIMIT)
    visiting = False
    await eventually_pending(parts, 0)
    running.cancel()
    await asyncio.wait([running])


async def test_a_key_left_in_keeps_nothing_back(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "GATHER_S", 0.01)
    monkeypatch.setattr(outbox_module, "LOOK_EVERY_S", 0.005)
    parts.outbox = Outbox(parts.link, parts.store, visiting=lambda: True)
    await add_events(parts, 2 * BATCH_LIMIT)
    running = asyncio.create_task(parts.outbox.run())
    await eventually_pending(parts, 0)
    running.cancel()
    await asyncio.wait([running])


def test_batches_are_smaller_on_a_slow_link_and_grow_again() -> None:
    sizes = list(accumulate([3, 3, 3, 3, 3, 1, 0.1, 0.1, 0.1, 0.1], next_batch_size, initial=BATCH_LIMIT))
    assert sizes == [100, 50, 25, 12, 10, 10, 10, 20, 40, 80, 100]


async def test_a_central_that_refuses_everything_is_told_so_once(central: LyingCentral, parts: Parts) -> None:
    central.lies["/events"] = lambda asked: said(
        {"results": [{"id": e["id"], "status": "rejected", "reason": "no"} for e in asked.json["events"]]}
    )
    await add_events(parts, BATCH_LIMIT + 20)
    async with asyncio.timeout(10):
        assert await parts.outbox.drain() == 0
    sent = [event for asked in central.asked for event in asked.json["events"]]
    reports = [event["data"] for event in sent if event["type"] == "event_set_aside"]
    assert [(data["count"], data["first_seq"]) for data in reports] == [(BATCH_LIMIT, 1), (20, BATCH_LIMIT + 1)]
    assert await parts.store.pending_count() == 0
