"""Handing out a key: against a one-time code, the record that central signs for it is written to the key."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station.key.clearing import activation_on, cleared
from station.ports import Json, KeyFile, KeyRefused, KeySession
from station.records.base64url import decoded
from station.records.claims import KeyRecord
from station.records.envelope import RecordError, verified, verify
from station.records.keys import PublicKey
from station.rules.facts import KeyClockState
from station.secret import Secret
from station.sync.client import CentralClient, CentralUnreachable
from station.sync.identity import Identity
from station.sync.timekeeping import Timekeeper

_log = logging.getLogger("station.key")


@dataclass(frozen=True, slots=True)
class HandOutDone:
    """The key says from now on which it is."""

    id_record: bytes
    record: KeyRecord
    written: bool
    """False: it was there already, and the answer about it lost."""
    clock_set: bool


async def hand_out(
    key: KeySession,
    code: Secret[str],
    central: CentralClient,
    identity: Identity,
    time: Timekeeper,
    *,
    answer_within_s: float,
    at_one_stroke: bool = True,
) -> HandOutDone:
    """Switch the key off, ask central whose it is by ``code``, write that and read it back, set the key's clock.

    Whatever fails before the write leaves the key as it was; ``at_one_stroke`` no write leaves a torn record, and a key
    that takes none so long at once is refused. The same station may use the same code again for its 15 minutes.
    Raises CentralUnreachable, CentralRefused, KeyRefused (``key_is_another`` too), KeyLost, ReaderLost.
    """
    # A key handed out anew may still be on. As at any insertion, it is switched off before anything else.
    if await activation_on(key) != b"" and not await cleared(key):
        raise KeyRefused("act_not_cleared")
    there = verified(KeyRecord, await _id_on(key), identity.central_keys)
    try:
        async with asyncio.timeout(answer_within_s):
            answer = await central.provision(code)
    except TimeoutError:
        raise CentralUnreachable("central_unreachable", path="/provision", cause="TimeoutError") from None
    id_record, record = _handed_out(answer, identity.central_keys)
    if there is not None and there.key != record.key:
        raise KeyRefused("key_is_another", on_key=there.key, code_is_for=record.key)
    written = not await key.holds(KeyFile.ID, id_record)
    if written:
        await (key.replace if at_one_stroke else key.write)(KeyFile.ID, id_record)
        if await key.read(KeyFile.ID) != id_record:
            raise KeyRefused("id_differs")
    return HandOutDone(id_record, record, written, await _set_clock(key, time))


async def _set_clock(key: KeySession, time: Timekeeper) -> bool:
    """Whether it is set now. Its next visit sets it otherwise: that is no reason to call it not handed out."""
    try:
        if time.now().trust is None or (await key.clock()).state is KeyClockState.ABSENT:
            return False
        await key.set_clock(time.now().unix_s)
    except KeyRefused as error:
        _log.warning("key.clock_fault %s", error)
        return False
    return True


def _handed_out(found: Mapping[str, Json], trusted_keys: Sequence[PublicKey]) -> tuple[bytes, KeyRecord]:
    """The record in central's answer, verified. Raises CentralUnreachable for an answer that is none."""
    try:
        record = decoded(str(found["record"]))
        return record, verify(KeyRecord, record, trusted_keys)
    except (KeyError, ValueError, RecordError):
        raise CentralUnreachable("central_answer_malformed", answer="Provisioned") from None


async def _id_on(key: KeySession) -> bytes:
    try:
        return await key.read(KeyFile.ID)
    except KeyRefused as error:
        if error.code == "too_large":
            return b""
        raise
