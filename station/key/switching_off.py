"""Switches keys off and does nothing else: for a program that has no database, no credentials, no station."""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum

from station.key.clearing import activation_on, cleared, has_the_folder, id_on
from station.ports import KeyLost, KeyReader, KeySession, ReaderLost

READER_AGAIN_S = 1.0

_log = logging.getLogger("station.key")


class SocketSays(Enum):
    """What is to be said of the key in the socket."""

    READER_BROKEN = "reader_broken"
    EMPTY = "empty"
    SWITCHING_OFF = "switching_off"
    OFF = "off"
    """Its activation is cleared, read back."""
    STILL_ON = "still_on"
    """It does not take that."""


async def switch_off_keys(reader: KeyReader, say: Callable[[SocketSays], None]) -> None:
    """Serve keys until cancelled."""
    while True:
        try:
            session = await _next_key(reader)
        except ReaderLost as error:
            _log.error("reader.lost %s", error)
            say(SocketSays.READER_BROKEN)
            await asyncio.sleep(READER_AGAIN_S)
            continue
        if session is None:
            say(SocketSays.EMPTY)
            continue
        say(SocketSays.SWITCHING_OFF)
        try:
            say(SocketSays.OFF if await _switched_off(session) else SocketSays.STILL_ON)
        except KeyLost as error:
            _log.info("key.lost %s", error)
        await session.gone()
        say(SocketSays.EMPTY)


async def _next_key(reader: KeyReader) -> KeySession | None:
    """The next key; None: there is none yet, in a reader that works. Raises ReaderLost."""
    try:
        async with asyncio.timeout(READER_AGAIN_S):
            return await reader.next_key()
    except TimeoutError:
        if reader.is_open:
            return None
        raise ReaderLost("port_stuck") from None


async def _switched_off(session: KeySession) -> bool:
    """Clear the activation. Raises KeyLost."""
    if await activation_on(session) != b"" and not await cleared(session):
        return False
    return await has_the_folder(session, await id_on(session))
