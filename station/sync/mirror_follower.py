"""Fetches what has changed at central, and takes it into the mirror once a head has confirmed the whole of it."""

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from station.ports import MirrorState, Store, StoreFault
from station.records.base64url import decoded_or_nothing
from station.records.claims import SIGNED_AHEAD_S, Head
from station.records.mirror_digest import change_of
from station.records.mirror_head import Call, HeadRefusal, readable_head
from station.records.strict_json import JsonRefused
from station.sync.client import AnswerRefused, CentralClient, CentralRefused, CentralUnreachable, Resnapshot
from station.sync.confirmation import Gathering, judged
from station.sync.identity import Identity
from station.sync.incoming_mirror import IncomingMirror, SnapshotRefused
from station.sync.mirror_commit import MirrorCommit
from station.sync.refused_records import RefusalReports, RefusedRecord
from station.sync.signed_time import SignedTime
from station.sync.station_health import self_report
from station.sync.timekeeping import Timekeeper

RESNAPSHOT_AGAIN_S = 600
"""A snapshot that was refused, or after which changes disagreed again at once, is followed by another after this long:
it may be central that is wrong. Twice as long each time, up to `RESNAPSHOT_LIMIT_S`."""
RESNAPSHOT_LIMIT_S = 86400
PAGES_LIMIT = 20
"""10,000 changes. A station that is further behind takes a snapshot, which needs no memory."""
GATHERED_LIMIT_BYTES = 8 * 1024 * 1024
"""Of their texts: three times what so many objects usually have."""
NONCE_BYTES = 16
DOWN_NOTE = "stations_down"
ANOTHER_EPOCH = "another_epoch"
"""Why changes that a head confirms are not taken."""

_log = logging.getLogger("station.mirror")


@dataclass(slots=True)
class SnapshotPatience:
    """When a whole snapshot may be asked for again."""

    not_before_s: float | None = None
    wait_s: int = 0

    def allows(self, mono_s: float) -> bool:
        """Whether it is time."""
        return self.not_before_s is None or mono_s >= self.not_before_s

    def used(self, mono_s: float, limit_s: int = RESNAPSHOT_LIMIT_S) -> None:
        """One was answered, believed or not: whether it helps, the next changes tell."""
        self.wait_s = min(max(2 * self.wait_s, RESNAPSHOT_AGAIN_S), limit_s)
        self.not_before_s = mono_s + self.wait_s

    def helped(self) -> None:
        """Changes have been confirmed."""
        self.not_before_s, self.wait_s = None, 0


@dataclass(frozen=True, slots=True)
class KeyLogSeen:
    """How far central has a key's log: what a head says in claims 10 and 53."""

    key: int
    position: tuple[int, int] | None
    """Generation and seq; None: it has none of that log."""


@dataclass(slots=True)
class _Asked:
    """One answer, in one page or several, and what the last page says."""

    gathering: Gathering
    call: Call
    head: bytes = b""
    cursor: str = ""
    down: frozenset[int] = field(default=frozenset())


class MirrorFollower:
    """Brings the mirror up to date, one confirmed answer at a time."""

    def __init__(
        self,
        link: CentralClient,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        *,
        commit: MirrorCommit,
        signed_time: SignedTime,
        reports: RefusalReports,
        config_version: Callable[[], str],
    ) -> None:
        self._link, self._store, self._time, self._identity = link, store, time, identity
        self._commit, self._signed_time, self._reports = commit, signed_time, reports
        self._config_version = config_version
        self._turn = asyncio.Lock()
        """A visit's call and the polling may both be open; one answer is judged and stored at a time."""
        self._patience = SnapshotPatience()
        self.log_seen: KeyLogSeen | None = None
        """Of the key that was asked about last."""
        self.down: frozenset[int] = frozenset()
        """Stations that central has not heard from lately: a hint beside the mirror."""

    async def load(self) -> None:
        """Take up which stations were silent when central was last heard. Raises StoreFault."""
        noted = (await self._store.note(DOWN_NOTE) or "").split()
        self.down = frozenset(int(each) for each in noted if each.isdecimal())

    @property
    def state(self) -> MirrorState:
        """What has been confirmed last."""
        return self._commit.state

    async def follow(self, key: int | None = None) -> None:
        """Bring the mirror up to date once, and have central confirm it. ``key``: number of the key in the socket.

        Raises CentralUnreachable (``mirror_unconfirmed`` for an answer that was not believed), CentralRefused,
        StoreFault. Then the mirror is as it was.
        """
        since = self.state.cursor
        refusal: str | None = "no_mirror"
        if since is not None:
            try:
                refusal = await self._changes(since, key)
            except (Resnapshot, AnswerRefused, JsonRefused) as error:
                refusal = error.code
        if refusal is None:
            return
        if since is not None:
            _log.warning("mirror.not_confirmed reason=%s", refusal)
        if refusal == HeadRefusal.FROM_THE_FUTURE:
            await self._signed_time.ask_again()
        await self._snapshot()

    async def listen(self, wait_s: int) -> None:
        """Wait so long for a change, and take it. Raises as `follow` does; who hears that asks that way next."""
        refusal: str | None = "no_mirror"
        if (since := self.state.cursor) is not None:
            try:
                refusal = await self._changes(since, None, wait_s)
            except (Resnapshot, AnswerRefused, JsonRefused) as error:
                refusal = error.code
        if refusal is not None:
            raise CentralUnreachable("mirror_unconfirmed", reason=refusal)

    # --- changes ---

    async def _changes(self, since: str, key: int | None, wait_s: int = 0) -> str | None:
        """Why what has changed since the cursor was not confirmed; None when it was, or somebody else was quicker."""
        asked = await self._pages(since, key, wait_s)
        async with self._turn:
            if self.state.cursor != since:
                chain = asked.gathering.chain(self._identity.chain)
                head: Head | HeadRefusal = readable_head(asked.head, chain.head_signer(), asked.call)
            else:
                head = judged(
                    asked.head,
                    asked.call,
                    asked.gathering.sum,
                    asked.gathering.chain(self._identity.chain),
                    newest_version=self.state.version,
                    now_s=self._now_s(),
                )
                if isinstance(head, Head):
                    if asked.gathering.epoch() not in {None, self.state.epoch}:
                        # Central asks for a snapshot then. Whoever makes changes of it keeps from the station that
                        # central went back, and only of a snapshot what it opens again is told.
                        return ANOTHER_EPOCH
                    # The state is as it was while this was on its way, so the sum is still what it was added to.
                    await self._commit.take(asked.gathering, head, cursor=asked.cursor)
                    self._patience.helped()
                    if asked.down != self.down:
                        # After a restart without network people must not be sent to them either.
                        await self._store.note(DOWN_NOTE, " ".join(map(str, sorted(asked.down))) or "none")
                        self.down = asked.down
        if isinstance(head, HeadRefusal):
            return None if self.state.cursor != since else head.value
        if self._is_long_past(head):
            await self._signed_time.ask_again()
        if key is not None:
            seen = head.log_seen
            self.log_seen = KeyLogSeen(key, (seen.generation, seen.seq) if seen is not None else None)
        return None

    async def _pages(self, since: str, key: int | None, wait_s: int) -> _Asked:
        report = await self_report(self._store, self._time.now(), self.state.confirmed_at, self._config_version())
        asked = _Asked(Gathering(self.state.sum), self._call(key))
        for _ in range(PAGES_LIMIT):
            page = await self._link.changes(since, asked.call.nonce, key, report, wait_s)
            change = change_of(page.upserts, page.removes)
            asked.gathering.add(change, await self._store.held_hashes(asked.gathering.unseen(change)))
            if not page.more:
                asked.head, asked.cursor = decoded_or_nothing(page.head), page.cursor
                asked.down = frozenset(page.down)
                return asked
            if page.cursor == since or asked.gathering.text_bytes > GATHERED_LIMIT_BYTES:
                break
            since, wait_s = page.cursor, 0
            asked.call = self._call(key)
        raise AnswerRefused("central_pages_too_many")

    def _is_long_past(self, head: Head) -> bool:
        """Whether by this station's clock central has signed long ago what it has signed just now: one is wrong.

        Activations would begin in the future, and the mirror look too old, until the time is asked for again.
        """
        now = self._time.now()
        return now.trust is not None and now.unix_s - head.issued > SIGNED_AHEAD_S

    # --- snapshots ---

    async def _snapshot(self) -> None:
        """Replace the whole mirror, if a head confirms it."""
        if not self._patience.allows(self._time.now().mono_s):
            raise CentralUnreachable("mirror_unconfirmed", reason="waits_for_snapshot")
        try:
            refusal = await self._take_snapshot(self._call())
        except (AnswerRefused, JsonRefused, SnapshotRefused) as error:
            refusal = error.code
        except (CentralUnreachable, CentralRefused, StoreFault):
            await self._store.clear_beside()
            raise
        if refusal is not None:
            await self._store.clear_beside()
            await self._refuse_snapshot(refusal)
        self._patience.used(self._time.now().mono_s)

    async def _take_snapshot(self, call: Call) -> str | None:
        """Why it was not confirmed; None when it was, or a waiting call was quicker."""
        before = self.state
        incoming = IncomingMirror(
            self._store,
            self._identity.chain,
            call,
            latest_s=self._time.latest_issue_s(),
            first=before.cursor is None,
        )
        await self._link.snapshot(call.nonce, incoming.take)
        async with self._turn:
            if self.state is not before:
                await self._store.clear_beside()
                return None
            head = incoming.confirmed(self._now_s())
            if isinstance(head, HeadRefusal):
                return head.value
            await self._commit.take_whole(incoming, head)
        _log.info("mirror.snapshot objects=%d", self.state.sum.count)
        return None

    async def _refuse_snapshot(self, reason: str) -> NoReturn:
        # Without any mirror there is nothing to go on with meanwhile.
        limit_s = RESNAPSHOT_LIMIT_S if self.state.cursor is not None else RESNAPSHOT_AGAIN_S
        self._patience.used(self._time.now().mono_s, limit_s)
        await self._reports.refused(RefusedRecord("snapshot", None, reason))
        if reason == HeadRefusal.FROM_THE_FUTURE:
            await self._signed_time.ask_again()
        raise CentralUnreachable("mirror_unconfirmed", reason=reason)

    # --- both ---

    def _call(self, key: int | None = None) -> Call:
        return Call(self._identity.station, os.urandom(NONCE_BYTES), key)

    def _now_s(self) -> int | None:
        """By a trusted clock."""
        now = self._time.now()
        return now.unix_s if now.trust is not None else None
