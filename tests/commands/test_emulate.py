"""`station emulate` in a process of its own, with the real driver on this side."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.emulated_key.folder import KeyFolder
from drivers.smp.reader import SmpKeyReader
from drivers.smp.session import SmpKeySession
from station.ports import KeyFile, ReaderLost, ReaderSettings
from station.rules.facts import KeyClockState

ROOT = Path(__file__).parents[2]
LIMIT_S = 30.0
"""Against hanging: the other process may have to wait for a processor."""


def command(folder: Path) -> list[str]:
    key = ["--link", str(folder / "port"), "--state", str(folder / "key"), "--baud", "1000000"]
    return [sys.executable, "-m", "station", "emulate", *key]


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command(tmp_path),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def first_key(reader: SmpKeyReader) -> SmpKeySession:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await reader.next_key()
            except ReaderLost:
                await asyncio.sleep(0.05)


async def test_press_insert_pull_lose_power_and_an_end(process: Any, tmp_path: Path) -> None:
    reader = SmpKeyReader(ReaderSettings(str(tmp_path / "port"), 1_000_000))

    async def say(text: str) -> None:
        process.stdin.write(text.encode())
        await process.stdin.drain()

    session = await first_key(reader)  # it starts pressed and inserted
    await session.write(KeyFile.ACT, b"an activation")
    await session.set_clock(1_777_863_721)
    assert KeyFolder(tmp_path / "key").read(KeyFile.ACT) == b"an activation"
    assert KeyFolder(tmp_path / "key").awake

    await say("pull\n")
    await asyncio.wait_for(session.gone(), LIMIT_S)
    await say("jump\ninsert\n")
    assert b"unknown command 'jump'" in await asyncio.wait_for(process.stderr.readline(), LIMIT_S)
    session = await asyncio.wait_for(reader.next_key(), LIMIT_S)
    assert await session.read(KeyFile.ACT) == b"an activation"

    await say("lose-power\n")
    await asyncio.wait_for(session.gone(), LIMIT_S)
    await say("press\n")
    session = await asyncio.wait_for(reader.next_key(), LIMIT_S)
    assert (await session.clock()).state is KeyClockState.UNSET
    assert await session.read(KeyFile.ACT) == b"an activation"

    process.stdin.close()  # the end of its input does not end it
    await session.clear(KeyFile.ACT)
    await reader.close()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
    assert await process.stderr.read() == b""
    assert not (tmp_path / "port").is_symlink()
    assert KeyFolder(tmp_path / "key").read(KeyFile.ACT) == b""


async def test_killed_and_started_again_the_port_is_found_again(process: Any, tmp_path: Path) -> None:
    reader = SmpKeyReader(ReaderSettings(str(tmp_path / "port"), 1_000_000))
    session = await first_key(reader)
    await session.write(KeyFile.ID, b"the same key")
    process.kill()
    await asyncio.wait_for(session.gone(), LIMIT_S)
    (tmp_path / "port").unlink()  # killed, it left its link; the number behind it may already be someone else's
    with pytest.raises(ReaderLost, match="port_missing"):
        await asyncio.wait_for(reader.next_key(), LIMIT_S)
    again = await asyncio.create_subprocess_exec(
        *command(tmp_path),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    session = await first_key(reader)
    assert await session.read(KeyFile.ID) == b"the same key"
    await reader.close()
    again.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(again.wait(), LIMIT_S) == 0


async def test_it_says_what_it_is_and_what_it_has_done(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command(tmp_path), cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        assert str(tmp_path / "port") in (await process.stdout.readline()).decode()
        assert "press, insert, pull, lose-power" in (await process.stdout.readline()).decode()
        process.stdin.write(b"pull\ninsert\n")
        assert await process.stdout.readline() == b"pull: the key is out\n"
        assert await process.stdout.readline() == b"insert: the key is inserted\n"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert os.listdir(tmp_path) == ["key"]  # noqa: PTH208, nobody else works here


async def test_a_second_one_at_the_same_link_refuses(process: Any, tmp_path: Path) -> None:
    reader = SmpKeyReader(ReaderSettings(str(tmp_path / "port"), 1_000_000))
    session = await first_key(reader)
    second = await asyncio.create_subprocess_exec(*command(tmp_path), cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(second.communicate(), LIMIT_S)
    assert second.returncode == 2
    assert b"another emulated key is at that link" in said
    await session.write(KeyFile.ACT, b"still the first one's")
    process.kill()
    await process.wait()
    third = await asyncio.create_subprocess_exec(*command(tmp_path), cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    await first_key(reader)
    third.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(third.wait(), LIMIT_S) == 0
    await reader.close()
