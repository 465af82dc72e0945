"""Keeps the mirror up to date with central: by polling and at every insertion. Nobody waits for a dead network."""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from station.errors import StationError
from station.ports import Change, Json, MirrorObject, MirrorState, NewEvent, Store, StoreFault
from station.records.claims import KeyRecord, Permit, TimeAnswer
from station.records.envelope import RecordError, verified, verify
from station.services.central_link import CentralLink, CentralRefused, CentralUnreachable, Page, Resnapshot
from station.services.identity import Identity
from station.services.mirror_objects import ObjectRefused, checked, record_of
from station.services.timekeeping import Timekeeper

TIME_AGAIN_S = 1800
"""Central's signed time is asked for again after this long, so that it stays well under the hour of `SYNCED`."""
RESNAPSHOT_AGAIN_S = 600
"""A mirror that does not come out right is fetched whole at most this often: it may be central that is wrong."""
PAGES_LIMIT = 10_000
JITTER = 0.2

_log = logging.getLogger("station.mirror")


class Mirroring:
    """Refreshes the mirror: `poke` at an insertion, `settled` after ``#``, `run` for the polling."""

    def __init__(
        self,
        link: CentralLink,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        *,
        poll_s: float,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """``changed`` is called after every refresh, whatever came of it."""
        self._link, self._store, self._time, self._identity = link, store, time, identity
        self._poll_s = poll_s
        self._changed = changed
        self._running: asyncio.Task[None] | None = None
        self._failures = 0
        self._resnapshot_at: float | None = None
        self.online = False
        self.state = MirrorState()

    async def load(self) -> None:
        """Take up what is on disk: how old the mirror is, and the floor of the clock."""
        self.state = await self._store.mirror_state()
        await self._time.load_floor(self._store)

    def age_s(self) -> int | None:
        """Seconds since central last confirmed the mirror; None: never, or nobody knows what time it is."""
        now = self._time.now()
        if self.state.confirmed_at is None or now.trust is None:
            return None
        return max(0, now.unix_s - self.state.confirmed_at)

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            self.poke()
            await self.settled(None)
            wait_s = self._poll_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 spreads load, guards nothing
            await asyncio.sleep(wait_s)

    def poke(self) -> None:
        """Ask central for news now, unless that is under way."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._refresh(), name="refresh")

    async def settled(self, deadline_s: float | None) -> None:
        """Wait for the refresh under way, at most so long; not at all when central was known to be dead."""
        if self._running is None or self._running.done():
            return
        if deadline_s is not None and self._failures:
            return
        # wait() does not cancel: a slow answer still serves the next visit.
        await asyncio.wait([self._running], timeout=deadline_s)

    async def refresh(self) -> None:
        """Bring the mirror up to date once. Raises CentralUnreachable, CentralRefused, StoreFault."""
        await self._ask_time()
        try:
            await self._follow()
        except Resnapshot:
            await self._take_snapshot()
        await self._renew_certificate()

    async def _refresh(self) -> None:
        try:
            await self.refresh()
        except (CentralUnreachable, CentralRefused, StoreFault) as error:
            self._failures += 1
            if self.online or self._failures == 1:
                _log.warning("central.lost %s", error)
                await self._tell("central_lost")
            self.online = False
        else:
            if not self.online:
                _log.info("central.back")
                await self._tell("central_back")
            self.online, self._failures = True, 0
        await self._changed()

    async def _ask_time(self) -> None:
        age_s = self._time.anchor_age_s()
        if age_s is not None and age_s < TIME_AGAIN_S and self._time.now().trust is not None:
            return
        nonce = os.urandom(16)
        asked_s = self._time.readings().boottime_s
        record = await self._link.time(nonce)
        try:
            answer = verify(TimeAnswer, record, self._identity.central_keys)
        except RecordError as error:
            await self._report("time", error.code)
            raise CentralUnreachable("central_time_invalid") from error
        if answer.nonce != nonce or not self._time.anchor(answer.issued, asked_s):
            await self._report("time", "time_not_believed")
            raise CentralUnreachable("central_time_invalid")
        await self._time.raise_floor(self._store, answer.issued)

    async def _follow(self) -> None:
        if self.state.cursor is None:
            raise Resnapshot("no_mirror")
        for _ in range(PAGES_LIMIT):
            page = await self._link.changes(self.state.cursor)
            if page is None:
                await self._confirmed(self.state.cursor, [], [])
                return
            await self._apply(page)
            if not page.more:
                await self._compare(page.count, page.digest)
                return
        raise CentralUnreachable("central_pages_endless")

    async def _apply(self, page: Page) -> None:
        objects, issued = await self._checked(page.upserts)
        removes = [(removed.type, removed.id) for removed in page.removes]
        await self._confirmed(page.cursor, objects, removes)
        await self._time.raise_floor(self._store, issued)

    async def _confirmed(
        self, cursor: str, upserts: Sequence[MirrorObject], removes: Sequence[tuple[str, int]]
    ) -> None:
        state = MirrorState(self.state.epoch, cursor, self._confirmed_at())
        await self._store.apply_page(state, upserts, removes)
        self.state = state

    def _confirmed_at(self) -> int | None:
        now = self._time.now()
        return now.unix_s if now.trust is not None else self.state.confirmed_at

    async def _compare(self, count: int, digest: str) -> None:
        if await self._store.mirror_digest() == (count, digest):
            return
        now_s = self._time.now().mono_s
        if self._resnapshot_at is not None and now_s - self._resnapshot_at < RESNAPSHOT_AGAIN_S:
            return
        _log.warning("mirror.differs")
        raise Resnapshot("mirror_differs")

    async def _take_snapshot(self) -> None:
        self._resnapshot_at = self._time.now().mono_s
        snapshot = await self._link.snapshot()
        objects, issued = await self._checked(snapshot.objects)
        if snapshot.objects and not objects:
            # Not one object that our central key has signed or that has its shape: this is not our central.
            raise CentralUnreachable("central_snapshot_foreign")
        state = MirrorState(snapshot.epoch, snapshot.cursor, self._confirmed_at())
        await self._store.replace_mirror(state, objects)
        self.state = state
        await self._time.raise_floor(self._store, issued)
        _log.info("mirror.snapshot objects=%d", len(objects))

    async def _checked(self, raws: Sequence[Mapping[str, Json]]) -> tuple[list[MirrorObject], int]:
        """Those that may be stored, and the newest time at which central signed one of them."""
        objects, issued = [], 0
        for index, raw in enumerate(raws):
            try:
                each = checked(raw, self._identity.central_keys)
            except ObjectRefused as error:
                await self._report(str(error.fields.get("type")), error.code)
                continue
            objects.append(each)
            issued = max(issued, self._issued(each))
            if index % 50 == 49:
                # A verification takes 0.2 ms; a keystroke must not wait for a whole snapshot of them.
                await asyncio.sleep(0)
        return objects, issued

    def _issued(self, found: MirrorObject) -> int:
        record = record_of(found)
        kinds = {"key": KeyRecord, "permit": Permit}
        kind = kinds.get(found.type)
        claims = verified(kind, record, self._identity.central_keys) if kind and record else None
        return getattr(claims, "issued", 0)

    async def _renew_certificate(self) -> None:
        claims = self._identity.claims
        now = self._time.now()
        if now.trust is None or now.unix_s < (claims.issued + claims.expires) // 2:
            return
        try:
            self._identity.renew(await self._link.certificate())
        except RecordError as error:
            await self._report("station/1", error.code)
        except CentralRefused as error:
            _log.warning("certificate.not_renewed %s", error)

    async def _report(self, what: str, code: str) -> None:
        _log.warning("record.refused type=%s reason=%s", what, code)
        await self._tell("record_refused", type=what, reason=code)

    async def _tell(self, type_: str, **data: Json) -> None:
        now = self._time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        try:
            await self._store.commit(Change([NewEvent(type_, now.unix_s, clock, data=data)]))
        except StationError as error:
            _log.error("event.not_kept type=%s %s", type_, error)
