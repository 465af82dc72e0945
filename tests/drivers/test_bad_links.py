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
from station.ports import KeyFile, KeyLost, KeyRefused, ReaderLost
from tests.drivers.conftest import BadLine


def one_by_one(answer: bytes) -> list[bytes]:
    return [answer[n : n + 1] for n in range(len(answer))]


def whole(answer: bytes) -> list[bytes]:
    return [answer]


async def test_one_byte_at_a_time(hands: Any, bad_line: Any) -> None:
    bad_line(hands.key(), one_by_one)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    await socket.write(KeyFile.PERMIT, bytes(500))
    assert await socket.read(KeyFile.PERMIT) == bytes(500)


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
async def test_any_lost_answer_ends_the_insertion(
    hands: Any, bad_line: Any, monkeypatch: Any, mangle: Any, action: str
) -> None:
    monkeypatch.setattr("drivers.smp.key_socket.ANSWER_TIMEOUT_S", 0.06)
    monkeypatch.setattr("drivers.smp.key_socket.FLASH_TIMEOUT_S", 0.06)
    line = bad_line(hands.key(), whole)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    removed = asyncio.create_task(socket.removed())
    await asyncio.sleep(0)
    line.mangle = mangle
    arguments: dict[str, tuple[Any, ...]] = {
        "read": (KeyFile.PERMIT,),
        "holds": (KeyFile.PERMIT, bytes(100)),
        "write": (KeyFile.PERMIT, bytes(100)),
        "clock": (),
    }
    with pytest.raises(KeyLost):
        await getattr(socket, action)(*arguments[action])
    await asyncio.wait_for(removed, 0.1)
    with pytest.raises(KeyLost, match="not_inserted"):
        await socket.clear(KeyFile.ACT)
    line.mangle = whole
    await asyncio.wait_for(socket.inserted(), 1)
    await socket.write(KeyFile.PERMIT, bytes(500))
    assert await socket.read(KeyFile.PERMIT) == bytes(500)


async def test_what_waited_for_the_wire_does_not_run_in_the_next_insertion(hands: Any, bad_line: Any) -> None:
    line = bad_line(hands.key(), whole)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    line.mangle = silent
    first = asyncio.create_task(socket.read(KeyFile.ID))
    await asyncio.sleep(0)
    second = asyncio.create_task(socket.clear(KeyFile.ACT))
    again = asyncio.create_task(socket.inserted())
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [KeyLost, KeyLost]
    line.mangle = whole
    await asyncio.wait_for(again, 1)


async def test_a_single_lost_echo_is_no_removal(hands: Any, bad_line: Any, until: Any) -> None:
    line = bad_line(hands.key(), whole)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    await socket.read(KeyFile.ID)
    removed = asyncio.create_task(socket.removed())
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
    assert not removed.done()
    removed.cancel()


async def test_a_lost_answer_before_the_key_has_said_which_it_is_is_one(hands: Any, bad_line: Any) -> None:
    line = bad_line(hands.key(), whole)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    line.mangle = silent
    await asyncio.wait_for(socket.removed(), 0.25 + 10 * 0.2)


async def test_late_answers_are_dropped(hands: Any, until: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the id")
    key.folder.store("cert", b"the certificate")
    socket, line = await hands.inserted(key)
    line.turnaround_s = 0.25
    with pytest.raises(KeyLost, match="no_answer"):
        await socket.read(KeyFile.ID)
    line.turnaround_s = 0.0
    heard = line.wire_bytes
    await asyncio.wait_for(socket.inserted(), 1)
    assert await socket.read(KeyFile.CERT) == b"the certificate"
    await until(lambda: line.wire_bytes > heard + 200)
    assert await socket.read(KeyFile.ID) == b"the id"


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
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    assert await socket.read(KeyFile.ID) == b"the id"
    await socket.write(KeyFile.CERT, bytes(500))
    assert key.folder.read(KeyFile.CERT) == bytes(500)


async def test_a_half_line_from_before_a_pull(hands: Any) -> None:
    key = hands.key()
    key.receive(b"\x06\x09AAAA")
    socket, line = await hands.inserted(key)
    assert line.wire_bytes < 70  # the first request was understood, not the second
    assert await socket.read(KeyFile.ACT) == b""


@pytest.mark.parametrize("old", [b"", b"the old permit" * 9])
async def test_pulled_in_the_middle_of_a_write_and_put_back(hands: Any, until: Any, old: bytes) -> None:
    key = hands.key(idle_close_s=0.3)
    key.folder.store("permit", old)
    socket, line = await hands.inserted(key, baud=57600)
    content = bytes(n % 251 for n in range(1500))
    await socket.clear(KeyFile.ACT)
    removed = asyncio.create_task(socket.removed())
    start = line.wire_bytes
    writing = asyncio.create_task(socket.write(KeyFile.PERMIT, content))
    await until(lambda: line.wire_bytes > start + 900)
    line.pull()
    with pytest.raises(KeyLost):
        await writing
    await asyncio.wait_for(removed, 0.1)
    await until(lambda: not key.has_open_file)
    torn = key.folder.read(KeyFile.PERMIT)
    assert 0 < len(torn) < len(content)
    assert content.startswith(torn)
    again = asyncio.create_task(socket.inserted())
    start = line.wire_bytes
    await until(lambda: line.wire_bytes > start + 30)
    line.insert(key)
    await asyncio.wait_for(again, 1)
    await socket.write(KeyFile.PERMIT, content)
    assert key.folder.read(KeyFile.PERMIT) == content
    # It was the contact, not the size of the burst: requests are as large as before.
    before = socket.wire_bytes
    await socket.write(KeyFile.PERMIT, content)
    assert socket.wire_bytes - before < 2600


@pytest.mark.parametrize("old", [b"", b"the old permit" * 9])
async def test_put_back_before_the_key_has_let_go_of_the_upload(hands: Any, until: Any, old: bytes) -> None:
    key = hands.key()
    key.folder.store("permit", old)
    socket, line = await hands.inserted(key, baud=115200)
    content = bytes(n % 251 for n in range(1500))
    writing = asyncio.create_task(socket.write(KeyFile.PERMIT, content))
    await until(lambda: key.has_open_file)
    line.pull()
    with pytest.raises(KeyLost):
        await writing
    assert key.has_open_file
    line.insert(key)
    await asyncio.wait_for(socket.inserted(), 1)
    assert await socket.holds(KeyFile.PERMIT, content) is False
    await socket.write(KeyFile.PERMIT, content)
    assert await socket.read(KeyFile.PERMIT) == content


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
    await elsewhere.close()
    line.insert(key)
    socket = hands.socket(115200)
    await asyncio.wait_for(socket.inserted(), 1)
    await socket.write(KeyFile.PERMIT, b"n" * size)
    assert await socket.read(KeyFile.PERMIT) == b"n" * size


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
    socket, line = await hands.inserted(key)
    for _ in range(losses):
        with pytest.raises(KeyLost, match="no_answer"):
            await socket.write(KeyFile.PERMIT, bytes(300))
        await asyncio.wait_for(socket.inserted(), 1)
    await socket.write(KeyFile.PERMIT, bytes(700))
    assert await socket.read(KeyFile.PERMIT) == bytes(700)
    line.insert(hands.key("another of the same make", **options))
    await asyncio.wait_for(socket.inserted(), 1)
    await socket.write(KeyFile.PERMIT, bytes(340))


async def test_a_key_with_a_small_buffer_is_asked_before_it_is_sent_more(hands: Any) -> None:
    key = hands.key(buffer_bytes=128)
    socket, _ = await hands.inserted(key)
    await socket.write(KeyFile.PERMIT, bytes(340))
    assert key.folder.read(KeyFile.PERMIT) == bytes(340)


async def test_a_file_of_megabytes_is_not_hashed_as_a_whole(hands: Any) -> None:
    key = hands.key(hash_limit_bytes=5000, capacity_bytes=6_000_000)
    record = bytes(n % 251 for n in range(700))
    key.folder.store("permit", record + bytes(5_000_000))
    socket, _ = await hands.inserted(key)
    assert await socket.holds(KeyFile.PERMIT, record) is False
    await socket.write(KeyFile.PERMIT, record)
    assert await socket.holds(KeyFile.PERMIT, record) is True


async def test_the_reader_is_unplugged_and_comes_back(hands: Any) -> None:
    key = hands.key()
    socket, line = await hands.inserted(key)
    removed = asyncio.create_task(socket.removed())
    await asyncio.sleep(0)
    line.hang_up()
    with pytest.raises(KeyLost):
        await socket.read(KeyFile.ID)
    await asyncio.wait_for(removed, 1)
    with pytest.raises(ReaderLost, match="port_missing"):
        await socket.inserted()
    line.reopen()
    await asyncio.wait_for(socket.inserted(), 1)
    await socket.write(KeyFile.ID, b"again")
    assert key.folder.read(KeyFile.ID) == b"again"


async def test_unplugged_while_it_waits_for_a_key(hands: Any, until: Any) -> None:
    line, socket = hands.line(), hands.socket()
    waiting = asyncio.create_task(socket.inserted())
    await until(lambda: line.wire_bytes > 0)
    line.hang_up()
    with pytest.raises(ReaderLost, match="port_missing"):
        await asyncio.wait_for(waiting, 1)


async def test_unplugged_while_it_is_idle(hands: Any) -> None:
    socket, line = await hands.inserted(hands.key())
    removed = asyncio.create_task(socket.removed())
    await asyncio.sleep(0)
    line.hang_up()
    await asyncio.wait_for(removed, 1)


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
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    line.mangle = nonsense
    with pytest.raises(KeyRefused):
        await socket.read(KeyFile.PERMIT)
    line.mangle = whole
    await socket.write(KeyFile.PERMIT, bytes(500))
    assert await socket.read(KeyFile.PERMIT) == bytes(500)


async def test_a_key_that_never_stops_answering_is_lost(hands: Any, bad_line: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("drivers.smp.client._MAX_ANSWER_S", 0.3)
    line = bad_line(hands.key(), whole)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
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
        await asyncio.wait_for(socket.read(KeyFile.ID), 2)
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

        client._port = Port()  # type: ignore[assignment]
        frames = [(await client.ask(download("/lfs1/id", 0), 1)).body["data"] for _ in range(3)]
        assert frames == [bytes(340)] * 3

    asyncio.run(run())


@pytest.mark.parametrize("read_before", [True, False])
async def test_a_key_swapped_between_two_looks_is_a_removal(hands: Any, *, read_before: bool) -> None:
    first, second = hands.key("first"), hands.key("second")
    first.folder.store("id", b"first key's record")
    second.folder.store("id", b"second key's record")
    socket, line = await hands.inserted(first)
    removed = asyncio.create_task(socket.removed())
    if read_before:
        assert await socket.read(KeyFile.ID) == b"first key's record"
    else:
        before = line.wire_bytes
        while line.wire_bytes == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    line.insert(second)
    await asyncio.wait_for(removed, 2)
    with pytest.raises(KeyLost):
        await socket.read(KeyFile.ID)
    await asyncio.wait_for(socket.inserted(), 2)
    assert await socket.read(KeyFile.ID) == b"second key's record"


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
