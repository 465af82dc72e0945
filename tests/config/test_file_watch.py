"""Pushed files are noticed in whatever way they come, and not before they have come whole."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from config.file_watch import LOOK_EVERY_S, REST_S, FileWatch

NOTICED_WITHIN_S = 2.0
BUSY_S = 1.0
"""What a busy machine may add to it."""
PATIENCE_S = 20.0


class Watching:
    def __init__(self, path: Path, **options: float) -> None:
        self.path = path
        self.seen: list[bytes | None] = []
        self.task = asyncio.create_task(FileWatch(path, **options).run(self._examine))

    async def _examine(self) -> None:
        try:
            self.seen.append(self.path.read_bytes())
        except OSError:
            self.seen.append(None)

    async def until(self, seen: Callable[[], bool]) -> float:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        while not seen():
            assert loop.time() - begun_s < PATIENCE_S, self.seen
            await asyncio.sleep(0.005)
        return loop.time() - begun_s

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


def test_a_look_and_a_rest_are_less_than_two_seconds() -> None:
    assert LOOK_EVERY_S + REST_S < NOTICED_WITHIN_S


async def test_a_rename_and_a_rewrite(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_bytes(b"one")
    watching = Watching(path)
    try:
        await watching.until(lambda: watching.seen == [b"one"])
        (tmp_path / "new").write_bytes(b"two")
        (tmp_path / "new").rename(path)
        assert await watching.until(lambda: watching.seen[-1] == b"two") < NOTICED_WITHIN_S + BUSY_S
        path.write_bytes(b"six")
        assert await watching.until(lambda: watching.seen[-1] == b"six") < NOTICED_WITHIN_S + BUSY_S
        assert watching.seen == [b"one", b"two", b"six"]
    finally:
        await watching.end()


async def test_a_slow_copy_is_seen_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_bytes(b"old")
    watching = Watching(path, look_every_s=0.02, rest_s=0.3)
    try:
        await watching.until(lambda: watching.seen == [b"old"])
        with path.open("wb", buffering=0) as file:
            for letter in b"abcdefghijkl":
                file.write(bytes([letter]))
                await asyncio.sleep(0.05)
        await watching.until(lambda: len(watching.seen) > 1)
        assert watching.seen == [b"old", b"abcdefghijkl"]
    finally:
        await watching.end()


async def test_whatever_comes_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    watching = Watching(path, look_every_s=0.02, rest_s=0.02)
    try:
        await watching.until(lambda: watching.seen == [None])
        path.mkdir()
        await watching.until(lambda: watching.seen == [None, None])
        path.rmdir()
        await watching.until(lambda: len(watching.seen) == 3)
        path.symlink_to(path)
        await watching.until(lambda: len(watching.seen) == 4)
        path.unlink()
        os.mkfifo(tmp_path / "fifo")
        path.write_bytes(b"good")
        await watching.until(lambda: watching.seen[-1] == b"good")
    finally:
        await watching.end()


async def test_without_its_folder_it_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "later" / "station.toml"
    watching = Watching(path, look_every_s=0.02, rest_s=0.02)
    try:
        await watching.until(lambda: watching.seen == [None])
        path.parent.mkdir()
        path.write_bytes(b"here")
        await watching.until(lambda: watching.seen[-1] == b"here")
    finally:
        await watching.end()
