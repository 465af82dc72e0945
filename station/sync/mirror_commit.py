"""Takes what a head has confirmed into the mirror: objects, cursor, sum and chain in one transaction, or nothing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from station.ports import (
    KnownAs,
    LogEvent,
    MirrorState,
    MirrorUpdate,
    ReceivedObject,
    StaysRefused,
    Store,
)
from station.records.base64url import decoded_or_nothing
from station.records.central_chain import CentralChain
from station.records.claims import SIGNED_AHEAD_S, Head
from station.records.keys import PublicKey
from station.records.mirror_digest import MirrorSum, ObjectName
from station.sync.confirmation import CENTRAL_KEY, SITE, Gathering
from station.sync.identity import Identity
from station.sync.incoming_mirror import IncomingMirror
from station.sync.intake import BLOCKLIST, ObjectIntake
from station.sync.objects import ADOPTED_NOTE, newest_blocklist, record_of
from station.sync.pin_renewal import PinRenewal, pin_versions
from station.sync.refused_records import RefusalReports
from station.sync.timekeeping import Timekeeper
from station.sync.went_back import TOLD_LIMIT, Closed, closed_in, freed, opened_again, still_refused

CHAIN_NOTE = "central_chain"
CONFIRMED_STORED_EVERY_S = 300
"""How often "nothing new" is written to the disk: most insertions end in it. A pulled plug makes the mirror look that
much older than it is, which errs on the safe side."""
OF_THE_SITE = frozenset({"area", "blocklist", "site", "station"})
READ_AT_ONCE = 1000
"""Objects of the mirror in use that are in memory together."""

_log = logging.getLogger("station.mirror")


class MirrorCommit:
    """Stores confirmed answers. `load` it at the start."""

    def __init__(
        self, store: Store, time: Timekeeper, identity: Identity, pins: PinRenewal, reports: RefusalReports
    ) -> None:
        self._store, self._time, self._identity = store, time, identity
        self._pins, self._reports = pins, reports
        self.state = MirrorState()
        self._stored = MirrorState()
        """As it is on the disk."""
        self._stay_refused: Sequence[StaysRefused] = ()
        self.site_news = 0
        """Goes up with each change of what is told of the site as a whole: few of a morning's changes are one."""

    async def load(self) -> None:
        """Take up what has been confirmed before, and the chain of central keys. Raises StoreFault."""
        self.site_news += 1
        self.state = self._stored = await self._store.mirror_state()
        self._stay_refused = (await self._store.bundle()).stay_refused
        # The links are in the mirror, with their signatures; how far on each key was is noted, for that only goes on.
        links = await self._store.objects(CENTRAL_KEY)
        chain = self._identity.chain.extended(each.body for each in links)
        note = await self._store.note(CHAIN_NOTE)
        try:
            chain = chain.moved_on(CentralChain.from_note(note)) if note is not None else chain
        except ValueError:
            _log.error("central_keys.note_unreadable")
        self._identity.trust(chain)

    @property
    def stay_listed(self) -> frozenset[tuple[str, int]]:
        """Type and number of what stays refused because it was on the blocklist."""
        return frozenset((each.type, each.id) for each in self._stay_refused if each.was is KnownAs.LISTED)

    def confirmed_at(self) -> int | None:
        """When this mirror was last confirmed; None: never, or at a time that a trusted clock says is to come.

        A head of such a time was taken while no clock was trusted: central's own was wrong then.
        """
        at_s, now = self.state.confirmed_at, self._time.now()
        from_the_future = at_s is not None and now.trust is not None and at_s > now.unix_s + SIGNED_AHEAD_S
        return None if from_the_future else at_s

    async def take(self, gathering: Gathering, head: Head, *, cursor: str) -> None:
        """Take changes that ``head`` has confirmed. Raises CentralUnreachable, CentralRefused, StoreFault.

        On any of them the mirror is as it was.
        """
        chain = gathering.chain(self._identity.chain)
        intake = ObjectIntake(self._store, chain, latest_s=self._time.latest_issue_s())
        judged = {each.name: each for each in await intake.judged(gathering.upserts)}
        contradicting = await intake.contradicting(whole=False, removes=gathering.removes)
        refused = {name: gathering.upserts[name] for name in contradicting}
        judged |= {each.name: each for each in await intake.not_used(refused)}
        stays: Sequence[StaysRefused] = ()
        if self._stay_refused:
            stays = freed(self._stay_refused, _revisions_used(judged), intake.blocklist)
        await self._store_update(
            MirrorUpdate(
                self._state_of(head, gathering.sum, self.state.epoch, cursor),
                upserts=[*judged.values()],
                removes=sorted(gathering.removes),
                stay_refused=stays if stays != self._stay_refused else None,
            ),
            intake,
            chain,
            stays,
            head,
        )

    async def take_whole(self, incoming: IncomingMirror, head: Head) -> None:
        """Take a snapshot that ``head`` has confirmed, as `take`."""
        before, intake, epoch = self.state, incoming.intake, incoming.epoch
        state = self._state_of(head, incoming.sum, epoch, incoming.cursor)
        stays: Sequence[StaysRefused] = ()
        told: Sequence[StaysRefused] = ()
        if before.version is not None and (epoch != before.epoch or head.version < before.version):
            # As received, used or not: what it opens shall be told, and not open when it is signed anew.
            stays = told = await self._opened_again(incoming, head.version)
            _log.error("mirror.went_back epoch=%s opened=%d", epoch, len(told))
        elif self._stay_refused:
            names = [ObjectName(each.type, each.id) for each in self._stay_refused]
            stays = freed(self._stay_refused, _revisions_used(await self._beside(names)), intake.blocklist)
        await self._store_update(
            MirrorUpdate(
                state,
                whole=True,
                stay_refused=stays if stays != self._stay_refused else None,
                events=[self._told(each) for each in told[:TOLD_LIMIT]],
            ),
            intake,
            incoming.chain,
            stays,
            head,
        )

    async def _store_update(
        self,
        update: MirrorUpdate,
        intake: ObjectIntake,
        chain: CentralChain,
        stays: Sequence[StaysRefused],
        head: Head,
    ) -> None:
        """Make it durable, and go by it."""
        site = intake.site or (await self._store.held_objects([SITE])).get(SITE)
        versions = pin_versions(site.body) if site is not None else frozenset()
        await self._pins.fetch(versions)
        if chain != self._identity.chain:
            update = replace(update, notes={CHAIN_NOTE: chain.to_note()})
        issued_s = intake.issued_s
        if self._is_news(update):
            await self._store.take_mirror(update)
            self._stored = update.state
            issued_s = max(issued_s, head.issued)
        names = (*(each.name for each in update.upserts), *update.removes)
        if update.whole or update.notes or any(name.type in OF_THE_SITE for name in names):
            self.site_news += 1
        self.state, self._stay_refused = update.state, stays
        if chain != self._identity.chain:
            _log.warning("central_keys.changed keys=%d", len(chain.keys))
            self._identity.trust(chain)
        if versions:
            self._pins.drop_others(versions)
        await self._reports.refused(*intake.refused)
        await self._time.issue_time_seen(issued_s)

    def _state_of(self, head: Head, sum_: MirrorSum, epoch: str | None, cursor: str) -> MirrorState:
        return MirrorState(epoch, cursor, head.version, max(self.confirmed_at() or 0, head.issued), sum_)

    def _is_news(self, update: MirrorUpdate) -> bool:
        """Whether more is to be written than that it has been confirmed again, which can wait for a while."""
        changed = update.upserts or update.removes or update.whole or update.notes or update.stay_refused is not None
        old_s, new_s = self._stored.confirmed_at or 0, update.state.confirmed_at or 0
        # Earlier, too: central's clock was wrong before, and a restart would know no age.
        moved = abs(new_s - old_s) >= CONFIRMED_STORED_EVERY_S
        return bool(changed) or update.state.cursor != self._stored.cursor or moved

    async def _opened_again(self, incoming: IncomingMirror, version: int) -> tuple[StaysRefused, ...]:
        """What stays refused because a central that went back would open it."""
        newest = newest_blocklist([incoming.blocklist_record], _all_of(incoming.chain))
        after = incoming.closed | closed_in((), newest[1] if newest is not None else None)
        before = await self._closed_before(incoming.chain)
        names = [ObjectName(type_, id_) for type_, id_, _ in before - after]
        present = {name: _revision(each.received.get("revision")) for name, each in (await self._beside(names)).items()}
        return opened_again(before, after, present, version)

    async def _beside(self, names: Sequence[ObjectName]) -> dict[ObjectName, ReceivedObject]:
        """Those of these objects that a snapshot has brought."""
        found: dict[ObjectName, ReceivedObject] = {}
        for begin in range(0, len(names), READ_AT_ONCE):
            found |= await self._store.found_beside(names[begin : begin + READ_AT_ONCE])
        return found

    async def _closed_before(self, chain: CentralChain) -> Closed:
        """What this station refuses now, by what it knew before central went back."""
        closed = still_refused(self._stay_refused)
        for type_ in ("key", "holder", "unit"):
            above = -1
            while known := await self._store.objects(type_, above, READ_AT_ONCE):
                closed |= closed_in(known, None)
                above = known[-1].id
        mirrored = (await self._store.held_objects([BLOCKLIST])).get(BLOCKLIST)
        adopted = decoded_or_nothing(await self._store.note(ADOPTED_NOTE))
        # A key may have brought a newer list than central's own.
        newest = newest_blocklist([record_of(mirrored), adopted], _all_of(chain))
        return closed | closed_in((), newest[1] if newest is not None else None)

    def _told(self, each: StaysRefused) -> LogEvent:
        now = self._time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        data = {"type": each.type, "id": each.id, "was": each.was.value}
        return LogEvent("mirror_went_back", now.unix_s, clock, data=data)


def _all_of(chain: CentralChain) -> list[PublicKey]:
    return [key.public_key for key in chain.keys]


def _revisions_used(judged: Mapping[ObjectName, ReceivedObject]) -> dict[ObjectName, int]:
    """The revisions of those that are used as received."""
    used = {name: each for name, each in judged.items() if each.used is each.received}
    return {name: _revision(each.received.get("revision")) for name, each in used.items()}


def _revision(value: object) -> int:
    return value if type(value) is int else 0
