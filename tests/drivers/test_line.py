import asyncio
import os
import termios
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.emulated_key.line import MAX_QUEUED_BYTES, LineFault, PacedBytes, SerialLine
from station.ports import KeyFile

BYTE_S = 10 / 115200


def test_a_byte_takes_86_8_microseconds() -> None:
    line = PacedBytes(115200)
    line.put(b"x", 5.0)
    assert line.due() == pytest.approx(5.0 + 86.8e-6, abs=1e-7)
    assert line.take(5.00008) == []
    assert line.take(5.00009) == [(line.due() or pytest.approx(5.0000868), b"x")]


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=300), st.floats(0, 0.05)), max_size=10))
def test_looking_late_delays_nothing(puts: list[tuple[bytes, float]]) -> None:
    often, seldom, now = PacedBytes(115200), PacedBytes(115200), 0.0
    seen = []
    for data, pause in puts:
        often.put(data, now)
        seldom.put(data, now)
        now += pause
        seen += often.take(now)
    seen += often.take(now + 60)
    assert seen == seldom.take(now + 60)
    assert b"".join(piece for _, piece in seen) == b"".join(data for data, _ in puts)
    ends = [0.0, *(end for end, _ in seen)]
    assert all(b - a >= len(p) * BYTE_S - 1e-9 for a, b, (_, p) in zip(ends, ends[1:], seen, strict=False))


def test_a_cut_leaves_what_had_passed() -> None:
    line = PacedBytes(115200)
    line.put(b"first\n" + b"second\n", 0.0)
    assert [piece for _, piece in line.take(9 * BYTE_S)] == [b"first\n"]
    assert line.cut(9 * BYTE_S) == b"sec"
    assert line.due() is None
    line.put(b"x", 10 * BYTE_S)
    assert line.due() == pytest.approx(11 * BYTE_S)


def test_a_sender_far_ahead_of_the_line_loses() -> None:
    line = PacedBytes(115200)
    line.put(bytes(MAX_QUEUED_BYTES + 1), 0.0)
    assert sum(len(piece) for _, piece in line.take(1e6)) == MAX_QUEUED_BYTES
    line.put(b"x", 1e6)
    assert line.due() is not None


async def test_transfers_take_the_time_of_the_wire(hands: Any) -> None:
    session, line = await hands.inserted(hands.key(), baud=115200)
    await session.write(KeyFile.PERMIT, bytes(500))  # the first of an insertion asks for the buffer
    loop = asyncio.get_running_loop()
    before, line_before, began_at = session.wire_bytes, line.wire_bytes, loop.time()
    for _ in range(3):
        await session.write(KeyFile.PERMIT, bytes(500))
        assert await session.read(KeyFile.PERMIT) == bytes(500)
    took_s = loop.time() - began_at
    wire_bytes = session.wire_bytes - before
    assert wire_bytes == line.wire_bytes - line_before
    assert wire_bytes == 3 * (882 + 882)  # of a 500-byte file with a name of 12 characters: written, read
    assert 0.99 < took_s / (wire_bytes * BYTE_S) < 1.6  # 1.01 on an idle machine


async def test_without_a_key_every_byte_vanishes(hands: Any, until: Any) -> None:
    line = hands.line()
    near = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    os.write(near, b"\x06\tanyone?\n")
    await until(lambda: line.wire_bytes == 10)
    with pytest.raises(BlockingIOError):
        os.read(near, 100)
    os.close(near)


async def test_the_link_is_replaced_and_removed_but_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.symlink_to("/dev/pts/gone")
    line = SerialLine(path)
    near = os.open(path, os.O_RDWR | os.O_NOCTTY)
    assert not termios.tcgetattr(near)[3] & termios.ECHO
    os.close(near)
    line.close()
    line.close()
    assert not path.is_symlink()
    path.write_text("precious")
    with pytest.raises(LineFault, match="link_exists"):
        SerialLine(path)
    assert path.read_text() == "precious"


async def test_closing_one_line_leaves_the_link_of_the_next(tmp_path: Path) -> None:
    first = SerialLine(tmp_path / "port")
    second = SerialLine(tmp_path / "port")
    first.close()
    assert (tmp_path / "port").exists()
    second.close()


async def test_keys_commit_what_they_have_when_the_line_is_taken_down(hands: Any, until: Any) -> None:
    key = hands.key()
    line = hands.line(key=key)
    hands.reader()
    session = await hands.next_key()
    writing = asyncio.create_task(session.write(KeyFile.BLOCK, bytes(4000)))
    await until(lambda: key.has_open_file)
    line.close()
    assert 0 < len(key.folder.read(KeyFile.BLOCK)) < 4000
    await asyncio.gather(writing, return_exceptions=True)
