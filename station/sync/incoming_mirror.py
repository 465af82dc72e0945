"""A snapshot as it comes in: from central's answer to the disk, beside the mirror in use, without ever being in memory.

Nothing of it counts before the head agrees with all of it. What central has signed in that head bounds how much is
taken: so many objects, and so many bytes for them. Before the head is verified only central's own keys are looked at.
"""

import asyncio
from typing import Any

from station.errors import StationError
from station.ports import MirrorObject, Store
from station.records.base64url import decoded_or_nothing
from station.records.central_chain import CentralChain
from station.records.claims import CHAIN_LIMIT, Head
from station.records.mirror_digest import MirrorSum, ObjectName, name_of
from station.records.mirror_head import Call, HeadRefusal, readable_head
from station.records.strict_json import LEVELS_LIMIT, JsonRefused
from station.sync.client import Pieces
from station.sync.confirmation import CENTRAL_KEY, SITE, Received, judged, received, told_epoch
from station.sync.intake import BLOCKLIST, ObjectIntake
from station.sync.objects import record_of
from station.sync.snapshot_reader import SnapshotReader
from station.sync.went_back import Closed, closed_in

PUT_AT_ONCE = 1000
"""Objects in one transaction: a tenth of a second, for whoever waits behind it."""
MEAN_OBJECT_BYTES = 2048
"""Of all objects that the head counts; a large municipality's have 230 on average. Twice such a mirror fits into the
database's limit, however a relay has filled it up."""
FEW_OBJECTS_BYTES = 4 * 1024 * 1024
"""More than that, for a small site with much to say."""
LEVELS_AROUND = 2


class SnapshotRefused(StationError):
    """Its head is none of central's for this call; ``code`` is the `HeadRefusal`."""


class IncomingMirror:
    """`take` the answer, then ask `confirmed`. Raises JsonRefused, SnapshotRefused and StoreFault."""

    def __init__(self, store: Store, confirmed: CentralChain, call: Call, *, latest_s: int, first: bool) -> None:
        """``confirmed``: the chain of central keys so far. ``latest_s``, ``first``: see `ObjectIntake`."""
        self._store, self._call, self._latest_s, self._first = store, call, latest_s, first
        self._reader = SnapshotReader()
        self.chain = confirmed
        self.sum = MirrorSum()
        self._told_epoch: str | None = None
        self.closed: Closed = frozenset()
        """What it refuses, as received, without its blocklist."""
        self.blocklist_record: bytes | None = None
        """As received."""
        self.intake: ObjectIntake
        """Of its objects, once the head is verified."""
        self._head: Head | None = None
        self._bytes = 0
        self._links: list[Received] = []
        self._waiting: dict[ObjectName, Received] = {}
        """Objects that have come and are not on the disk yet."""

    @property
    def cursor(self) -> str:
        """Where changes go on from."""
        return self._reader.start.cursor if self._reader.start is not None else ""

    @property
    def epoch(self) -> str | None:
        """Central's. Nobody signs the one beside the objects: it is for a central whose site object says none."""
        return self._told_epoch or (self._reader.start.epoch if self._reader.start is not None else None)

    async def take(self, pieces: Pieces) -> None:
        """Take the answer's bytes in, to their end."""
        await self._store.clear_beside()
        async for piece in pieces:
            # On a thread, as whoever stands at the station must not wait for a hundred objects.
            await asyncio.to_thread(self._read, piece)
            if len(self._waiting) >= PUT_AT_ONCE and self._head is not None:
                await self._put()
        await asyncio.to_thread(self._read, b"", last=True)
        await self._put()
        names = await self.intake.contradicting(whole=True)
        for begin in range(0, len(names), PUT_AT_ONCE):
            beside = await self._store.found_beside(names[begin : begin + PUT_AT_ONCE])
            refused = {name: Received(each.received, each.text, each.hash) for name, each in beside.items()}
            await self._store.put_beside(await self.intake.not_used(refused), again=True)

    def confirmed(self, now_s: int | None) -> Head | HeadRefusal:
        """The head, if it agrees with all that has come. ``now_s``: Unix seconds of a trusted clock."""
        return judged(self._record(), self._call, self.sum, self.chain, newest_version=None, now_s=now_s)

    # --- on a thread ---

    def _read(self, piece: bytes, *, last: bool = False) -> None:
        self._bytes += len(piece)
        objects = [self._received(each) for each in self._reader.feed(piece, last=last)]
        if last and self._head is None:
            self._verify_head()
        signed = self._head.count if self._head is not None else 0
        if self._bytes > FEW_OBJECTS_BYTES + signed * MEAN_OBJECT_BYTES:
            raise JsonRefused("snapshot_too_long")
        self._take_up(objects)
        if self._head is not None and self.sum.count > signed:
            raise JsonRefused("snapshot_of_more_than_signed")

    def _received(self, each: Any) -> tuple[ObjectName, Received]:
        is_link = type(each) is dict and each.get("type") == CENTRAL_KEY
        if not is_link and self._head is None:
            self._verify_head()
        name, its = name_of(each), received(each, LEVELS_LIMIT - LEVELS_AROUND)
        if is_link:
            # One more is the last that is looked at: who sends it has no head of central's.
            if self._head is not None or len(self._links) > CHAIN_LIMIT:
                raise JsonRefused("central_key_late")
            self._links.append(its)
        return name, its

    def _verify_head(self) -> None:
        self.chain = self.chain.extended(each.body for each in self._links)
        head = readable_head(self._record(), self.chain.head_signer(), self._call)
        if isinstance(head, HeadRefusal):
            raise SnapshotRefused(head.value)
        self._head = head
        self.intake = ObjectIntake(self._store, self.chain, latest_s=self._latest_s, first=self._first)

    def _take_up(self, objects: list[tuple[ObjectName, Received]]) -> None:
        for name, each in objects:
            if name in self._waiting:
                raise JsonRefused("object_named_twice")
            self._waiting[name] = each
            if name == SITE:
                self._told_epoch = told_epoch(each.body)
            elif name == BLOCKLIST:
                self.blocklist_record = record_of(MirrorObject(*name, each.body))
        self.closed |= closed_in((MirrorObject(*name, each.body) for name, each in objects), None)
        self.sum = self.sum.changed([each.hash for _, each in objects])

    def _record(self) -> bytes:
        return decoded_or_nothing(self._reader.start.head if self._reader.start is not None else None)

    # --- on the loop ---

    async def _put(self) -> None:
        """Judge what waits, and put it beside the mirror in use."""
        waiting, self._waiting = self._waiting, {}
        if await self._store.put_beside(await self.intake.judged(waiting)) < len(waiting):
            # 65,536 copies of one lie would vanish from the sum.
            raise JsonRefused("object_named_twice")
