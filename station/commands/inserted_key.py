"""The key in the reader, for commands that look at one: waits for it, reads all that is on it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from drivers.emulated_key.folder import KeyFolder
from drivers.smp.key_socket import SmpKeySocket
from station.commands.command_line import UsageError
from station.core.facts import KeyClock, KeyClockState
from station.ports import KeyFile, KeyLost, KeyRefused, KeySocket
from station.records.claims import BLOCKLIST_LIMIT_BYTES
from station.services.key_log import LOG_LIMIT_BYTES

KEY_WAIT_S = 10.0
"""How long a command waits for a key."""


@dataclass(frozen=True, slots=True)
class KeyContent:
    """What is on a key: its files by name, those that it would not give with the code of why, and its clock.

    ``clock`` is None where the key answered with an error.
    """

    files: Mapping[str, bytes]
    refused: Mapping[str, str]
    clock: KeyClock | None

    def time_s(self) -> int | None:
        """What a lock goes by: the key's clock; its own where the key has none; None: the key's is unset."""
        if self.clock is None:
            return None
        return int(time.time()) if self.clock.state is KeyClockState.ABSENT else self.clock.unix_s


def socket_of(settings: Settings) -> SmpKeySocket:
    """The key reader of ``[key_reader]``."""
    reader = settings.key_reader
    return SmpKeySocket(str(reader.port), reader.baud, reader.folder)


def emulated(path: Path) -> KeyFolder:
    """An emulated key's folder. Raises UsageError where there is none."""
    if not path.is_dir():
        raise UsageError("no_such_folder", path=path)
    return KeyFolder(path)


def content_of(folder: KeyFolder) -> KeyContent:
    """What is on an emulated key."""
    return KeyContent({file.value: content for file, content in folder.files().items()}, {}, folder.clock())


async def wait_for_key(socket: KeySocket, wait_s: float = KEY_WAIT_S) -> None:
    """Return when a key answers. Raises KeyLost (``no_key``) when none does in time, ReaderLost."""
    try:
        await asyncio.wait_for(socket.inserted(), wait_s)
    except TimeoutError:
        raise KeyLost("no_key", waited_s=int(wait_s)) from None


async def key_in_reader(settings: Settings) -> KeyContent:
    """Wait for a key in the reader, and read it. Raises KeyLost (``no_key`` when none answers in time), ReaderLost."""
    socket = socket_of(settings)
    try:
        await wait_for_key(socket)
        return await read_key(socket)
    finally:
        await socket.close()


async def read_key(socket: KeySocket) -> KeyContent:
    """All that is on the key. Raises KeyLost, ReaderLost."""
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for file in KeyFile:
        try:
            files[file.value] = await socket.read(file, _limit_bytes(file))
        except KeyRefused as error:
            files[file.value], refused[file.value] = b"", error.code
    try:
        clock = await socket.clock()
    except KeyRefused:
        clock = None
    return KeyContent(files, refused, clock)


def _limit_bytes(file: KeyFile) -> int:
    return LOG_LIMIT_BYTES if file is KeyFile.LOG else BLOCKLIST_LIMIT_BYTES
