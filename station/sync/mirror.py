"""Keeps the mirror up to date with central: by polling and at every insertion. Nobody waits for a dead network."""

import asyncio
import hashlib
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from station.ports import MirrorState, Store, StoreFault
from station.records.claims import Blocklist
from station.records.envelope import RecordError, verified
from station.records.keys import PublicKey
from station.sync.box_unlocks import take_up_unlocks
from station.sync.central_keys import chain_of
from station.sync.certificate import CertificateRenewal
from station.sync.client import (
    CentralClient,
    CentralRefused,
    CentralUnreachable,
    Page,
    Resnapshot,
    Snapshot,
)
from station.sync.identity import Identity
from station.sync.intake import CheckedObjects, RefusedObject, check_objects
from station.sync.objects import record_of
from station.sync.refused_records import RefusalReports
from station.sync.signed_time import SignedTime
from station.sync.station_health import self_report
from station.sync.timekeeping import Timekeeper

RESNAPSHOT_AGAIN_S = 600
"""A mirror that still does not come out right when it has just been fetched whole is fetched again after this long: it
may be central that is wrong. Twice as long each time that it did not help, up to `RESNAPSHOT_LIMIT_S`."""
RESNAPSHOT_LIMIT_S = 86400
PAGES_LIMIT = 400
"""200,000 changes: more than a snapshot can hold."""
CONFIRMED_STORED_EVERY_S = 300
"""How often "nothing new" is written to the disk: most insertions end in it. A pulled plug makes the mirror look that
much older than it is, which errs on the safe side."""
JITTER = 0.2
CHAIN_NOTE = "central_chain"
BOX_KEEPS = frozenset({"central_key", "blocklist", "site"})
"""All that an activation box takes of central's objects: nothing about a person, a key or a lock."""

_log = logging.getLogger("station.mirror")


class MirrorSync:
    """Refreshes the mirror: `wake` at an insertion, `refreshed` after ``#``, `run` for the polling."""

    def __init__(
        self,
        link: CentralClient,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        *,
        poll_s: float,
        changed: Callable[[], Awaitable[None]],
        config_version: Callable[[], str] = str,
    ) -> None:
        """``changed`` is called after every refresh, whatever came of it, and before `refreshed` returns.

        ``config_version``: which configuration runs, for central.
        """
        self._link, self._store, self._time, self._identity = link, store, time, identity
        self._poll_s = poll_s
        self._changed = changed
        self._config_version = config_version
        self._certificate = CertificateRenewal(link, store, time, identity)
        self._reports = RefusalReports(store, time)
        self._signed_time = SignedTime(link, store, time, identity, self._reports)
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failures = 0
        self._overdue = False
        self._quiet_until_s = 0.0
        self._differs = False
        self._snapshot_not_before_s: float | None = None
        self._snapshot_wait_s = 0
        self._chain_asked_s: float | None = None
        self._stored_confirmed_s: int | None = None
        self.online = False
        self.refused: str | None = None
        """Central's own word for turning this station away (``unauthorized``: its token is not, or no longer, good)."""
        self.state = MirrorState()
        self.store_fault: StoreFault | None = None
        """Why the last refresh could not be stored; None when it could, or there was none."""

    async def load(self) -> None:
        """Take up what is on disk: the mirror's age, central's keys, the certificate, the clock's floor.

        Raises StoreFault.
        """
        self.state = await self._store.mirror_state()
        self._stored_confirmed_s = self.state.confirmed_at
        chain = chain_of(self._identity.key_chain.keys, await self._store.note(CHAIN_NOTE))
        listed = [record_of(each) or b"" for each in await self._store.objects("central_key")]
        self._identity.trust(chain, chain.valid(listed if self.state.cursor is not None else None))
        await self._certificate.load()
        await self._time.load_floor(self._store, self._identity.claims.issued)

    @property
    def central_keys(self) -> tuple[PublicKey, ...]:
        """The central keys that this station believes now, the oldest first."""
        return self._identity.central_keys

    def age_s(self) -> int | None:
        """Seconds since central last confirmed the mirror; None: never, or nobody knows what time it is."""
        now = self._time.now()
        if self.state.confirmed_at is None or now.trust is None:
            return None
        return max(0, now.unix_s - self.state.confirmed_at)

    async def run(self) -> None:
        """Poll for ever, and whenever poked."""
        try:
            while True:
                self._idle.clear()
                self._wanted.clear()
                await self.poll_once()
                self._idle.set()
                wait_s = self._poll_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 spreads load, guards nothing
                try:
                    async with asyncio.timeout(max(wait_s, self._quiet_s())):
                        await self._wanted.wait()
                except TimeoutError:
                    pass
        finally:
            self._idle.set()

    def poll_every(self, poll_s: float) -> None:
        """Poll so often from now on."""
        if poll_s != self._poll_s:
            self._poll_s = poll_s
            # Else the new interval would begin at the end of an old one.
            self.wake()

    def wake(self) -> None:
        """Ask central for news now, unless that is under way or central has asked for quiet."""
        if self._idle.is_set() and self._quiet_s() <= 0:
            self._idle.clear()
            self._wanted.set()

    def ask_at_once(self) -> None:
        """Ask at once, also when a refresh is under way: it asks a place that is no longer central's."""
        self._quiet_until_s = 0.0
        self._idle.clear()
        self._wanted.set()

    async def refreshed(self, deadline_s: float | None) -> None:
        """Wait for the refresh under way, at most so long.

        With a deadline not at all when central was known to be dead, or has let somebody wait in vain already.
        """
        if deadline_s is not None and (self._failures or self._overdue):
            return
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            # The refresh goes on: a slow answer still serves the next visit.
            self._overdue = True

    async def refresh(self) -> None:
        """Bring the mirror up to date once. Raises CentralUnreachable, CentralRefused, StoreFault."""
        await self._ask_time_by_any_key()
        try:
            await self._follow()
        except Resnapshot:
            await self._take_snapshot()
        await self._renew_certificate(by_newest_key=await self._newest_key_signs())
        if self._time.now().trust is None:
            # Central's clock has been put forward: what it has just signed is past the time that it told us before.
            await self._signed_time.ask()

    async def refresh_without_mirror(self) -> None:
        """What an activation box wants of central: `BOX_KEEPS`, the time, its own certificate. Raises as `refresh`.

        A box is visited once a year: central's time may by then be signed with a key that is new to it.
        """
        await self._ask_time_by_any_key()
        await self._take_snapshot(keep=BOX_KEEPS)
        await self._renew_certificate(by_newest_key=await self._newest_key_signs())

    async def _newest_key_signs(self) -> bool:
        """Whether central signs with its next key already: the certificate must follow before the old is retired."""
        if len(self._identity.central_keys) == 1:
            return False
        newest = self._identity.central_keys[-1:]
        lists = [record_of(each) for each in await self._store.objects("blocklist")]
        return any(verified(Blocklist, record, newest) is not None for record in lists)

    async def _renew_certificate(self, *, by_newest_key: bool = False) -> None:
        try:
            await self._certificate.renew_if_due(by_newest_key=by_newest_key)
        except RecordError as error:
            await self._reports.refused(RefusedObject("station", None, error.code))

    async def poll_once(self) -> None:
        """Refresh, and keep what came of it: whether central was there, and whether the disk took what it said."""
        self.store_fault = None
        try:
            await self.refresh()
        except StoreFault as error:
            # No word about central: the disk does not take what it said.
            self.store_fault = error
            _log.error("mirror.not_stored %s", error)
        except (CentralUnreachable, CentralRefused) as error:
            await self._lost(error)
        else:
            await self._reached()
        self._overdue = False
        await self._changed()

    async def _lost(self, error: CentralUnreachable | CentralRefused) -> None:
        self._failures += 1
        self.online = False
        refused = error.code if isinstance(error, CentralRefused) else None
        # A server that is there and turns this station away is mended in another way than one that is not.
        news = self._failures == 1 or refused not in {None, self.refused}
        self.refused = refused
        self._quiet_until_s = self._time.now().mono_s + error.retry_after_s
        if news:
            _log.warning("central.lost %s", error)
        if self._failures == 1:
            await self._reports.record("central_lost")

    async def _reached(self) -> None:
        was_lost = self._failures > 0
        self.online, self._failures, self.refused = True, 0, None
        if was_lost:
            _log.info("central.back")
            await self._reports.record("central_back")

    def _quiet_s(self) -> float:
        return self._quiet_until_s - self._time.now().mono_s

    # --- time ---

    async def _ask_time_by_any_key(self) -> None:
        """Ask for the time, also of a central that signs with a next key which this station has not heard of.

        Only the chain is taken from an answer before the time has proved whose it is.
        """
        try:
            await self._signed_time.ask_if_due()
        except CentralUnreachable as error:
            if error.fields.get("reason") != "record_unknown_signer" or not await self._learn_chain():
                raise
            await self._signed_time.ask_if_due()

    async def _learn_chain(self) -> bool:
        """Whether central lists keys that go on from those known here. Believes them then."""
        now_s = self._time.now().mono_s
        if self._chain_asked_s is not None and now_s - self._chain_asked_s < RESNAPSHOT_AGAIN_S:
            return False
        self._chain_asked_s = now_s
        listed = [raw for raw in (await self._link.snapshot()).objects if raw.get("type") == "central_key"]
        chain, latest_s = self._identity.key_chain, self._time.latest_s()
        taken = await check_objects(listed, (), self._store, chain, whole=True, latest_s=latest_s)
        if taken.chain.keys == chain.keys:
            return False
        await self._trust(taken)
        return True

    # --- changes ---

    async def _follow(self) -> None:
        report = await self_report(self._store, self._time.now(), self.state.confirmed_at, self._config_version())
        for _ in range(PAGES_LIMIT):
            cursor = self.state.cursor
            if cursor is None:
                raise Resnapshot("no_mirror")
            page = await self._link.changes(cursor, report)
            if page is not None:
                await self._apply(page, cursor)
                if page.more:
                    continue
                self._differs = await self._store.mirror_digest() != (page.count, page.digest)
                if not self._differs:
                    self._snapshot_wait_s = 0
            if not self._differs:
                await self._confirm()
            elif self._may_take_snapshot():
                _log.warning("mirror.differs")
                raise Resnapshot("mirror_differs")
            return
        raise CentralUnreachable("central_pages_endless")

    async def _apply(self, page: Page, cursor: str) -> None:
        if page.more and page.cursor == cursor:
            raise CentralUnreachable("central_pages_endless")
        removes = [(removed.type, removed.id) for removed in page.removes]
        chain, latest_s = self._identity.key_chain, self._time.latest_s()
        taken = await check_objects(page.upserts, removes, self._store, chain, whole=False, latest_s=latest_s)
        await self._trust(taken)
        state = replace(self.state, cursor=page.cursor)
        await self._store.apply_page(state, taken.objects, removes)
        await self._taken(state, taken)

    # --- snapshots ---

    def _may_take_snapshot(self) -> bool:
        not_before_s = self._snapshot_not_before_s
        return not_before_s is None or self._time.now().mono_s >= not_before_s

    async def _take_snapshot(self, *, keep: Collection[str] | None = None) -> None:
        """Replace everything by a snapshot; with ``keep`` by its objects of these types, which make no mirror."""
        if self.state.cursor is not None and not self._may_take_snapshot():
            raise CentralUnreachable("central_resnapshot_again")
        snapshot = await self._link.snapshot()
        self._snapshot_not_before_s = self._time.now().mono_s + self._snapshot_wait_s
        self._snapshot_wait_s = min(max(2 * self._snapshot_wait_s, RESNAPSHOT_AGAIN_S), RESNAPSHOT_LIMIT_S)
        if _summed_up(snapshot) != (snapshot.count, snapshot.digest):
            # Cut short or patched together: what is missing from it must not disappear here.
            await self._reports.refused(RefusedObject("snapshot", None, "snapshot_inconsistent"))
            raise CentralUnreachable("central_snapshot_inconsistent")
        chain, latest_s = self._identity.key_chain, self._time.latest_s()
        objects = [raw for raw in snapshot.objects if keep is None or raw.get("type") in keep]
        taken = await check_objects(objects, (), self._store, chain, whole=True, latest_s=latest_s)
        if not taken.signed and (taken.refused or self.state.cursor is not None):
            # A site always has a blocklist. Where our central has signed nothing, this is not our central.
            await self._reports.refused(*taken.refused, RefusedObject("snapshot", None, "snapshot_foreign"))
            raise CentralUnreachable("central_snapshot_foreign")
        await self._trust(taken)
        state = MirrorState(snapshot.epoch, snapshot.cursor, self._confirmed_at() if keep is None else None)
        await self._store.replace_mirror(state, taken.objects)
        if keep is not None:
            await take_up_unlocks(self._store, snapshot.objects)
        self._differs = False
        self._stored_confirmed_s = state.confirmed_at
        await self._taken(state, taken)
        _log.info("mirror.snapshot objects=%d refused=%d", len(taken.objects), len(taken.refused))

    # --- both ---

    async def _trust(self, taken: CheckedObjects) -> None:
        """Central's keys go before the records that need them: they must be there again after a pulled plug."""
        if taken.chain.keys != self._identity.key_chain.keys:
            await self._store.note(CHAIN_NOTE, taken.chain.written())
        if taken.valid_keys != self._identity.central_keys:
            _log.warning("central_keys.changed valid=%d", len(taken.valid_keys))
        self._identity.trust(taken.chain, taken.valid_keys)

    async def _taken(self, state: MirrorState, taken: CheckedObjects) -> None:
        self.state = state
        await self._reports.refused(*taken.refused)
        await self._time.raise_floor(self._store, taken.issued_s)

    def _confirmed_at(self) -> int | None:
        now = self._time.now()
        return now.unix_s if now.trust is not None else self.state.confirmed_at

    async def _confirm(self) -> None:
        """Central has said that this is all."""
        self.state = replace(self.state, confirmed_at=self._confirmed_at())
        new_s, stored_s = self.state.confirmed_at, self._stored_confirmed_s
        if new_s is not None and (stored_s is None or abs(new_s - stored_s) >= CONFIRMED_STORED_EVERY_S):
            await self._store.apply_page(self.state, [], [])
            self._stored_confirmed_s = new_s


def _summed_up(snapshot: Snapshot) -> tuple[int, str]:
    """Count and digest of what is really in it, each object once."""
    lines = {f"{raw.get('type')}:{raw.get('id')}:{raw.get('revision')}\n".encode() for raw in snapshot.objects}
    return len(lines), hashlib.sha256(b"".join(sorted(lines))).hexdigest()
