"""Takes what a head has confirmed into the mirror: objects, cursor, sum and chain in one transaction, or nothing."""

import logging
from collections.abc import Sequence

from station.ports import (
    KnownAs,
    LogEvent,
    MirrorObject,
    MirrorState,
    MirrorUpdate,
    StaysRefused,
    Store,
)
from station.records.base64url import decoded
from station.records.central_chain import CentralChain
from station.records.claims import Blocklist, Head
from station.records.keys import PublicKey
from station.records.mirror_digest import ObjectName
from station.records.mirror_head import AHEAD_LIMIT_S
from station.sync.confirmation import CENTRAL_KEY, Gathering
from station.sync.identity import Identity
from station.sync.intake import Intake, ObjectIntake
from station.sync.objects import ADOPTED_NOTE, newest_blocklist, record_of
from station.sync.pin_renewal import PinRenewal, pin_versions
from station.sync.refused_records import RefusalReports
from station.sync.timekeeping import Timekeeper
from station.sync.went_back import TOLD_LIMIT, Closed, closed_in, freed, opened_again, still_refused

CHAIN_NOTE = "central_chain"
CONFIRMED_STORED_EVERY_S = 300
"""How often "nothing new" is written to the disk: most insertions end in it. A pulled plug makes the mirror look that
much older than it is, which errs on the safe side."""
_SITE, _BLOCKLIST = ObjectName("site", 0), ObjectName("blocklist", 0)

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

    async def load(self) -> None:
        """Take up what has been confirmed before, and the chain of central keys. Raises StoreFault."""
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
        from_the_future = at_s is not None and now.trust is not None and at_s > now.unix_s + AHEAD_LIMIT_S
        return None if from_the_future else at_s

    async def take(self, gathering: Gathering, head: Head, *, epoch: str | None, cursor: str) -> None:
        """Take the answer that ``head`` has confirmed. Raises CentralUnreachable, CentralRefused, StoreFault.

        On any of them the mirror is as it was.
        """
        chain = gathering.chain(self._identity.chain)
        intake = await ObjectIntake(gathering, self._store, chain, latest_s=self._time.latest_issue_s()).judge()
        site = await self._used(intake, _SITE)
        versions = pin_versions(site.body) if site is not None else frozenset()
        await self._pins.fetch(versions)
        state = MirrorState(epoch, cursor, head.version, max(self.confirmed_at() or 0, head.issued), gathering.sum)
        stays, opened = await self._what_stays_refused(gathering, intake, state, chain)
        update = MirrorUpdate(
            state,
            upserts=intake.stored(gathering),
            removes=[] if gathering.whole else sorted(gathering.removes),
            whole=gathering.whole,
            stay_refused=stays if stays != self._stay_refused else None,
            notes={CHAIN_NOTE: chain.to_note()} if chain != self._identity.chain else {},
            events=[self._told(each) for each in opened[:TOLD_LIMIT]],
        )
        issued_s = intake.issued_s
        if self._is_news(update):
            await self._store.take_mirror(update)
            self._stored = state
            issued_s = max(issued_s, head.issued)
        self.state, self._stay_refused = state, stays
        if chain != self._identity.chain:
            _log.warning("central_keys.changed keys=%d", len(chain.keys))
            self._identity.trust(chain)
        if versions:
            self._pins.drop_others(versions)
        await self._reports.refused(*intake.refused)
        await self._time.issue_time_seen(issued_s)

    def _is_news(self, update: MirrorUpdate) -> bool:
        """Whether more is to be written than that it has been confirmed again, which can wait for a while."""
        changed = update.upserts or update.removes or update.whole or update.notes or update.stay_refused is not None
        old_s, new_s = self._stored.confirmed_at or 0, update.state.confirmed_at or 0
        # Earlier, too: central's clock was wrong before, and a restart would know no age.
        moved = abs(new_s - old_s) >= CONFIRMED_STORED_EVERY_S
        return bool(changed) or update.state.cursor != self._stored.cursor or moved

    async def _what_stays_refused(
        self, gathering: Gathering, intake: Intake, state: MirrorState, chain: CentralChain
    ) -> tuple[Sequence[StaysRefused], Sequence[StaysRefused]]:
        """All that stays refused from now on, and what of it is to be told."""
        before = self.state
        went_back = before.version is not None and gathering.whole
        went_back = went_back and (state.epoch != before.epoch or (state.version or 0) < (before.version or 0))
        if went_back:
            revisions = {name: _revision(each.body.get("revision")) for name, each in gathering.upserts.items()}
            # As received, used or not: what it opens shall be told, and not open when it is signed anew.
            received = [MirrorObject(*name, each.body) for name, each in gathering.upserts.items()]
            blocklist = next((each for each in received if (each.type, each.id) == _BLOCKLIST), None)
            newest = newest_blocklist([record_of(blocklist)], _all_of(chain))
            after = closed_in(received, newest[1] if newest is not None else None)
            version = state.version or 0
            opened = opened_again(await self._closed_before(chain), after, revisions, version)
            _log.error("mirror.went_back epoch=%s opened=%d", state.epoch, len(opened))
            return opened, opened
        if not self._stay_refused:
            return (), ()
        used = {
            name: _revision(each.body.get("revision"))
            for name, each in gathering.upserts.items()
            if intake.used[name] is each.body
        }
        return freed(self._stay_refused, used, _blocklist(intake)), ()

    async def _closed_before(self, chain: CentralChain) -> Closed:
        """What this station refuses now, by what it knew before central went back."""
        known = [each for type_ in ("key", "holder", "unit") for each in await self._store.objects(type_)]
        mirrored = (await self._store.held_objects([_BLOCKLIST])).get(_BLOCKLIST)
        try:
            adopted = decoded(await self._store.note(ADOPTED_NOTE) or "")
        except ValueError:
            adopted = b""
        # A key may have brought a newer list than central's own.
        newest = newest_blocklist([record_of(mirrored), adopted], _all_of(chain))
        return closed_in(known, newest[1] if newest is not None else None) | still_refused(self._stay_refused)

    async def _used(self, intake: Intake, name: ObjectName) -> MirrorObject | None:
        """An object as it will be used."""
        if name in intake.used:
            body = intake.used[name]
            return MirrorObject(*name, body) if body is not None else None
        return (await self._store.held_objects([name])).get(name)

    def _told(self, each: StaysRefused) -> LogEvent:
        now = self._time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        data = {"type": each.type, "id": each.id, "was": each.was.value}
        return LogEvent("mirror_went_back", now.unix_s, clock, data=data)


def _all_of(chain: CentralChain) -> list[PublicKey]:
    return [key.public_key for key in chain.keys]


def _blocklist(intake: Intake) -> Blocklist | None:
    """The list in the answer, if it is used."""
    claims = intake.claims.get(_BLOCKLIST)
    return claims if isinstance(claims, Blocklist) else None


def _revision(value: object) -> int:
    return value if type(value) is int else 0
