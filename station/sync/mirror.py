"""Keeps the mirror fresh: by polling and at every insertion. Nobody waits for a dead network."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from station.ports import MirrorState, Store, StoreFault
from station.records.envelope import RecordError
from station.records.keys import PublicKey
from station.sync.certificate import CertificateRenewal
from station.sync.client import CentralClient, CentralRefused, CentralUnreachable
from station.sync.identity import Identity, PinSecrets
from station.sync.mirror_commit import MirrorCommit
from station.sync.mirror_follower import MirrorFollower
from station.sync.pin_renewal import PinRenewal
from station.sync.refused_records import RefusalReports, RefusedRecord
from station.sync.signed_time import SignedTime
from station.sync.timekeeping import Timekeeper

JITTER = 0.2
WAIT_S = 50
"""So long central may hold an answer, by the contract."""
HELD_S = WAIT_S / 2
"""An answer without news that comes sooner was not held: such a central is asked as on a metered line."""
LISTEN_AGAIN_S = 1.0
"""After news, at most: a fleet that has heard the same does not come back all at once, and a block is there in two
seconds all the same."""
NO_NETWORK = frozenset({"central_unreachable", "central_url_invalid"})
"""Nothing has answered, or nothing that is a central server."""

_log = logging.getLogger("station.mirror")


@dataclass(slots=True)
class CentralReach:
    """How the last refreshes ended."""

    online: bool = False
    """Central has confirmed the mirror at the last try."""
    fault: str | None = None
    """Why central is of no use although something answers: its refusal, or why its answer is not believed."""
    failures: int = 0
    overdue: bool = False
    """Somebody has waited in vain for the refresh under way."""
    quiet_until_s: float = 0.0
    """Central has asked not to be asked before (`Now.mono_s`)."""


class MirrorSync:
    """Refreshes the mirror: `wake` at an insertion, `refreshed` after ``#``, `run` for all that goes on by itself.

    That is one call that waits for news, always, and others beside it that do not; on a metered line only those.
    """

    def __init__(
        self,
        link: CentralClient,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        *,
        poll_s: float,
        metered: bool = False,
        changed: Callable[[], Awaitable[None]],
        keep_pins: Callable[[PinSecrets], None],
        config_version: Callable[[], str] = str,
    ) -> None:
        """``changed`` is called after every refresh, whatever came of it, and before `refreshed` returns.

        ``keep_pins``: see `PinRenewal`. ``config_version``: which configuration runs, for central. ``poll_s``: how
        often to ask on a ``metered`` line, and within what time again after a call that failed.
        """
        self._store, self._time, self._identity = store, time, identity
        self._poll_s, self._metered = poll_s, metered
        self._changed = changed
        self._certificate = CertificateRenewal(link, store, time, identity)
        self._reports = RefusalReports(store, time)
        self._signed_time = SignedTime(link, time, identity, self._reports)
        pins = PinRenewal(link, identity, time, keep_pins)
        self._commit = MirrorCommit(store, time, identity, pins, self._reports)
        self._follower = MirrorFollower(
            link,
            store,
            time,
            identity,
            commit=self._commit,
            signed_time=self._signed_time,
            reports=self._reports,
            config_version=config_version,
        )
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._heard = asyncio.Event()
        """Central has answered, and may be listened to."""
        self._listening: asyncio.Task[Exception | None] | None = None
        """The call that waits."""
        self._key: int | None = None
        """The key that the next call names: it has just been put in."""
        self._reach = CentralReach()
        self.store_fault: StoreFault | None = None
        """Why the last refresh could not be stored; None when it could, or there was none."""

    async def load(self) -> None:
        """Take up what is on disk: the mirror's age, central's keys, the certificate, the clock's bounds.

        Raises StoreFault.
        """
        await self._commit.load()
        await self._follower.load()
        await self._certificate.load()
        await self._time.load(self._store, self._identity.claims.issued)

    # --- how it stands ---

    @property
    def state(self) -> MirrorState:
        """What central has confirmed last."""
        return self._commit.state

    @property
    def online(self) -> bool:
        """Whether central has confirmed the mirror at the last try."""
        return self._reach.online

    @property
    def fault(self) -> str | None:
        """Why central is of no use although something answers in its place; None when it is, and without a network."""
        return self._reach.fault

    @property
    def central_keys(self) -> tuple[PublicKey, ...]:
        """The central keys that this station believes now, the oldest first."""
        return self._identity.central_keys

    @property
    def down(self) -> frozenset[int]:
        """The site's stations that central has not heard from lately; a hint, which nobody has signed."""
        return self._follower.down

    @property
    def site_news(self) -> int:
        """Goes up with each change of what the mirror has of the site as a whole: its stations, areas, blocklist."""
        return self._commit.site_news

    @property
    def stay_listed(self) -> frozenset[tuple[str, int]]:
        """``key`` or ``station`` and number of what a central that went back has taken off the blocklist."""
        return self._commit.stay_listed

    def confirmed_at(self) -> int | None:
        """When central last confirmed the mirror, in Unix seconds: what a ``sync/1`` says. None: never."""
        return self._commit.confirmed_at()

    def age_s(self) -> int | None:
        """Seconds since central last confirmed the mirror; None: never, or nobody knows what time it is."""
        now, confirmed_at = self._time.now(), self.confirmed_at()
        if confirmed_at is None or now.trust is None:
            return None
        return max(0, now.unix_s - confirmed_at)

    async def log_seen(self, key: int) -> tuple[int, int] | None:
        """How far central has the log of the key in the socket, signed: generation and seq; None: it has not said.

        Waits for the refresh that names the key, however long that takes; not for a central that is dead.
        """
        if not self._reach.failures:
            await self._idle.wait()
        seen = self._follower.log_seen
        return seen.position if seen is not None and seen.key == key else None

    # --- when it asks ---

    async def run(self) -> None:
        """Listen and ask for ever, and ask whenever poked."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ask_for_ever(), name="asking")
                tasks.create_task(self._listen_for_ever(), name="listening")
        finally:
            self._idle.set()

    async def _ask_for_ever(self) -> None:
        with suppress(StoreFault):
            # What is left of a snapshot that the last run did not come to the end of. A disk that fails says so below.
            await self._store.clear_beside()
        while True:
            self._idle.clear()
            self._wanted.clear()
            await self.poll_once()
            if self._wanted.is_set():
                continue
            self._idle.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rest_s()):
                    await self._wanted.wait()

    def _rest_s(self) -> float | None:
        """How long not to ask unless poked."""
        if self._reach.failures:
            return max(0.0, self._quiet_s()) + self._spread_s()
        return self._interval_s() if self._metered else None

    async def _listen_for_ever(self) -> None:
        while True:
            await self._heard.wait()
            began_s, before = asyncio.get_running_loop().time(), self.state.cursor
            self._listening = asyncio.create_task(self._listen(), name="waiting")
            try:
                failed = await self._listening
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # It was to hang up: somebody asks.
                await self._idle.wait()
                continue
            finally:
                self._listening = None
            if failed is not None:
                # A router that forgot it, or a central that is gone, with every other station of the site: whoever asks
                # next says which.
                await asyncio.sleep(getattr(failed, "retry_after_s", 0.0) + self._spread_s())
                self.wake()
                await self._idle.wait()
            elif self.state.cursor == before and asyncio.get_running_loop().time() - began_s < HELD_S:
                await asyncio.sleep(self._interval_s())
            else:
                await asyncio.sleep(random.uniform(0, LISTEN_AGAIN_S))  # noqa: S311 spreads load, guards nothing

    async def _listen(self) -> Exception | None:
        """Wait for news and take it in; why that failed."""
        try:
            await self._refresh(self._follower.listen(WAIT_S))
        except (CentralUnreachable, CentralRefused, StoreFault) as error:
            _log.info("central.not_heard %s", error)
            return error
        await self._reached()
        await self._changed()
        return None

    def _interval_s(self) -> float:
        return self._poll_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 spreads load, guards nothing

    def _spread_s(self) -> float:
        """Full jitter: when central comes back, its stations do not come all at once."""
        return random.uniform(0, self._poll_s)  # noqa: S311 spreads load, guards nothing

    def poll_every(self, poll_s: float, *, metered: bool) -> None:
        """Ask so often from now on, and listen unless the line is ``metered``."""
        if (poll_s, metered) != (self._poll_s, self._metered):
            self._poll_s, self._metered = poll_s, metered
            self._hang_up()
            self._may_listen()
            # Else the new interval would begin at the end of an old one.
            self.wake()

    def _may_listen(self) -> None:
        if self._reach.online and not self._metered:
            self._heard.set()

    def _hang_up(self) -> None:
        self._heard.clear()
        if self._listening is not None:
            self._listening.cancel()

    def wake(self, key: int | None = None) -> None:
        """Ask central for news now, unless that is under way or central has asked for quiet.

        ``key``: the number of the key in the socket, when it is known: central then says how far it has its log.
        """
        self._key = key or self._key
        # Whoever is being asked has not been told of the key.
        if (self._idle.is_set() or key is not None) and self._quiet_s() <= 0:
            self._idle.clear()
            self._wanted.set()

    def ask_at_once(self) -> None:
        """Ask at once, also when a refresh is under way: it asks a place that is no longer central's."""
        self._reach.quiet_until_s = 0.0
        self._hang_up()
        self._idle.clear()
        self._wanted.set()

    async def refreshed(self, deadline_s: float | None) -> None:
        """Wait for the refresh under way, at most so long.

        With a deadline not at all when central was known to be dead, or has let somebody wait in vain already.
        """
        if deadline_s is not None and (self._reach.failures or self._reach.overdue):
            return
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            # The refresh goes on: a slow answer still serves the next visit.
            self._reach.overdue = True

    # --- what it does ---

    async def refresh(self) -> None:
        """Bring the mirror up to date once. Raises CentralUnreachable, CentralRefused, StoreFault."""
        key, self._key = self._key, None
        await self._refresh(self._follower.follow(key))

    async def _refresh(self, follow: Coroutine[Any, Any, None]) -> None:
        try:
            await self._signed_time.ask_if_due()
            await follow
        finally:
            follow.close()
        await self._renew_certificate()

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
        self._reach.overdue = False
        await self._changed()

    async def _renew_certificate(self) -> None:
        try:
            await self._certificate.renew_if_due()
        except RecordError as error:
            await self._reports.refused(RefusedRecord("station", None, error.code))

    async def _lost(self, error: CentralUnreachable | CentralRefused) -> None:
        reach = self._reach
        self._heard.clear()
        reach.failures += 1
        reach.online = False
        fault = error.code if error.code not in NO_NETWORK else None
        # A server that is there and of no use is mended in another way than one that is not.
        news = reach.failures == 1 or fault not in {None, reach.fault}
        reach.fault = fault
        reach.quiet_until_s = self._time.now().mono_s + error.retry_after_s
        if news:
            _log.warning("central.lost %s", error)
        if reach.failures == 1:
            await self._reports.record("central_lost")

    async def _reached(self) -> None:
        was_lost = self._reach.failures > 0
        self._reach = CentralReach(online=True)
        self._may_listen()
        if was_lost:
            _log.info("central.back")
            await self._reports.record("central_back")

    def _quiet_s(self) -> float:
        return self._reach.quiet_until_s - self._time.now().mono_s
