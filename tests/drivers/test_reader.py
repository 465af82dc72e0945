"""Waiting for keys: with the real pyserial on a real pseudo-terminal; keys and ports come and go, settings change."""

import asyncio
import os
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.emulated_key.line import SerialLine
from drivers.smp import port as serial_port
from drivers.smp.reader import SmpKeyReader
from station.ports import KeyFile, KeyLost, KeyReader, ReaderLost, ReaderSettings


async def test_it_is_a_key_reader() -> None:
    reader: KeyReader = SmpKeyReader(ReaderSettings("/dev/null"))
    assert reader.looked_at_s == 0
    await reader.close()


async def test_insertion_is_seen_within_a_quarter_of_a_second(hands: Any, until: Any) -> None:
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 60)
    assert not waiting.done()
    line.insert(hands.key())
    await asyncio.wait_for(waiting, 0.35)


async def test_a_sleeping_key_is_no_key_until_it_is_pressed(hands: Any, until: Any) -> None:
    key = hands.key(pressed=False)
    line, reader = hands.line(key=key), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 60)
    assert not waiting.done()
    key.press()
    await asyncio.wait_for(waiting, 1)


async def test_removal_is_seen_and_the_next_key_too(hands: Any) -> None:
    first, second = hands.key("first"), hands.key("second")
    second.folder.store("id", b"second")
    session, line = await hands.inserted(first)
    gone = asyncio.create_task(session.gone())
    assert await session.read(KeyFile.ID) == b""
    await asyncio.wait({gone}, timeout=0.6)
    assert not gone.done()  # it is asked, and answers, while nobody transfers anything
    line.pull()
    await asyncio.wait_for(gone, 1.5)
    assert session.over
    with pytest.raises(KeyLost, match="session_over"):
        await session.read(KeyFile.ID)
    line.insert(second)
    later = await hands.next_key(1)
    assert await later.read(KeyFile.ID) == b"second"
    with pytest.raises(KeyLost, match="session_over"):
        await session.read(KeyFile.ID)
    assert session.over


async def test_waiting_for_the_next_key_ends_the_session(hands: Any) -> None:
    key = hands.key()
    session, _ = await hands.inserted(key)
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    again = await hands.next_key(1)
    await asyncio.wait_for(gone, 0.1)
    assert session.over
    assert not again.over
    await again.write(KeyFile.ACT, b"an activation")
    assert key.folder.read(KeyFile.ACT) == b"an activation"


async def test_it_tells_when_it_last_looked(hands: Any, until: Any) -> None:
    loop = asyncio.get_running_loop()
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    for _ in range(2):
        now = loop.time()
        await until(lambda: reader.looked_at_s > now)  # noqa: B023, it is awaited in the loop
    line.insert(hands.key())
    gone = asyncio.create_task((await waiting).gone())
    for _ in range(2):
        now = loop.time()
        await until(lambda: reader.looked_at_s > now)  # noqa: B023, it is awaited in the loop
    gone.cancel()


# --- ports ---


async def test_a_missing_port_and_its_coming(hands: Any) -> None:
    for _ in range(2):
        with pytest.raises(ReaderLost, match="port_missing"):
            await hands.next_key()
    hands.line(key=hands.key())
    await hands.next_key(1)


async def test_a_port_that_is_taken(hands: Any) -> None:
    await hands.inserted(hands.key())
    with pytest.raises(ReaderLost, match="port_busy"):
        await hands.reader().next_key()


@pytest.mark.parametrize("port", ["rfc2217://localhost:1", "nonsense://", "loop://"])
async def test_what_is_no_port(port: str) -> None:
    reader = SmpKeyReader(ReaderSettings(port))
    with pytest.raises(ReaderLost, match="port_"):
        await reader.next_key()
    await reader.close()


async def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReaderLost, match="port_unusable"):
        await SmpKeyReader(ReaderSettings(str(tmp_path / "file"))).next_key()


async def test_over_a_network_socket(hands: Any) -> None:
    key = hands.key()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(key.receive(data))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader = SmpKeyReader(ReaderSettings(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    session = await asyncio.wait_for(reader.next_key(), 5)
    await session.write(KeyFile.PERMIT, bytes(1000))
    assert await session.read(KeyFile.PERMIT) == bytes(1000)
    await reader.close()
    server.close()
    await server.wait_closed()


async def test_the_reader_is_unplugged_and_comes_back(hands: Any) -> None:
    key = hands.key()
    session, line = await hands.inserted(key)
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    line.hang_up()
    with pytest.raises(KeyLost):
        await session.read(KeyFile.ID)
    await asyncio.wait_for(gone, 1)
    with pytest.raises(ReaderLost, match="port_missing"):
        await hands.next_key()
    line.reopen()
    session = await hands.next_key(1)
    await session.write(KeyFile.ID, b"again")
    assert key.folder.read(KeyFile.ID) == b"again"


async def test_unplugged_while_it_waits_for_a_key(hands: Any, until: Any) -> None:
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 0)
    line.hang_up()
    with pytest.raises(ReaderLost, match="port_missing"):
        await asyncio.wait_for(waiting, 1)


async def test_unplugged_while_it_is_idle(hands: Any) -> None:
    session, line = await hands.inserted(hands.key())
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    line.hang_up()
    await asyncio.wait_for(gone, 1)


async def test_close_ends_all_waiting(hands: Any) -> None:
    session, line = await hands.inserted(hands.key())
    reader = hands.readers[-1]
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    await reader.close()
    await asyncio.wait_for(gone, 1)
    with pytest.raises(KeyLost):
        await session.read(KeyFile.ID)
    with pytest.raises(ReaderLost, match="closed"):
        await reader.next_key()
    await reader.use(ReaderSettings(str(line.path)))
    with pytest.raises(ReaderLost, match="closed"):
        await reader.next_key()


async def test_who_waits_for_a_key_when_it_is_closed_hears_of_it(hands: Any, until: Any) -> None:
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 0)
    await reader.close()
    with pytest.raises(ReaderLost, match="closed"):
        await asyncio.wait_for(waiting, 1)


@contextmanager
def held_back(line: SerialLine) -> Iterator[None]:
    """The line as an adapter has it whose far side takes nothing: the kernel refuses every byte."""
    descriptor = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    try:
        termios.tcflow(descriptor, termios.TCOOFF)
        yield
        termios.tcflow(descriptor, termios.TCOON)
    finally:
        os.close(descriptor)


async def test_an_adapter_that_takes_no_byte_is_noticed(hands: Any) -> None:
    line, reader = hands.line(key=hands.key()), hands.reader()
    with held_back(line):
        # It can be opened again, which does not make it work; or not yet, where a thread still closes it.
        for reason in ("port_stuck", "port_stuck|port_busy"):
            began_at = time.monotonic()
            with pytest.raises(ReaderLost, match=reason):
                await asyncio.wait_for(reader.next_key(), 5)
            assert time.monotonic() - began_at < 5
            assert not reader.is_open
    await hands.next_key(1)
    assert reader.is_open


async def test_an_adapter_that_stops_taking_bytes_is_noticed(hands: Any) -> None:
    session, line = await hands.inserted(hands.key())
    with held_back(line):
        with pytest.raises(KeyLost):
            await session.write(KeyFile.ACT, b"an activation")
        with pytest.raises(ReaderLost, match="port_stuck"):
            await asyncio.wait_for(hands.readers[-1].next_key(), 5)


async def test_what_an_adapter_did_not_take_never_comes_to_the_next_key(hands: Any) -> None:
    first, second = hands.key("first"), hands.key("second")
    session, line = await hands.inserted(first)
    with held_back(line), pytest.raises(KeyLost):
        await session.write(KeyFile.ACT, b"an activation")
    line.insert(second)
    await hands.next_key(5)
    await asyncio.wait_for((await hands.next_key(5)).read(KeyFile.ID), 5)
    assert second.folder.read(KeyFile.ACT) is None or second.folder.read(KeyFile.ACT) == b""


async def test_an_adapter_that_hangs_while_it_is_opened(hands: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opening, go_on = threading.Event(), threading.Event()

    def hanging_open(_port: str, _baud: int) -> None:
        opening.set()
        go_on.wait(10)
        raise ReaderLost("port_missing")

    monkeypatch.setattr(serial_port, "_open_device", hanging_open)
    monkeypatch.setattr(serial_port, "OPEN_LIMIT_S", 0.1)
    try:
        with pytest.raises(ReaderLost, match="port_stuck"):
            await hands.next_key()
        assert opening.is_set()
    finally:
        go_on.set()


# --- other settings ---


@pytest.fixture
async def elsewhere(hands: Any, tmp_path: Path) -> SerialLine:
    """Another port, at another speed, with a key in it that has its files in another folder."""
    line = SerialLine(tmp_path / "other port", 500_000)
    hands.lines.append(line)
    key = hands.key("elsewhere", folder="/data")
    key.folder.store("id", b"elsewhere")
    line.insert(key)
    return line


async def test_who_waits_for_a_key_goes_on_waiting_with_other_settings(
    hands: Any, until: Any, elsewhere: SerialLine
) -> None:
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 0)
    await reader.use(ReaderSettings(str(elsewhere.path), 500_000, "/data/"))
    session = await asyncio.wait_for(waiting, 1)
    assert await session.read(KeyFile.ID) == b"elsewhere"
    hands.reader()
    line.insert(hands.key())
    await hands.next_key(1)  # it has let go of the port


async def test_other_settings_end_a_session(hands: Any, elsewhere: SerialLine) -> None:
    session, _ = await hands.inserted(hands.key())
    reader = hands.readers[-1]
    gone = asyncio.create_task(session.gone())
    await asyncio.sleep(0)
    await reader.use(ReaderSettings(str(elsewhere.path), 500_000, "/data"))
    await asyncio.wait_for(gone, 0.1)
    with pytest.raises(KeyLost, match="session_over"):
        await session.clear(KeyFile.ACT)
    session = await hands.next_key(1)
    assert await session.read(KeyFile.ID) == b"elsewhere"


@pytest.mark.parametrize("is_found", [True, False])
async def test_other_settings_while_the_port_is_being_searched(
    hands: Any, until: Any, elsewhere: SerialLine, monkeypatch: pytest.MonkeyPatch, *, is_found: bool
) -> None:
    """What is found by then is not wanted any more, nor is it missed."""
    line = hands.line(key=hands.key())
    searches, used = threading.Event(), threading.Event()

    def search(port: str) -> str:
        searches.set()
        assert used.wait(5)
        if not is_found:
            raise ReaderLost("port_missing", port=port)
        return str(line.path)

    monkeypatch.setattr("drivers.smp.port.found_port", search)
    reader = SmpKeyReader(ReaderSettings("hwgrep://reader"))
    hands.readers.append(reader)
    waiting = asyncio.create_task(reader.next_key())
    await until(searches.is_set)
    await reader.use(ReaderSettings(str(elsewhere.path), 500_000, "/data"))
    used.set()
    session = await asyncio.wait_for(waiting, 5)
    assert await session.read(KeyFile.ID) == b"elsewhere"
    hands.reader()
    await hands.next_key(1)  # it has let go of the port that it had found


async def test_other_settings_for_a_port_that_is_not_there(hands: Any, until: Any, tmp_path: Path) -> None:
    line, reader = hands.line(), hands.reader()
    waiting = asyncio.create_task(reader.next_key())
    await until(lambda: line.wire_bytes > 0)
    await reader.use(ReaderSettings(str(tmp_path / "nowhere")))
    with pytest.raises(ReaderLost, match="port_missing"):
        await asyncio.wait_for(waiting, 1)
