"""Switching a key off: what everybody who does it holds for certain, whoever they are.

What counts is what is read back. A key without any ``id`` may keep its files in another folder, ``act`` among them, and
open locks with it, and then an empty ``act`` says nothing: one that has the folder takes an empty ``act``.
"""

import logging

from station.ports import KeyFile, KeyRefused, KeySession

_log = logging.getLogger("station.key")


async def activation_on(session: KeySession) -> bytes | None:
    """The activation; None where something is there that cannot be read: that is cleared like any other.

    Raises KeyLost, as the others here.
    """
    try:
        return await session.read(KeyFile.ACT)
    except KeyRefused as error:
        _log.warning("key.act_unreadable %s", error)
        return None


async def id_on(session: KeySession) -> bytes:
    """What the key says it is; nothing where there is nothing to be read."""
    return await id_if_readable(session) or b""


async def id_if_readable(session: KeySession) -> bytes | None:
    """What the key says it is; None where something is there that cannot be read: such a key is not blank."""
    try:
        return await session.read(KeyFile.ID)
    except KeyRefused as error:
        _log.warning("key.id_unreadable %s", error)
        return None


async def cleared(session: KeySession) -> bool:
    """Clear ``act``, whatever the key says to that; whether it is empty then."""
    await _takes_empty_act(session)
    return await activation_on(session) == b""


async def has_the_folder(session: KeySession, id_record: bytes) -> bool:
    """Whether it is certain that an ``act`` that reads as empty is the one that locks read."""
    return bool(id_record) or await _takes_empty_act(session)


async def _takes_empty_act(session: KeySession) -> bool:
    try:
        await session.clear(KeyFile.ACT)
    except KeyRefused as error:
        _log.error("key.not_cleared %s", error)
        return False
    return True
