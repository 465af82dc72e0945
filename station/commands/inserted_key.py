"""What is on a key, for commands that look at one, and the central keys that its records are verified with."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import Credentials, Settings
from drivers.emulated_key.folder import KeyFolder
from drivers.smp.reader import SmpKeyReader
from station.app import Station, identity_of, reader_settings
from station.commands.command_line import UsageError
from station.commands.status import kiosk_runs
from station.errors import StationError
from station.key.log_entries import LOG_LIMIT_BYTES
from station.ports import KeyFile, KeyLost, KeyReader, KeyRefused, KeySession
from station.records.base64url import decoded
from station.records.claims import BLOCKLIST_LIMIT_BYTES
from station.records.keys import PublicKey
from station.rules.facts import KeyClock, KeyClockState
from station.runtime import status_file

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
        """The time that a lock goes by: the key's clock, its own where the key has none; None: the key's is unset."""
        if self.clock is None:
            return None
        return int(time.time()) if self.clock.state is KeyClockState.ABSENT else self.clock.unix_s


def emulated_key_folder(path: Path) -> KeyFolder:
    """The folder of an emulated key. Raises UsageError where there is none."""
    if not path.is_dir():
        raise UsageError("no_such_folder", path=path)
    return KeyFolder(path)


def content_of_folder(folder: KeyFolder) -> KeyContent:
    """What is on an emulated key."""
    return KeyContent({file.value: content for file, content in folder.files().items()}, {}, folder.clock())


async def wait_for_key(reader: KeyReader, wait_s: float = KEY_WAIT_S) -> KeySession:
    """Wait until a key is put in. Raises KeyLost (``no_key``) when none is in time, ReaderLost."""
    try:
        return await asyncio.wait_for(reader.next_key(), wait_s)
    except TimeoutError:
        raise KeyLost("no_key", waited_s=int(wait_s)) from None


async def key_in_reader(settings: Settings) -> KeyContent:
    """Wait for a key in the reader, and read it. Raises KeyLost (``no_key`` when none answers in time), ReaderLost."""
    reader = SmpKeyReader(reader_settings(settings))
    try:
        return await read_key(await wait_for_key(reader))
    finally:
        await reader.close()


async def read_key(key: KeySession) -> KeyContent:
    """Read all that is on the key. Raises KeyLost, ReaderLost."""
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for file in KeyFile:
        try:
            files[file.value] = await key.read(file, _limit_bytes(file))
        except KeyRefused as error:
            files[file.value], refused[file.value] = b"", error.code
    try:
        clock = await key.clock()
    except KeyRefused:
        clock = None
    return KeyContent(files, refused, clock)


async def trusted_central_keys(settings: Settings, credentials: Credentials) -> tuple[PublicKey, ...]:
    """The central keys that the station trusts now; those of its enrolment where nothing newer can be found out.

    The credentials file has those of the enrolment for ever. What central has named since is in the database, which is
    the kiosk's while one runs; the kiosk then writes them to its status file.
    """
    database = settings.storage.database
    enrolled = identity_of(credentials).central_keys
    if kiosk_runs(database):
        return _keys_in_status(settings) or enrolled
    if not database.exists():
        return enrolled
    try:
        station = await Station.open(settings)
    except StationError:
        # What is wrong with the database is for those to say who need more of it.
        return enrolled
    try:
        return station.identity.central_keys
    finally:
        await station.close()


def _keys_in_status(settings: Settings) -> tuple[PublicKey, ...]:
    status = status_file.read(settings.storage.database.with_name(status_file.FILE_NAME)) or {}
    try:
        return tuple(decoded(text) for text in status["central_keys"])
    except (KeyError, TypeError, ValueError):
        return ()


def _limit_bytes(file: KeyFile) -> int:
    return LOG_LIMIT_BYTES if file is KeyFile.LOG else BLOCKLIST_LIMIT_BYTES
