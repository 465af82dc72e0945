"""What a bad contact, a pulled key, a slow and a strange one do to the driver. Every fault is one thing: KeyLost."""

import asyncio
import time
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.emulated_key.key import EmulatedKey
from drivers.smp.client import SmpClient
from drivers.smp.framing import FrameReader, encode_frame
from drivers.smp.messages import HEADER, download
from station.ports import KeyFile, KeyLost, KeyRefused
from tests.drivers.conftest import BadLine


def one_by_one(answer: bytes) -> list[bytes]:
    return [answer[n : n + 1] for n in range(len(answer))]


def whole(answer: bytes) -> list[bytes]:
    return [answer]


async def test_one_byte_at_a_time(hands: Any, bad_line: Any) -> None:
    bad_line(hands.key(), one_by_one)
    session = await hands.next_key()
    await session.write(KeyFile.PERMIT, bytes(500))
    assert await session.read(KeyFile.PERMIT) == bytes(500)


def flipped(answer: bytes) -> list[bytes]:
    return [answer[:10] + bytes([answer[10] ^ 1]) + answer[11:]]


def truncated(answer: bytes) -> list[bytes]:
    return [answer[:-9] + b"\n"]


def headless(answer: bytes) -> list[bytes]:
    return [answer[7:]]


def silent(answer: bytes) -> list[bytes]:
    return []


def not_base64(answer: bytes) -> list[bytes]:
    return [answer[:5] + b"\xff\xfe\x00" + answer[8:]]


@pytest.mark.parametrize("mangle", [flipped, truncated, headless, silent, not_base64])
@pytest.mark.parametrize("action", ["read", "holds", "write", "clock"])
async def test_any_lost_answer_ends_the_session(
    hands: Any, bad_line: Any, monkeypatch: Any, mangle: Any, action: str
) -> None:
    monkeypatch.setattr("drivers.smp.session.ANSWER_TIMEOUT_S", 0.06)
    monkeypatch.setattr("drivers.smp.session.FLASH_TIMEOUT_S", 0.06)
    line = bad_line(hands.key(), whole)
    session = await hands.next_key()
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    line.mangle = mangle
    arguments: dict[str, tuple[Any, ...]] = {
        "read": (KeyFile.PERMIT,),
        "holds": (KeyFile.PERMIT, bytes(100)),
        "write": (KeyFile.PERMIT, bytes(100)),
        "clock": (),
    }
    with pytest.raises(KeyLost):
        await getattr(session, action)(*arguments[action])
    await asyncio.wait_for(gone, 0.1)
    assert session.over
    with pytest.raises(KeyLost, match="session_over"):
        await session.clear(KeyFile.ACT)
    line.mangle = whole
    session = await hands.next_key(1)
    await session.write(KeyFile.PERMIT, bytes(500))
    assert await session.read(KeyFile.PERMIT) == bytes(500)


async def test_what_waited_for_the_wire_does_not_run_in_the_next_session(hands: Any, bad_line: Any) -> None:
    key = hands.key()
    key.folder.store("act", b"an activation")
    line = bad_line(key, whole)
    session = await hands.next_key()
    line.mangle = silent
    first = asyncio.create_task(session.read(KeyFile.ID))
    await asyncio.sleep(0)
    second = asyncio.create_task(session.clear(KeyFile.ACT))
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [str(result) for result in results] == ["no_answer", "session_over"]
    line.mangle = whole
    session = await hands.next_key(1)
    assert await session.read(KeyFile.ACT) == b"an activation"


async def test_a_single_lost_echo_is_no_removal(hands: Any, bad_line: Any, until: Any) -> None:
    line = bad_line(hands.key(), whole)
    session = await hands.next_key()
    await session.read(KeyFile.ID)
    gone = asyncio.create_task(session.gone())
    lost: list[bytes] = []

    def loses_one(answer: bytes) -> list[bytes]:
        line.mangle = counts
        lost.append(answer)
        return []

    def counts(answer: bytes) -> list[bytes]:
        lost.append(answer)
        return [answer]

    line.mangle = loses_one
    await until(lambda: len(lost) >= 3)
    assert not gone.done()
    gone.cancel()


@pytest.mark.parametrize(("read_before", "misses"), [(True, 2), (False, 1)])
async def test_so_many_lost_answers_are_a_removal(hands: Any, bad_line: Any, *, read_before: bool, misses: int) -> None:
    """Before it has said which key it is, a single one: it may be another one afterwards."""
    line = bad_line(hands.key(), whole)
    session = await hands.next_key()
    if read_before:
        await session.read(KeyFile.ID)
    lost: list[bytes] = []

    def lose(answer: bytes) -> list[bytes]:
        lost.append(answer)
        return []

    line.mangle = lose
    await asyncio.wait_for(session.gone(), 2)
    assert len(lost) == misses


async def test_late_answers_are_dropped(hands: Any, until: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the id")
    key.folder.store("cert", b"the certificate")
    session, line = await hands.inserted(key)
    line.turnaround_s = 0.25
    with pytest.raises(KeyLost, match="no_answer"):
        await session.read(KeyFile.ID)
    line.turnaround_s = 0.0
    heard = line.wire_bytes
    session = await hands.next_key(1)
    assert await session.read(KeyFile.CERT) == b"the certificate"
    await until(lambda: line.wire_bytes > heard + 200)
    assert await session.read(KeyFile.ID) == b"the id"


async def test_a_late_answer_is_none_to_the_next_request_of_its_kind(hands: Any, bad_line: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the id")
    key.folder.store("cert", b"the certificate")
    line = bad_line(key, whole)
    session = await hands.next_key()
    late: list[bytes] = []

    def hold(answer: bytes) -> list[bytes]:
        late.append(answer)
        return []

    line.mangle = hold
    with pytest.raises(KeyLost, match="no_answer"):
        await session.read(KeyFile.ID)
    line.mangle = whole
    session = await hands.next_key(1)
    line.mangle = lambda answer: [*late, answer]
    assert await session.read(KeyFile.CERT) == b"the certificate"


async def test_an_answer_that_comes_twice_at_once_counts_once(
    hands: Any, bad_line: Any, caplog: pytest.LogCaptureFixture
) -> None:
    key = hands.key()
    key.folder.store("permit", bytes(500))
    bad_line(key, lambda answer: [answer + answer])
    session = await hands.next_key()
    assert await session.read(KeyFile.PERMIT) == bytes(500)
    assert not caplog.records  # where the event loop says what went wrong in it


async def test_foreign_answers_are_dropped(hands: Any, bad_line: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the id")

    def with_strangers(answer: bytes) -> list[bytes]:
        (message,) = FrameReader().feed(answer)
        assert message is not None
        first, flags, _, group, sequence, command = HEADER.unpack_from(message)
        evil = cbor2.dumps({"off": 0, "data": b"another", "len": 7, "r": "?"})
        strangers = [
            HEADER.pack(first, flags, len(evil), group, (sequence - 1) & 255, command) + evil,
            HEADER.pack(first, flags, len(evil), group ^ 8, sequence, command) + evil,
            HEADER.pack(first, flags, len(evil), group, sequence, command + 1) + evil,
            HEADER.pack(first ^ 2, flags, len(evil), group, sequence, command) + evil,
        ]
        return [b"*** console ***\n", *map(encode_frame, strangers), answer, answer]

    bad_line(key, with_strangers)
    session = await hands.next_key()
    assert await session.read(KeyFile.ID) == b"the id"
    await session.write(KeyFile.CERT, bytes(500))
    assert key.folder.read(KeyFile.CERT) == bytes(500)


async def test_a_half_line_from_before_a_pull(hands: Any) -> None:
    key = hands.key()
    key.receive(b"\x06\x09AAAA")
    session, line = await hands.inserted(key)
    assert line.wire_bytes < 70  # the first request was understood, not the second
    assert await session.read(KeyFile.ACT) == b""


@pytest.mark.parametrize("old", [b"", b"the old permit" * 9])
async def test_pulled_in_the_middle_of_a_write_and_put_back(hands: Any, until: Any, old: bytes) -> None:
    key = hands.key(idle_close_s=0.3)
    key.folder.store("permit", old)
    session, line = await hands.inserted(key, baud=57600)
    content = bytes(n % 251 for n in range(1500))
    await session.clear(KeyFile.ACT)
    gone = asyncio.create_task(session.gone())
    start = line.wire_bytes
    writing = asyncio.create_task(session.write(KeyFile.PERMIT, content))
    await until(lambda: line.wire_bytes > start + 900)
    line.pull()
    with pytest.raises(KeyLost):
        await writing
    await asyncio.wait_for(gone, 0.1)
    await until(lambda: not key.has_open_file)
    torn = key.folder.read(KeyFile.PERMIT)
    assert 0 < len(torn) < len(content)
    assert content.startswith(torn)
    again = asyncio.create_task(hands.readers[-1].next_key())
    start = line.wire_bytes
    await until(lambda: line.wire_bytes > start + 30)
    line.insert(key)
    session = await asyncio.wait_for(again, 1)
    await session.write(KeyFile.PERMIT, content)
    assert key.folder.read(KeyFile.PERMIT) == content
    # It was the contact, not the size of the burst: requests are as large as before.
    before = session.wire_bytes
    await session.write(KeyFile.PERMIT, content)
    assert session.wire_bytes - before < 2600


@pytest.mark.parametrize("old", [b"", b"the old permit" * 9])
async def test_put_back_before_the_key_has_let_go_of_the_upload(hands: Any, until: Any, old: bytes) -> None:
    key = hands.key()
    key.folder.store("permit", old)
    session, line = await hands.inserted(key, baud=115200)
    content = bytes(n % 251 for n in range(1500))
    writing = asyncio.create_task(session.write(KeyFile.PERMIT, content))
    await until(lambda: key.has_open_file)
    line.pull()
    with pytest.raises(KeyLost):
        await writing
    assert key.has_open_file
    line.insert(key)
    session = await hands.next_key(1)
    assert await session.holds(KeyFile.PERMIT, old or content) is False  # what it is about to lose
    await session.write(KeyFile.PERMIT, content)
    assert await session.read(KeyFile.PERMIT) == content


@pytest.mark.parametrize(
    ("has_close", "size", "error_version"), [(True, 300, 2), (True, 600, 2), (False, 300, 2), (True, 600, 1)]
)
@pytest.mark.parametrize("old", [b"", b"the old permit" * 9])
async def test_an_upload_that_another_station_left_open(
    hands: Any, until: Any, old: bytes, has_close: bool, size: int, error_version: int
) -> None:
    key = hands.key(has_close=has_close, error_version=error_version)
    key.folder.store("permit", old)
    elsewhere, line = await hands.inserted(key, baud=115200)
    writing = asyncio.create_task(elsewhere.write(KeyFile.PERMIT, bytes(1500)))
    await until(lambda: key.has_open_file)
    line.pull()
    with pytest.raises(KeyLost):
        await writing
    await hands.readers.pop().close()
    line.insert(key)
    hands.reader(115200)
    session = await hands.next_key(1)
    await session.write(KeyFile.PERMIT, b"n" * size)
    assert await session.read(KeyFile.PERMIT) == b"n" * size


@pytest.mark.parametrize(
    ("options", "losses"),
    [
        ({"max_request_lines": 2}, 1),
        ({"max_request_lines": 1}, 2),
        ({"max_request_lines": 1, "buffer_bytes": 128}, 0),
        ({"buffer_bytes": 128, "has_parameters": False}, 1),
    ],
)
async def test_a_key_that_cannot_take_a_long_burst(hands: Any, options: dict[str, Any], losses: int) -> None:
    key = hands.key(**options)
    session, line = await hands.inserted(key)
    for _ in range(losses):
        with pytest.raises(KeyLost, match="no_answer"):
            await session.write(KeyFile.PERMIT, bytes(300))
        session = await hands.next_key(1)
    await session.write(KeyFile.PERMIT, bytes(700))
    assert await session.read(KeyFile.PERMIT) == bytes(700)
    line.insert(hands.key("another of the same make", **options))
    session = await hands.next_key(1)
    await session.write(KeyFile.PERMIT, bytes(340))


async def test_a_key_with_a_small_buffer_is_asked_before_it_is_sent_more(hands: Any) -> None:
    key = hands.key(buffer_bytes=128)
    session, _ = await hands.inserted(key)
    await session.write(KeyFile.PERMIT, bytes(340))
    assert key.folder.read(KeyFile.PERMIT) == bytes(340)


async def test_a_file_of_megabytes_is_not_hashed_as_a_whole(hands: Any) -> None:
    key = hands.key(hash_limit_bytes=5000, capacity_bytes=6_000_000)
    record = bytes(n % 251 for n in range(700))
    key.folder.store("permit", record + bytes(5_000_000))
    session, _ = await hands.inserted(key)
    assert await session.holds(KeyFile.PERMIT, record) is False
    await session.write(KeyFile.PERMIT, record)
    assert await session.holds(KeyFile.PERMIT, record) is True


async def test_an_answer_before_the_request_is_none(hands: Any, bad_line: Any) -> None:
    def with_the_next(answer: bytes) -> list[bytes]:
        (message,) = FrameReader().feed(answer)
        assert message is not None
        first, flags, _, group, sequence, command = HEADER.unpack_from(message)
        forged = cbor2.dumps({"off": 340, "data": b"forged"})
        return [
            answer + encode_frame(HEADER.pack(first, flags, len(forged), group, (sequence + 1) & 255, command) + forged)
        ]

    key = hands.key()
    key.folder.store("permit", bytes(500))
    bad_line(key, with_the_next)
    session = await hands.next_key()
    assert await session.read(KeyFile.PERMIT) == bytes(500)


async def test_a_key_that_says_it_has_no_room_for_a_piece_and_has(hands: Any, bad_line: Any) -> None:
    def lying(answer: bytes) -> list[bytes]:
        (message,) = FrameReader().feed(answer)
        assert message is not None
        body = cbor2.loads(message[HEADER.size :])
        if "buf_size" not in body:
            return [answer]
        header = list(HEADER.unpack_from(message))
        lie = cbor2.dumps(body | {"buf_size": 44})
        header[2] = len(lie)
        return [encode_frame(HEADER.pack(*header) + lie)]

    key = hands.key()
    bad_line(key, lying)
    session = await hands.next_key()
    with pytest.raises(KeyRefused, match="buffer_too_small"):
        await session.write(KeyFile.CERT, bytes(200))
    for content in (b"\x64data\x40" + bytes(200), b"\x64data\x40" + bytes(201)):
        key.folder.store("permit", content)
        assert await session.read(KeyFile.PERMIT) == content


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"off": 0},
        {"off": 1, "data": b"xy", "len": 2},
        {"off": 0, "data": "xy", "len": 2},
        {"off": 0, "data": b"xy", "len": -2},
        {"off": 0, "data": b"xy", "len": True},
        {"off": 0, "data": b"xy"},
        {"off": 0, "data": b"xyz", "len": 2},
        {"off": 0, "data": b"", "len": 2},
        {"err": {"group": 8, "rc": 10}},
        {"rc": 1},
    ],
)
async def test_a_key_that_answers_nonsense_is_refused_not_lost(hands: Any, bad_line: Any, body: Any) -> None:
    payload = cbor2.dumps(body)

    def nonsense(answer: bytes) -> list[bytes]:
        (message,) = FrameReader().feed(answer)
        assert message is not None
        first, flags, _, group, sequence, command = HEADER.unpack_from(message)
        return [encode_frame(HEADER.pack(first, flags, len(payload), group, sequence, command) + payload)]

    key = hands.key()
    line = bad_line(key, whole)
    session = await hands.next_key()
    line.mangle = nonsense
    with pytest.raises(KeyRefused):
        await session.read(KeyFile.PERMIT)
    line.mangle = whole
    await session.write(KeyFile.PERMIT, bytes(500))
    assert await session.read(KeyFile.PERMIT) == bytes(500)


async def test_a_key_that_never_stops_answering_is_lost(hands: Any, bad_line: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("drivers.smp.client._MAX_ANSWER_S", 0.3)
    line = bad_line(hands.key(), whole)
    session = await hands.next_key()
    babbling = True

    def babble(_answer: bytes) -> list[bytes]:
        def more() -> None:
            if babbling:
                line.say(b"uart:~$ \n")
                asyncio.get_running_loop().call_later(0.02, more)

        more()
        return []

    line.mangle = babble
    with pytest.raises(KeyLost, match="no_answer"):
        await asyncio.wait_for(session.read(KeyFile.ID), 2)
    babbling = False


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_answers_in_any_pieces(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    key = EmulatedKey(tmp_path_factory.mktemp("keys") / "key")
    key.press()
    key.folder.store("id", bytes(340))

    async def run() -> None:
        client = SmpClient(115200)

        class Port:
            is_open, heard_at, wire_bytes = True, 0.0, 0

            def write(self, lines: bytes) -> None:
                answer = key.receive(lines)
                cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=9)))
                for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True):
                    asyncio.get_running_loop().call_soon(client._bytes_arrived, answer[a:b])

            def drop_unsent(self) -> None:
                pass

        client._port = Port()  # type: ignore[assignment]
        frames = [(await client.ask(download("/lfs1/id", 0), 1)).body["data"] for _ in range(3)]
        assert frames == [bytes(340)] * 3

    asyncio.run(run())


def test_a_process_that_was_held_up_gives_the_key_its_time_again(tmp_path: Path) -> None:
    """On Python's own loop: that of the other tests leaves out when it was held up."""

    async def work() -> bytes:
        key = EmulatedKey(tmp_path / "key")
        key.press()
        key.folder.store("id", b"the id")
        held: list[bytes] = []

        def hold(answer: bytes) -> list[bytes]:
            held.append(answer)
            return []

        line = BadLine(tmp_path / "port", key, hold)
        client = await SmpClient.open(str(tmp_path / "port"), 115200)
        try:
            asking = asyncio.create_task(client.ask(download("/lfs1/id", 0), 0.2))
            async with asyncio.timeout(2):
                while not held:
                    await asyncio.sleep(0.001)
            time.sleep(0.5)  # noqa: ASYNC251, as when others have the processor
            await asyncio.sleep(0.02)
            line.say(held[0])
            return bytes((await asking).body["data"])
        finally:
            client.close()
            await line.close()

    assert asyncio.run(work()) == b"the id"
