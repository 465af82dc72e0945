"""What a station writes to a key beside its activation: clock, ``sync``, ``cert``, ``permit``, ``block``, ``ack``.

Nothing is written that is there already, and nothing newer is replaced by something older.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Self

import cbor2

from station.ports import KeyFile, KeyRefused, KeySession
from station.records import envelope
from station.records.claims import (
    BLOCKLIST_LIMIT_BYTES,
    RECORD_LIMIT_BYTES,
    Activation,
    Blocklist,
    Permit,
    Role,
    StationCertificate,
    Sync,
)
from station.records.envelope import verified
from station.rules.facts import KeyClock, KeyClockState, KeyKnown, PermitEntry
from station.rules.key_sync import key_clock_unset, last_sync
from station.sync.identity import Identity
from station.sync.timekeeping import Timekeeper
from station.visit.inputs import KeySeen

CHECKED = frozenset({KeyFile.PERMIT, KeyFile.CERT, KeyFile.BLOCK, KeyFile.BOXCERT})
"""What a lock needs beside ``id`` and ``act`` is checked on the key after it was written: one whose file system is full
may answer that all went well, and keep 40 bytes (zephyr#107081)."""
CLOCK_TOLERANCE_S = 2
"""A key's clock that is right to this is left alone: setting it costs a request."""


_log = logging.getLogger("station.key")


@dataclass(slots=True)
class OnKey:
    """What is known of the permit on the key of one insertion."""

    own_permit: PermitEntry | None = None
    """The verified permit on the key, where it is not the mirror's."""
    permit_read: bool = False
    permit_known: asyncio.Event = field(default_factory=asyncio.Event)
    """A PIN may be judged: the key's permit and blocklist have been read, or cannot be any more."""

    @classmethod
    def gone(cls) -> Self:
        """Of a key that is not there any more: nothing will be known of it."""
        of_none = cls()
        of_none.permit_known.set()
        return of_none

    def is_newer(self, entry: PermitEntry) -> bool:
        """Whether the key has a newer permit of the same holder."""
        own = self.own_permit
        return (
            own is not None
            and own.permit.holder == entry.permit.holder
            and (own.permit.revision > entry.permit.revision)
        )


class KeyFiles:
    """Reads and writes the files of the key of one insertion. Methods raise KeyLost, and KeyRefused where they say."""

    def __init__(self, key: KeySession, identity: Identity, time: Timekeeper) -> None:
        self._key, self._identity, self._time = key, identity, time
        self.on_key = OnKey()
        self._there: dict[KeyFile, bytes] = {}
        """What has been written or found in this insertion: it is not asked for again."""
        self._synced = False
        self._last_sync: Sync | None = None
        self._sync_read = False

    async def works_until(self, act: bytes) -> int | None:
        """The last second (Unix) at which locks believe ``act``; None when nothing on the key can be believed."""
        signers = [self._identity.claims.public_key]
        for file in (KeyFile.CERT, KeyFile.BOXCERT):
            station = verified(StationCertificate, await self.content(file), self._identity.central_keys)
            signers += [station.public_key] if station is not None else []
        activation = verified(Activation, act, signers)
        if activation is not None:
            return activation.expires
        return self._identity.activation_expires(act, await self.content(KeyFile.PERMIT))

    async def set_clock(self) -> KeyClock:
        """Set the key's clock if the station's can be trusted and the key's differs; what the key says it is then.

        Raises KeyRefused.
        """
        clock, now = await self._key.clock(), self._time.now()
        if clock.state is KeyClockState.ABSENT or now.trust is None:
            return clock
        # A clock before what central has signed last makes locks refuse the key, however little it lags.
        key_s = clock.unix_s
        if key_s is None or abs(key_s - now.unix_s) >= CLOCK_TOLERANCE_S or key_s < self._time.floor_s:
            await self._key.set_clock(self._time.now().unix_s)
            return await self._key.clock()
        return clock

    async def lost_power(self, seen: KeySeen, clock: KeyClock | None) -> bool:
        """Whether ``clock``, as it was read, counts as unset; never so for a new key."""
        last = await self.last_sync(seen)
        if last is None or clock is None or clock.state is KeyClockState.ABSENT:
            return False
        return key_clock_unset(clock.unix_s, last)

    async def last_sync(self, seen: KeySeen) -> Sync | None:
        """The ``sync`` that the key came with, as `station.rules.key_sync.last_sync`; None once it was cleared.

        Read before this station's own certificate takes the place of the one that it verifies with.
        """
        if not self._sync_read:
            files = {KeyFile.ID.value: seen.id_record}
            for file in (KeyFile.CERT, KeyFile.SYNC):
                files[file.value] = await self.content(file)
            self._last_sync, self._sync_read = last_sync(envelope, self._identity.central_keys, files), True
        return self._last_sync

    async def clear_sync(self) -> None:
        """The key is known not to qualify: no box may activate it. Raises KeyRefused."""
        self._there.pop(KeyFile.SYNC, None)
        self._last_sync, self._sync_read = None, True
        self._synced = False
        try:
            if await self._key.read(KeyFile.SYNC) == b"":
                return
        except KeyRefused as error:
            _log.warning("key.file_unreadable file=sync %s", error.code)
        await self._key.clear(KeyFile.SYNC)

    async def write_sync(self, seen: KeySeen, confirmed_at: int | None) -> None:
        """Write ``sync``, and this station's certificate, without which nobody believes it. Raises KeyRefused.

        ``confirmed_at`` moves on with every answer of central; one ``sync`` an insertion is enough. Where the key has
        met a station that central confirmed later, it says so still: a station without a network prolongs nothing,
        and takes nothing back.
        """
        last, now = await self.last_sync(seen), self._time.now()
        await self._ensure(KeyFile.CERT, self._identity.certificate)
        if confirmed_at is None or now.trust is None or self._synced:
            return
        issued = max(confirmed_at, last.issued) if last is not None and last.issued <= now.unix_s else confirmed_at
        await self._ensure(KeyFile.SYNC, self._identity.sync(seen.record.key, issued))
        self._synced = True

    async def write_box_certificate(self) -> None:
        """Write an activation box's certificate beside that of the station that wrote ``sync``. Raises KeyRefused."""
        await self._ensure(KeyFile.BOXCERT, self._identity.certificate)

    async def box_certificate(self) -> bytes:
        """The certificate that a box has left, empty without: a lock reads it too."""
        return await self.content(KeyFile.BOXCERT)

    async def certificate_of_box(self, act: bytes) -> bytes | None:
        """``boxcert``, where ``act`` was signed by its box; None: by a station, or by nobody who can be believed."""
        own, named = self._identity.claims, envelope.claimed(Activation, act)
        if named is None or (named.station == own.station and own.role is not Role.ACTIVATION_BOX):
            return None
        record = await self.box_certificate()
        box = verified(StationCertificate, record, self._identity.central_keys)
        if box is None or box.role is not Role.ACTIVATION_BOX or box.station != named.station:
            return None
        return record if verified(Activation, act, [box.public_key]) is not None else None

    async def as_locks_read_them(self, id_record: bytes, activation: bytes) -> dict[str, bytes]:
        """All that a lock looks at, by name, once ``act`` is ``activation``; the rest as it is known to be there."""
        files = {KeyFile.ID.value: id_record, KeyFile.ACT.value: activation}
        for file in (KeyFile.CERT, KeyFile.PERMIT, KeyFile.BOXCERT):
            files[file.value] = await self.content(file)
        files[KeyFile.BLOCK.value] = await self.content(KeyFile.BLOCK, BLOCKLIST_LIMIT_BYTES)
        return files

    async def read_own_permit(self, known: KeyKnown) -> None:
        """Learn what permit the key carries, unless it is the mirror's. Raises KeyRefused."""
        mirrored = known.permit
        if mirrored is None or not await self._holds(KeyFile.PERMIT, mirrored.record):
            record = await self.content(KeyFile.PERMIT)
            permit = verified(Permit, record, self._identity.central_keys)
            self.on_key.own_permit = PermitEntry(permit, record) if permit is not None else None
        self.on_key.permit_read = True

    async def write_permit(self, entry: PermitEntry) -> None:
        """The permit. Raises KeyRefused, also when the key has a newer one of the same holder."""
        if self.on_key.is_newer(entry):
            raise KeyRefused("permit_newer_on_key")
        await self._ensure(KeyFile.PERMIT, entry.record)

    async def carry_blocklist(self, ours: tuple[bytes, Blocklist] | None) -> bytes | None:
        """Give the key our blocklist; the key's, where that is newer. Raises KeyRefused."""
        if ours is not None and await self._holds(KeyFile.BLOCK, ours[0]):
            return None
        record = await self.content(KeyFile.BLOCK, BLOCKLIST_LIMIT_BYTES)
        theirs = verified(Blocklist, record, self._identity.central_keys)
        if theirs is not None and (ours is None or theirs.version > ours[1].version):
            return record
        if ours is not None:
            await self._write(KeyFile.BLOCK, ours[0])
        return None

    async def acknowledge(self, generation: int, seq: int) -> None:
        """Tell the key what its log may forget. Raises KeyRefused."""
        await self._ensure(KeyFile.ACK, cbor2.dumps([generation, seq]))

    async def _ensure(self, file: KeyFile, content: bytes) -> None:
        if not await self._holds(file, content):
            await self._write(file, content)

    async def _write(self, file: KeyFile, content: bytes) -> None:
        self._there.pop(file, None)
        await self._key.write(file, content)
        if file in CHECKED and not await self._key.holds(file, content):
            raise KeyRefused("write_differs", file=file.value)
        self._there[file] = content

    async def _holds(self, file: KeyFile, content: bytes) -> bool:
        there = self._there.get(file)
        if there is not None:
            return there == content
        if not await self._key.holds(file, content):
            return False
        self._there[file] = content
        return True

    async def content(self, file: KeyFile, limit_bytes: int = RECORD_LIMIT_BYTES) -> bytes:
        """The file; empty where it cannot be read or is larger than its records: whatever it is, it does not verify."""
        if file in self._there:
            return self._there[file]
        try:
            content = await self._key.read(file, limit_bytes)
        except KeyRefused as error:
            _log.warning("key.file_unreadable file=%s %s", file, error.code)
            return b""
        self._there[file] = content
        return content
