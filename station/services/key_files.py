"""What a station writes to a key beside its activation: clock, ``sync``, ``cert``, ``permit``, ``block``, ``ack``.

Nothing is written that is there already, and nothing newer is replaced by something older.
"""

import asyncio
import logging
from dataclasses import dataclass, field

import cbor2

from station.core.events import KeySeen, SyncDuty
from station.core.facts import KeyClockState, KeyKnown, PermitEntry
from station.ports import KeyFile, KeyRefused, KeySocket
from station.records.claims import BLOCKLIST_LIMIT_BYTES, Blocklist, Permit, StationCertificate, Sync
from station.records.envelope import verified
from station.services.identity import Identity
from station.services.timekeeping import Timekeeper

CLOCK_TOLERANCE_S = 2
"""A key's clock that is right to this is left alone: setting it costs a request."""
CLOCK_BEHIND_SYNC_S = 300
"""A clock so far before the key's own last synchronisation has lost power since."""

_log = logging.getLogger("station.key")


@dataclass(slots=True)
class OnKey:
    """What is known of one key in one insertion."""

    own_permit: PermitEntry | None = None
    """The verified permit on the key, where it is not the mirror's."""
    permit_read: bool = False
    permit_known: asyncio.Event = field(default_factory=asyncio.Event)
    """The permit on the key has been read, or cannot be any more: a PIN may be judged."""
    adopted: bytes | None = None
    """A newer blocklist than the station's, found on the key."""

    def is_newer(self, entry: PermitEntry) -> bool:
        """Whether the key has a newer permit of the same holder."""
        own = self.own_permit
        return (
            own is not None
            and own.permit.holder == entry.permit.holder
            and (own.permit.revision > entry.permit.revision)
        )


class KeyFiles:
    """Reads and writes a key's files through the socket, for one insertion after another."""

    def __init__(self, socket: KeySocket, identity: Identity, time: Timekeeper) -> None:
        self._socket, self._identity, self._time = socket, identity, time

    async def set_clock(self) -> None:
        """Set the key's clock if the station's can be trusted and the key's differs. Raises KeyLost."""
        now = self._time.now()
        if now.trust is None:
            return
        clock = await self._socket.clock()
        if clock.state is KeyClockState.ABSENT:
            return
        if clock.unix_s is None or abs(clock.unix_s - now.unix_s) >= CLOCK_TOLERANCE_S:
            await self._socket.set_clock(self._time.now().unix_s)

    async def lost_power(self, seen: KeySeen) -> bool:
        """Whether the key's clock is unset, or far before its own last synchronisation; never so for a new key."""
        sync, cert = await self._bytes(KeyFile.SYNC), await self._bytes(KeyFile.CERT)
        station = verified(StationCertificate, cert, self._identity.central_keys)
        last = verified(Sync, sync, [station.public_key]) if station is not None else None
        if last is None or last.key != seen.record.key:
            return False
        if seen.clock_was_unset:
            return True
        clock = await self._socket.clock()
        return clock.unix_s is not None and clock.unix_s < last.issued - CLOCK_BEHIND_SYNC_S

    async def write_sync(self, duty: SyncDuty, key: int, confirmed_at: int | None) -> None:
        """``cert`` and ``sync`` as the key deserves. Raises KeyLost, KeyRefused."""
        match duty:
            case SyncDuty.LEAVE:
                return
            case SyncDuty.CLEAR:
                if await self._socket.read(KeyFile.SYNC):
                    await self._socket.clear(KeyFile.SYNC)
            case SyncDuty.WRITE if confirmed_at is not None:
                await self._ensure(KeyFile.CERT, self._identity.certificate)
                await self._ensure(KeyFile.SYNC, self._identity.sync(key, confirmed_at))
            case SyncDuty.WRITE:
                return

    async def write_cert(self) -> None:
        """This station's certificate, without which a lock believes no activation of it."""
        await self._ensure(KeyFile.CERT, self._identity.certificate)

    async def read_own_permit(self, on_key: OnKey, known: KeyKnown) -> None:
        """Learn what permit the key carries, unless it is the mirror's."""
        mirrored = known.permit
        if mirrored is None or not await self._socket.holds(KeyFile.PERMIT, mirrored.record):
            record = await self._bytes(KeyFile.PERMIT)
            permit = verified(Permit, record, self._identity.central_keys)
            on_key.own_permit = PermitEntry(permit, record) if permit is not None else None
        on_key.permit_read = True
        on_key.permit_known.set()

    async def write_permit(self, on_key: OnKey, entry: PermitEntry) -> None:
        """The permit, unless the key has a newer one of the same holder. Raises KeyLost, KeyRefused."""
        if on_key.is_newer(entry):
            raise KeyRefused("permit_newer_on_key")
        await self._ensure(KeyFile.PERMIT, entry.record)

    async def carry_blocklist(self, on_key: OnKey, ours: tuple[bytes, Blocklist] | None) -> None:
        """Give the key our blocklist, or take the key's where that is newer. Raises KeyLost, KeyRefused."""
        if ours is not None and await self._socket.holds(KeyFile.BLOCK, ours[0]):
            return
        record = await self._bytes(KeyFile.BLOCK, BLOCKLIST_LIMIT_BYTES)
        theirs = verified(Blocklist, record, self._identity.central_keys)
        if theirs is not None and (ours is None or theirs.version > ours[1].version):
            on_key.adopted = record
        elif ours is not None:
            await self._socket.write(KeyFile.BLOCK, ours[0])

    async def acknowledge(self, generation: int, seq: int) -> None:
        """Tell the key what its log may forget. Raises KeyLost, KeyRefused."""
        await self._ensure(KeyFile.ACK, cbor2.dumps([generation, seq]))

    async def _ensure(self, file: KeyFile, content: bytes) -> None:
        if not await self._socket.holds(file, content):
            await self._socket.write(file, content)

    async def _bytes(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """The file; empty where it is larger than any record: whatever that is, it does not verify."""
        try:
            return await self._socket.read(file, limit_bytes)
        except KeyRefused as error:
            _log.warning("key.file_unreadable file=%s %s", file, error.code)
            return b""
