"""How the station itself stands: whether it may activate keys, and if not, why not."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from station.ports import Json, MirrorObject, Store, StoreFault
from station.records.base64url import decoded_or_nothing, encoded
from station.records.claims import Blocklist
from station.rules.facts import Now, OffOnlyReason, Policy, StationFacts
from station.sync.identity import Identity
from station.sync.mirror import MirrorSync
from station.sync.objects import ADOPTED_NOTE, ObjectRefused, newest_blocklist, record_of, zone
from station.sync.public_holidays import is_public_holiday
from station.sync.site_facts import (
    help_texts,
    log_days,
    look_ups,
    neighbours,
    pin_digits,
    privacy,
    station_name,
    support_lines,
)
from station.sync.timekeeping import Timekeeper

PROBE_NOTE = "disk_probe"
PROBE_CHARS = 64 * 1024
"""What a visit writes fits into as much. A few characters would find room on a page that is there already, also where
the database is at its limit."""
DAY_S = 86400
STARTING_S = 4.0
"""So long after a start central is waited for before the screen says what this station cannot do."""
_ENDED_BY_CENTRAL = frozenset({OffOnlyReason.CLOCK, OffOnlyReason.NO_MIRROR, OffOnlyReason.MIRROR_TOO_OLD})

_log = logging.getLogger("station.readiness")


class Readiness:
    """Gathers what `StationFacts` says, and the newest blocklist that this station has seen."""

    def __init__(
        self,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        mirror: MirrorSync,
        policy: Policy,
        *,
        local: tzinfo = UTC,
    ) -> None:
        """``local``: the site's time zone, until central has told it."""
        self._store, self._time, self._identity = store, time, identity
        self._mirror, self._policy = mirror, policy
        self._site = StationFacts(zone=local)
        self._store_failed = False
        self._news: tuple[int, frozenset[int]] | None = None
        """What was read of the mirror last."""
        self._starting_until_s = 0.0
        self._offline_since: int | None = None
        """Goes on with the clock for as long as central is there."""
        self.blocklist: tuple[bytes, Blocklist] | None = None
        self.config_rejected = False
        """The station.toml that is there is broken; the last good one runs."""

    def begin(self) -> None:
        """The station has been started, and central is being asked: what hinders may be over in a moment."""
        self._starting_until_s = self._time.now().mono_s + STARTING_S

    def adopt(self, policy: Policy) -> None:
        """The site's rules from now on."""
        self._policy = policy

    @property
    def zone(self) -> tzinfo:
        """The site's time zone."""
        return self._site.zone

    @property
    def blocklist_claims(self) -> Blocklist | None:
        """The newest blocklist's claims, with what a central that went back has taken off it."""
        if self.blocklist is None:
            return None
        claims, stays = self.blocklist[1], self._mirror.stay_listed
        keys = {*claims.blocked_keys, *(number for type_, number in stays if type_ == "key")}
        stations = {*claims.blocked_stations, *(number for type_, number in stays if type_ == "station")}
        return replace(claims, blocked_keys=tuple(sorted(keys)), blocked_stations=tuple(sorted(stations)))

    async def reload(self) -> None:
        """After the mirror has changed: the site's time zone, the areas' names, the blocklist."""
        if self._mirror.store_fault is not None:
            self.store_failed(self._mirror.store_fault)
        # A large site has hundreds of stations, and a change a second that is about none of them.
        news = self._mirror.site_news, self._mirror.down
        if news == self._news:
            return
        try:
            site = await self._store.objects("site")
            areas = await self._store.objects("area")
            stations = await self._store.objects("station")
            bundle = await self._store.bundle()
            noted = await self._store.note(ADOPTED_NOTE)
            self._site = self._told(site[0].body if site else {}, areas, stations)
            await self._take_up_blocklist(record_of(bundle.blocklist), decoded_or_nothing(noted))
            self._news = news
        except StoreFault as error:
            self.store_failed(error)

    async def adopt_blocklist(self, record: bytes) -> None:
        """A key has brought a newer blocklist than central's: keep it, it may be days before central can be asked."""
        try:
            await self._take_up_blocklist(record)
        except StoreFault as error:
            self.store_failed(error)

    async def _take_up_blocklist(self, *records: bytes | None) -> None:
        """Go on with the newest of these and ours, also after a restart, whatever the mirror says by then."""
        ours = self.blocklist[0] if self.blocklist is not None else None
        newest = newest_blocklist([ours, *records], self._identity.central_keys)
        if newest is None:
            # Ours is by a central key that is no longer valid; an old list still blocks.
            return
        self.blocklist = newest
        await self._store.note(ADOPTED_NOTE, encoded(newest[0]))

    def _told(
        self, site: Mapping[str, Json], areas: Sequence[MirrorObject], stations: Sequence[MirrorObject]
    ) -> StationFacts:
        """What the mirror says of the site, as far as `facts` passes it on."""
        own = self._identity
        return StationFacts(
            zone=self._zone(site),
            area_names={area.id: str(area.body.get("name", "")) for area in areas},
            neighbours=neighbours(stations, self._mirror.down, own.station, own.claims.unit),
            support=support_lines(site),
            privacy=privacy(site),
            name=station_name(stations, own.station),
            help_texts=help_texts(site),
            log_days=log_days(site),
            look_ups=look_ups(site),
            pin_digits=pin_digits(site.get("pin_digits", own.pin.digits)),
        )

    def _zone(self, site: Mapping[str, Json]) -> tzinfo:
        """The site's, or the one before where it has none that is known here."""
        if "timezone" not in site:
            return self._site.zone
        try:
            return zone(str(site["timezone"]))
        except ObjectRefused as error:
            _log.error("site.time_zone %s", error)
            return self._site.zone

    @property
    def store_works(self) -> bool:
        """Whether the database took the last write."""
        return not self._store_failed

    def store_failed(self, error: StoreFault) -> None:
        """The database failed: nothing is activated until it takes a write again."""
        if not self._store_failed:
            _log.error("store.failed %s", error)
        self._store_failed = True

    async def facts(self) -> StationFacts:
        """What the station is, and can do, now."""
        if self._store_failed:
            await self._probe()
        now = self._time.now()
        if self._mirror.online:
            self._offline_since = now.unix_s if now.trust is not None else None
        claims = self._identity.claims
        return StationFacts(
            station=self._identity.station,
            unit=claims.unit,
            role=claims.role,
            off_only=self._hindrance(now),
            certificate_expires=claims.expires,
            mirror_age_s=self._mirror_age_s(),
            online=self._mirror.online,
            central_fault=self._mirror.fault,
            zone=self._site.zone,
            area_names=self._site.area_names,
            offline_since=None if self._mirror.online else self._offline_since,
            neighbours=self._site.neighbours,
            support=self._site.support,
            is_holiday=is_public_holiday,
            privacy=self._site.privacy,
            help_texts=self._site.help_texts,
            log_days=self._site.log_days,
            look_ups=self._site.look_ups,
            knows_keys=self._knows_keys(),
            name=self._site.name,
            pin_digits=self._site.pin_digits,
            config_rejected=self.config_rejected,
        )

    def _knows_keys(self) -> bool:
        return self._mirror.state.cursor is not None and not self._store_failed

    def _hindrance(self, now: Now) -> OffOnlyReason | None:
        reason = self._off_only_reason(now)
        starting = now.mono_s < self._starting_until_s and not self._mirror.online
        return OffOnlyReason.STARTING if starting and reason in _ENDED_BY_CENTRAL else reason

    def _mirror_age_s(self) -> int | None:
        return self._mirror.age_s()

    def _off_only_reason(self, now: Now) -> OffOnlyReason | None:
        if self._is_blocked:
            return OffOnlyReason.BLOCKED
        if self._mirror.state.cursor is None:
            # Whatever else hinders: it has just been enrolled, or lost its database.
            return OffOnlyReason.NO_MIRROR
        if now.trust is None:
            return OffOnlyReason.CLOCK
        age_s = self._mirror.age_s()
        if age_s is None:
            return OffOnlyReason.NO_MIRROR
        if age_s > self._policy.mirror_max_age_days * DAY_S:
            return OffOnlyReason.MIRROR_TOO_OLD
        if now.unix_s >= self._identity.claims.expires:
            return OffOnlyReason.CERTIFICATE
        return OffOnlyReason.DISK if self._store_failed else None

    @property
    def _is_blocked(self) -> bool:
        """Whether central has put this station's own number on the blocklist: no lock believes what it signs."""
        blocklist = self.blocklist_claims
        return blocklist is not None and self._identity.station in blocklist.blocked_stations

    async def _probe(self) -> None:
        try:
            await self._store.note(PROBE_NOTE, "x" * PROBE_CHARS)
            # Another value each time: what is noted already is not written again.
            await self._store.note(PROBE_NOTE, os.urandom(8).hex())
        except StoreFault:
            return
        _log.info("store.back")
        self._store_failed = False
