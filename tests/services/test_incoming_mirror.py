"""A snapshot is taken as it comes, and no more of it than central has signed; a liar fills neither disk nor memory."""

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from station.records import strict_json
from station.records.mirror_head import HeadRefusal
from station.records.strict_json import JsonRefused
from station.sync import incoming_mirror, mirror_follower, snapshot_reader
from station.sync.snapshot_reader import SnapshotReader
from tests.services.lying_central import NOW_S, Asked, LyingCentral, Reply, refusal
from tests.services.parts import Parts, eventually

SNAPSHOT = "/mirror/snapshot"
START = '{"epoch":"e","cursor":"c","head":"AA",'
GOOD = START + '"later":[{"a":1}, 2],"objects":[{"type":"area","id":1,"name":"Ö \\ud83d\\ude00"} , {"n":-12}],"end":7} '


def read(text: str | bytes, size: int) -> list[Any]:
    """In pieces of this many bytes."""
    data = text if isinstance(text, bytes) else text.encode()
    reader, objects = SnapshotReader(), []
    for begin in range(0, len(data), size):
        objects += reader.feed(data[begin : begin + size])
    return objects + reader.feed(b"", last=True)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_in_whatever_pieces_it_comes(size: int) -> None:
    assert read(GOOD, size) == json.loads(GOOD)["objects"]
    assert read(START + '"objects":[]}', size) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json_malformed"),
        ("[]", "json_malformed"),
        (GOOD[:-4], "json_malformed"),
        (GOOD + "x", "json_malformed"),
        (GOOD + "{}", "json_malformed"),
        (START + '"objects":[{}{}]}', "json_malformed"),
        (START + '"objects":[{},]}', "json_malformed"),
        (START + '"objects":{}}', "json_malformed"),
        (START + '"objects":[{"a":1,"a":2}]}', "json_name_twice"),
        (START + '"objects":[{"a":1.0}]}', "json_number"),
        (START + '"objects":[{"a":-0}]}', "json_number"),
        (START + '"objects":[NaN]}', "json_number"),
        (START + '"objects":[' + "[" * 100_000, "json_too_deep"),
        (START + '"objects":[],"objects":[]}', "json_name_twice"),
        (START + '"cursor":"d","objects":[]}', "json_name_twice"),
        (START + '"å":1,"objects":[]}', "json_name"),
        (START + "1:2}", "json_name"),
        ("{" + ",".join(f'"m{n}":1' for n in range(50)), "json_name"),
        (START[:-1] + "}", "central_answer_malformed"),
        ('{"objects":[],"epoch":"e","cursor":"c","head":"AA"}', "central_answer_malformed"),
        ('{"epoch":"e","cursor":7,"head":"AA","objects":[]}', "central_answer_malformed"),
        (b'{"epoch":"\xff', "json_malformed"),
        ("\ufeff" + GOOD, "json_malformed"),
    ],
)
@pytest.mark.parametrize("size", [5, 100_000])
def test_what_is_refused(text: str | bytes, code: str, size: int) -> None:
    with pytest.raises(JsonRefused) as raised:
        read(text, size)
    assert raised.value.code == code


@pytest.mark.parametrize("grows", ['{"a":"' + "x" * 900, "[1," * 300, '"' + "y" * 900])
def test_a_value_without_end(monkeypatch: pytest.MonkeyPatch, grows: str) -> None:
    monkeypatch.setattr(snapshot_reader, "VALUE_LIMIT_CHARACTERS", 500)
    with pytest.raises(JsonRefused, match="json_too_long"):
        read(START + '"objects":[' + grows, 10)


def test_a_byte_at_a_time_costs_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    honest = strict_json.read_at

    def counted(text: str, at: int) -> tuple[Any, int]:
        tried.append(len(text) - at)
        return honest(text, at)

    monkeypatch.setattr(snapshot_reader, "read_at", counted)
    text = START + '"objects":[{"a":"' + "x" * 20_000 + '"}]}'
    assert len(read(text, 1)) == 1
    assert sum(tried) < 5 * len(text)


# --- as a station takes it ---


async def nothing_beside(parts: Parts) -> bool:
    """Nothing lies on the disk but the mirror in use."""
    rows = await parts.store.thread.run(
        lambda db: db.execute("SELECT (SELECT count(*) FROM mirror_object) = (SELECT count(*) FROM mirror)").fetchone()
    )
    return bool(rows[0])


@pytest.fixture
async def put(synced: Parts, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects were put on the disk at a time."""
    sizes: list[int] = []
    honest = synced.store.put_beside

    async def noted(objects: Any, **how: Any) -> int:
        sizes.append(len(objects))
        return await honest(objects, **how)

    monkeypatch.setattr(synced.store, "put_beside", noted)
    return sizes


def area(number: int) -> dict[str, Any]:
    return {"type": "area", "id": number, "revision": 1, "name": "x" * 40}


def more(central: LyingCentral, count: int) -> Callable[[Asked], Reply]:
    return lambda asked: central.snapshot(asked, objects=[*central.in_scope(), *map(area, range(1000, 1000 + count))])


async def test_more_objects_than_central_has_signed(
    central: LyingCentral, synced: Parts, put: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_mirror, "PUT_AT_ONCE", 10)
    before = await synced.on_disk()
    central.lies |= {"/mirror/changes": refusal(410, "resnapshot"), SNAPSHOT: more(central, 100_000)}
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    assert not await synced.poll()
    assert await synced.reasons() == ["snapshot_of_more_than_signed"]
    assert (await synced.on_disk(), put) == (before, [])
    assert await nothing_beside(synced)


async def test_more_bytes_than_what_central_has_signed_may_need(
    central: LyingCentral, synced: Parts, put: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_mirror, "FEW_OBJECTS_BYTES", 10_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)

    def bomb(asked: Asked) -> Reply:
        body = central.snapshot(asked).body.removesuffix(b"}]}") + b',"x":"'
        packed = packer.compress(body) + b"".join(packer.compress(b"x" * 2**20) for _ in range(256)) + packer.flush()
        return Reply(200, packed, {"Content-Encoding": "gzip"})

    central.lies |= {"/mirror/changes": refusal(410, "resnapshot"), SNAPSHOT: bomb}
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    assert not await synced.poll()
    assert await synced.reasons() == ["snapshot_too_long"]
    assert await nothing_beside(synced)


@pytest.mark.parametrize("refused", [HeadRefusal.BAD_HEAD, HeadRefusal.WRONG_STATION, HeadRefusal.WRONG_NONCE])
async def test_nothing_is_taken_in_under_a_head_that_is_not_for_this_call(
    central: LyingCentral, synced: Parts, put: list[int], refused: HeadRefusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr(incoming_mirror, "received", lambda *each: looked_at.append(each))
    changes: dict[HeadRefusal, dict[str, Any]] = {
        HeadRefusal.BAD_HEAD: {"signer": LyingCentral().signing},
        HeadRefusal.WRONG_STATION: {"station": 9},
        HeadRefusal.WRONG_NONCE: {"nonce": b"n" * 16},
    }
    changed = changes[refused]
    central.lies["/mirror/changes"] = refusal(410, "resnapshot")
    central.lies[SNAPSHOT] = lambda asked: central.snapshot(asked, head=central.head(asked, **changed))
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    assert not await synced.poll()
    assert await synced.reasons() == [refused.value]
    assert (looked_at, put) == ([], [])


async def test_a_central_key_behind_other_objects(central: LyingCentral, synced: Parts) -> None:
    """By it the head would have been judged."""
    late = {"type": "central_key", "id": 1, "revision": 1, "status": "next", "record": "AA"}
    central.lies["/mirror/changes"] = refusal(410, "resnapshot")
    central.lies[SNAPSHOT] = lambda asked: central.snapshot(asked, objects=[*central.in_scope(), late])
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    assert not await synced.poll()
    assert await synced.reasons() == ["central_key_late"]


async def test_what_a_pulled_plug_left_of_a_snapshot_goes_at_the_next_start(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1000, 1050):
        central.put("area", number, name="Dalen")
    monkeypatch.setattr(incoming_mirror, "PUT_AT_ONCE", 10)
    came = asyncio.Event()
    put_beside = synced.store.put_beside

    async def stuck(objects: Any, **how: Any) -> int:
        await put_beside(objects, **how)
        came.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(synced.store, "put_beside", stuck)
    central.lies["/mirror/changes"] = refusal(410, "resnapshot")
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    before = await synced.on_disk()
    polling = asyncio.create_task(synced.mirror.poll_once())
    await came.wait()
    assert await synced.on_disk() == before
    assert not await nothing_beside(synced)
    polling.cancel()
    await asyncio.wait([polling])
    again = await synced.restarted()
    central.lies.clear()
    running = asyncio.create_task(again.mirror.run())
    await eventually(lambda: again.mirror.online)
    assert await again.on_disk() != before
    assert await nothing_beside(again)
    running.cancel()
    await asyncio.wait([running])
    await again.close()


async def test_pages_that_are_too_much_become_a_snapshot(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_follower, "GATHERED_LIMIT_BYTES", 5000)
    sent = iter(range(1000, 10_000, 50))

    def page(asked: Asked) -> Reply:
        first = next(sent)
        return central.changes(
            asked,
            upserts=[area(number) for number in range(first, first + 50)],
            more=True,
            cursor=f"c{first}",
            head=None,
        )

    central.lies["/mirror/changes"] = page
    synced.clocks.advance(mirror_follower.RESNAPSHOT_LIMIT_S)
    assert await synced.poll()
    assert central.calls("/mirror/changes") == 2, "of 100 objects"
    assert central.calls(SNAPSHOT) == 2
    assert synced.mirror.age_s() == 0
    assert synced.time.now().unix_s >= NOW_S
