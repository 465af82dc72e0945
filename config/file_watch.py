"""Notices that a file has been replaced or rewritten, and waits until whoever writes it is done.

By looking every second: that works on network shares, through links, and where the folder itself is replaced.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

LOOK_EVERY_S = 1.0
"""With the rest below it, less than two seconds from a change to its examination."""
REST_S = 0.5
"""So long must a file be left alone before it counts as written. scp overwrites in place and cuts the file to its
length at the very end: until then the old file's end, with its last line, stands behind the new one's beginning."""

FileState: TypeAlias = tuple[int, ...]


class FileWatch:
    """Watches ``path``. Where nothing is, or something unreadable, that too is a state to be told of once."""

    def __init__(self, path: Path, *, look_every_s: float = LOOK_EVERY_S, rest_s: float = REST_S) -> None:
        self._path = path
        self._look_every_s, self._rest_s = look_every_s, rest_s
        self._examined: FileState | None = None

    async def run(self, examine: Callable[[], Awaitable[None]]) -> None:
        """Await ``examine`` now, and after every change; for ever."""
        while True:
            state = await self._look()
            if state == self._examined:
                await asyncio.sleep(self._look_every_s)
                continue
            await asyncio.sleep(self._rest_s)
            if await self._look() == state:
                self._examined = state
                await examine()

    async def _look(self) -> FileState:
        # In a thread: a share whose server is gone makes even stat() wait.
        return await asyncio.to_thread(_state, self._path)


def _state(path: Path) -> FileState:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    # The change time too: a copy may keep the modification time of what it was copied from.
    return (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
