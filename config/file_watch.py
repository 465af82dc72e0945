"""Notices that a file has been replaced or rewritten, and waits until whoever writes it is done.

Two ways at once: the kernel's notices (inotify) for a reaction within milliseconds, and a look every second for what
they do not tell: network shares, a folder that was itself replaced, links to elsewhere.
"""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

LOOK_EVERY_S = 1.0
"""With the rest below it, less than two seconds from a change to its examination."""
REST_S = 0.5
"""So long must a file be left alone before it counts as written. scp overwrites in place and cuts the file to its
length at the very end: until then the old file's end, with its last line, stands behind the new one's beginning."""

FileState: TypeAlias = tuple[int, ...]

_log = logging.getLogger("station.config")


class FileWatch:
    """Watches ``path``. Where nothing is, or something unreadable, that too is a state to be told of once."""

    def __init__(self, path: Path, *, look_every_s: float = LOOK_EVERY_S, rest_s: float = REST_S) -> None:
        self._path = path
        self._look_every_s, self._rest_s = look_every_s, rest_s
        self._examined: FileState | None = None
        self._notice = asyncio.Event()

    async def run(self, examine: Callable[[], Awaitable[None]]) -> None:
        """Await ``examine`` now, and after every change; for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="config-notices")
            while True:
                await self._changed()
                await examine()

    async def _changed(self) -> None:
        while True:
            self._notice.clear()
            # In a thread: a share whose server is gone makes even stat() wait.
            state = await asyncio.to_thread(_state, self._path)
            if state == self._examined:
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: before Python 3.12 it loses a cancellation that comes together with a notice.
                    async with asyncio.timeout(self._look_every_s):
                        await self._notice.wait()
                continue
            await asyncio.sleep(self._rest_s)
            if await asyncio.to_thread(_state, self._path) != state:
                continue
            self._examined = state
            return

    async def _listen(self) -> None:
        """Until the notices end; then the looks go on alone."""
        try:
            await self._pass_on_notices()
        # The package's own fault is a RuntimeError: no more inotify watches, say. Without its native part it cannot
        # be imported.
        except (OSError, RuntimeError, ImportError) as error:
            _log.warning("config.no_notices cause=%s", type(error).__name__)

    async def _pass_on_notices(self) -> None:
        # Late: it takes longer to import than the first file takes to be read.
        watchfiles = importlib.import_module("watchfiles")
        name = self._path.name

        def ours(_change: Any, path: str) -> bool:
            return Path(path).name == name

        # The folder, not the file: a rename puts another file in its place.
        folder = self._path.parent
        async for _ in watchfiles.awatch(folder, watch_filter=ours, debounce=100, step=20, recursive=False):
            self._notice.set()


def _state(path: Path) -> FileState:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    # The change time too: a copy may keep the modification time of what it was copied from.
    return (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
