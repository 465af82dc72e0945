"""The driver with the real pyserial on a real pseudo-terminal, with a well-connected emulated key."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from drivers.smp import client
from drivers.smp.framing import encode_frame
from drivers.smp.key_socket import MAX_FILE_BYTES, SmpKeySocket
from station.core.facts import KeyClock, KeyClockState
from station.ports import KeyFile, KeyLost, KeyRefused, KeySocket, ReaderLost

FIRMWARES: dict[str, dict[str, Any]] = {
    "zephyr": {},
    "old": {"error_version": 1, "milliseconds": True},
    "bare": {"hashes": (), "has_status": False, "has_parameters": False, "has_close": False},
    "crc only": {"hashes": ("crc32",), "buffer_bytes": 1024},
    "old crc only": {"hashes": ("crc32",), "error_version": 1},
    "status only": {"hashes": (), "buffer_bytes": 256},
    "two fragments": {"buffer_bytes": 128, "max_request_lines": 2},
}
# Keys that lose a long request though they did not say so are in `test_bad_links`.


def test_it_is_a_key_socket() -> None:
    socket: KeySocket = SmpKeySocket("/dev/null")
    assert socket.wire_bytes == 0


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("size", [2, 60, 300, 340, 341, 1000, 4096])
async def test_what_is_written_is_read(hands: Any, firmware: str, size: int) -> None:
    key = hands.key(**FIRMWARES[firmware])
    socket, _ = await hands.inserted(key)
    content = bytes(n % 251 for n in range(size))
    assert await socket.read(KeyFile.PERMIT) == b""
    assert await socket.holds(KeyFile.PERMIT, content) is False
    await socket.write(KeyFile.PERMIT, content)
    assert key.folder.read(KeyFile.PERMIT) == content
    assert await socket.read(KeyFile.PERMIT) == content
    assert await socket.holds(KeyFile.PERMIT, content) is True
    assert await socket.holds(KeyFile.PERMIT, content[:-1] + b"?") is False
    assert await socket.holds(KeyFile.PERMIT, content + b"?") is False
    await socket.write(KeyFile.PERMIT, b"short")  # nothing of the longer one is left
    assert await socket.read(KeyFile.PERMIT) == b"short"


@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_clear(hands: Any, firmware: str) -> None:
    key = hands.key(**FIRMWARES[firmware])
    socket, _ = await hands.inserted(key)
    for _ in range(2):
        await socket.write(KeyFile.ACT, bytes(200))
        await socket.clear(KeyFile.ACT)
        assert key.folder.stored("act") == b"\x00"
        assert await socket.read(KeyFile.ACT) == b""
        assert await socket.holds(KeyFile.ACT, b"") is True
        assert await socket.holds(KeyFile.ACT, bytes(200)) is False
    await socket.write(KeyFile.ACT, b"")
    assert key.folder.stored("act") == b"\x00"


@pytest.mark.parametrize("stored", [None, b"", b"\x00", b"x"])
@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_missing_or_at_most_one_byte_is_empty(hands: Any, firmware: str, stored: bytes | None) -> None:
    key = hands.key(**FIRMWARES[firmware])
    if stored is not None:
        key.folder.store("act", stored)
    socket, _ = await hands.inserted(key)
    assert await socket.read(KeyFile.ACT) == b""
    assert await socket.holds(KeyFile.ACT, bytes(100)) is False
    assert await socket.holds(KeyFile.ACT, b"") is True


async def test_read_on_from_an_offset(hands: Any) -> None:
    key = hands.key()
    content = bytes(n % 251 for n in range(1000))
    key.folder.store("log", content)
    socket, _ = await hands.inserted(key)
    for offset in (0, 1, 340, 680, 999, 1000, 1001, 5000):
        assert await socket.read(KeyFile.LOG, 65536, offset) == content[offset:]
    key.folder.store("log", content + b"more")
    assert await socket.read(KeyFile.LOG, 65536, 1000) == b"more"


async def test_more_than_the_limit_is_refused_before_it_is_read(hands: Any) -> None:
    key = hands.key()
    key.folder.store("log", bytes(20000))
    socket, _ = await hands.inserted(key)
    before = socket.wire_bytes
    with pytest.raises(KeyRefused, match="too_large"):
        await socket.read(KeyFile.LOG, 19999)
    assert socket.wire_bytes - before < 1000
    with pytest.raises(KeyRefused, match="too_large"):
        await socket.read(KeyFile.LOG, 500, 10)
    assert await socket.read(KeyFile.LOG, 20000) == bytes(20000)
    with pytest.raises(KeyRefused, match="too_large"):
        await socket.write(KeyFile.LOG, bytes(MAX_FILE_BYTES + 1))
    assert await socket.holds(KeyFile.LOG, b"x") is False


@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_clock(hands: Any, firmware: str) -> None:
    key = hands.key(**FIRMWARES[firmware])
    socket, _ = await hands.inserted(key)
    assert await socket.clock() == KeyClock(KeyClockState.UNSET)
    await socket.set_clock(1_777_863_721)
    clock = await socket.clock()
    assert clock.state is KeyClockState.SET
    assert clock.unix_s is not None
    assert 0 <= clock.unix_s - 1_777_863_721 <= 2
    key.lose_power()
    key.press()
    assert await socket.clock() == KeyClock(KeyClockState.UNSET)


async def test_a_key_without_a_clock(hands: Any) -> None:
    socket, _ = await hands.inserted(hands.key(has_clock=False))
    assert await socket.clock() == KeyClock(KeyClockState.ABSENT)
    with pytest.raises(KeyRefused, match="not_supported"):
        await socket.set_clock(1_777_863_721)


async def test_a_full_key_refuses_and_goes_on(hands: Any) -> None:
    key = hands.key(capacity_bytes=600)
    socket, _ = await hands.inserted(key)
    with pytest.raises(KeyRefused, match="key_error") as refused:
        await socket.write(KeyFile.BLOCK, bytes(1000))
    assert refused.value.fields == {"what": "block", "group": 8, "rc": 10}
    await socket.write(KeyFile.ACT, b"an activation")
    assert await socket.read(KeyFile.ACT) == b"an activation"


@pytest.mark.parametrize(("buffer_bytes", "requests"), [(384, 12), (1024, 4), (4096, 1)])
async def test_uploads_fill_the_announced_buffer(hands: Any, buffer_bytes: int, requests: int) -> None:
    key = hands.key(buffer_bytes=buffer_bytes)
    socket, _ = await hands.inserted(key)
    sizes: list[int] = []
    handle = key.handle

    def measured(request: bytes) -> bytes | None:
        sizes.append(len(request))
        return handle(request)  # type: ignore[no-any-return]

    key.handle = measured
    await socket.write(KeyFile.BLOCK, bytes(60))
    assert len(sizes) == 1  # it fits what every key takes: nothing is asked
    await socket.write(KeyFile.BLOCK, bytes(3900))
    assert len(sizes) == 1 + 1 + requests
    assert sizes[2] == min(buffer_bytes - 4, max(sizes[2:]))
    await socket.write(KeyFile.BLOCK, bytes(3900))
    assert len(sizes) == 1 + 1 + 2 * requests  # asked once per insertion


async def test_transfers_and_presence_never_interleave(hands: Any) -> None:
    key = hands.key()
    socket, _ = await hands.inserted(key, baud=230400)
    removed = asyncio.create_task(socket.removed())
    contents = {file: bytes([n]) * 700 for n, file in enumerate((KeyFile.PERMIT, KeyFile.CERT, KeyFile.BLOCK), 1)}
    await asyncio.gather(*(socket.write(file, content) for file, content in contents.items()), socket.clock())
    read = await asyncio.gather(*(socket.read(file) for file in contents))
    assert read == list(contents.values())
    assert {file: key.folder.read(file) for file in contents} == contents
    assert not removed.done()
    removed.cancel()


async def test_a_cancelled_transfer_leaves_the_wire_usable(hands: Any, until: Any) -> None:
    key = hands.key()
    socket, _ = await hands.inserted(key, baud=115200)
    for _ in range(3):
        writing = asyncio.create_task(socket.write(KeyFile.PERMIT, bytes(1000)))
        await until(lambda: key.has_open_file)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await socket.write(KeyFile.PERMIT, b"p" * 700)
        assert await socket.read(KeyFile.PERMIT) == b"p" * 700


async def test_insertion_is_seen_within_a_quarter_of_a_second(hands: Any, until: Any) -> None:
    line, socket = hands.line(), hands.socket()
    waiting = asyncio.create_task(socket.inserted())
    await until(lambda: line.wire_bytes > 60)
    assert not waiting.done()
    line.insert(hands.key())
    await asyncio.wait_for(waiting, 0.35)


async def test_a_sleeping_key_is_no_key_until_it_is_pressed(hands: Any, until: Any) -> None:
    key = hands.key(pressed=False)
    line, socket = hands.line(key=key), hands.socket()
    waiting = asyncio.create_task(socket.inserted())
    await until(lambda: line.wire_bytes > 60)
    assert not waiting.done()
    key.press()
    await asyncio.wait_for(waiting, 1)


async def test_removal_is_seen_and_the_next_key_too(hands: Any) -> None:
    first, second = hands.key("first"), hands.key("second")
    second.folder.store("id", b"second")
    socket, line = await hands.inserted(first)
    removed = asyncio.create_task(socket.removed())
    assert await socket.read(KeyFile.ID) == b""
    await asyncio.wait({removed}, timeout=0.6)
    assert not removed.done()  # it is asked, and answers, while nobody transfers anything
    line.pull()
    await asyncio.wait_for(removed, 1.5)
    with pytest.raises(KeyLost, match="not_inserted"):
        await socket.read(KeyFile.ID)
    line.insert(second)
    await asyncio.wait_for(socket.inserted(), 1)
    assert await socket.read(KeyFile.ID) == b"second"


async def test_removed_returns_at_once_when_there_is_no_key(hands: Any) -> None:
    hands.line()
    await asyncio.wait_for(hands.socket().removed(), 0.1)


async def test_a_missing_port_and_its_coming(hands: Any) -> None:
    socket = hands.socket()
    for _ in range(2):
        with pytest.raises(ReaderLost, match="port_missing"):
            await socket.inserted()
    hands.line(key=hands.key())
    await asyncio.wait_for(socket.inserted(), 1)


async def test_a_port_that_is_taken(hands: Any) -> None:
    await hands.inserted(hands.key())
    with pytest.raises(ReaderLost, match="port_busy"):
        await hands.socket().inserted()


@pytest.mark.parametrize("port", ["rfc2217://localhost:1", "nonsense://", "loop://"])
async def test_what_is_no_port(port: str) -> None:
    socket = SmpKeySocket(port)
    with pytest.raises(ReaderLost, match="port_"):
        await socket.inserted()
    await socket.close()


async def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReaderLost, match="port_unusable"):
        await SmpKeySocket(str(tmp_path / "file")).inserted()


async def test_over_a_network_socket(hands: Any) -> None:
    key = hands.key()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(key.receive(data))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    socket = SmpKeySocket(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await asyncio.wait_for(socket.inserted(), 5)
    await socket.write(KeyFile.PERMIT, bytes(1000))
    assert await socket.read(KeyFile.PERMIT) == bytes(1000)
    await socket.close()
    server.close()
    await server.wait_closed()


async def test_close_ends_all_waiting(hands: Any) -> None:
    socket, _ = await hands.inserted(hands.key())
    removed = asyncio.create_task(socket.removed())
    await asyncio.sleep(0)
    await socket.close()
    with pytest.raises(ReaderLost, match="closed"):
        await asyncio.wait_for(removed, 1)
    with pytest.raises(ReaderLost, match="closed"):
        await socket.inserted()
    with pytest.raises(KeyLost):
        await socket.read(KeyFile.ID)
    assert socket.wire_bytes > 0


async def test_the_next_request_is_made_while_the_key_answers_and_is_sent_as_it_was_made(
    hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = hands.key()
    socket, _ = await hands.inserted(key)
    made: list[bytes] = []

    def noted(message: bytes) -> bytes:
        made.append(message)
        return encode_frame(message)

    monkeypatch.setattr(client, "encode_frame", noted)
    await socket.write(KeyFile.PERMIT, bytes(900))
    assert await socket.read(KeyFile.PERMIT) == bytes(900)
    # The buffer, three pieces, what reads it from the beginning and from 340 on, and one that there was no need for.
    assert len(made) == 1 + 3 + 3 + 1
    assert len({message[6] for message in made}) == len(made), "two requests with one number"


async def test_what_was_made_ahead_is_not_sent_for_something_else(hands: Any) -> None:
    key = hands.key()
    socket, _ = await hands.inserted(key)
    await socket.write(KeyFile.ACT, b"123")  # reading it back is at hand
    assert await socket.read(KeyFile.ID) == b""
    assert await socket.read(KeyFile.ACT) == b"123"
