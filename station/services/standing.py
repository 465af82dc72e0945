"""How the station itself stands: whether it may activate keys, and if not, why not."""

import logging

from station.core.facts import Hindrance, Now, Policy, StationFacts
from station.ports import Store, StoreFault
from station.records.claims import Blocklist
from station.services.base64url import decoded, encoded
from station.services.identity import Identity
from station.services.mirror_objects import ObjectRefused, newest_blocklist, record_of, zone
from station.services.mirroring import Mirroring
from station.services.timekeeping import Timekeeper

ADOPTED_NOTE = "blocklist_adopted"
PROBE_NOTE = "disk_probe"
DAY_S = 86400

_log = logging.getLogger("station.standing")


class Standing:
    """Gathers what `StationFacts` says, and the newest blocklist that this station has seen."""

    def __init__(
        self, store: Store, time: Timekeeper, identity: Identity, mirroring: Mirroring, policy: Policy
    ) -> None:
        self._store, self._time, self._identity = store, time, identity
        self._mirroring, self._policy = mirroring, policy
        self._site = StationFacts()
        self._store_failed = False
        self.blocklist: tuple[bytes, Blocklist] | None = None
        self.config_rejected = False
        """The station.toml that is there is broken; the last good one runs."""

    def adopt(self, policy: Policy) -> None:
        """The site's rules from now on."""
        self._policy = policy

    @property
    def blocklist_claims(self) -> Blocklist | None:
        """The newest blocklist's claims."""
        return self.blocklist[1] if self.blocklist is not None else None

    async def reload(self) -> None:
        """After the mirror has changed: the site's time zone, the areas' names, the blocklist."""
        try:
            site = await self._store.objects("site")
            areas = await self._store.objects("area")
            bundle = await self._store.bundle()
            adopted = await self._store.note(ADOPTED_NOTE)
        except StoreFault as error:
            self.store_failed(error)
            return
        facts = self._site
        if site:
            try:
                facts = StationFacts(zone=zone(str(site[0].body.get("timezone"))))
            except ObjectRefused as error:
                _log.error("site.time_zone %s", error)
        names = {area.id: str(area.body.get("name", "")) for area in areas}
        self._site = StationFacts(zone=facts.zone, area_names=names)
        records = [record_of(bundle.blocklist), decoded(adopted) if adopted else None]
        self.blocklist = newest_blocklist(records, self._identity.central_keys)

    async def adopt_blocklist(self, record: bytes) -> None:
        """A key has brought a newer blocklist than central's: keep it, it may be days before central can be asked."""
        try:
            await self._store.note(ADOPTED_NOTE, encoded(record))
        except StoreFault as error:
            self.store_failed(error)
        await self.reload()

    def store_failed(self, error: StoreFault) -> None:
        """The database failed: nothing is activated until it takes a write again."""
        if not self._store_failed:
            _log.error("store.failed %s", error)
        self._store_failed = True

    async def facts(self) -> StationFacts:
        """The station's standing now."""
        if self._store_failed:
            await self._probe()
        now = self._time.now()
        claims = self._identity.claims
        return StationFacts(
            station=self._identity.station,
            unit=claims.unit,
            hindrance=self._hindrance(now),
            certificate_expires=claims.expires,
            mirror_age_s=self._mirroring.age_s(),
            online=self._mirroring.online,
            zone=self._site.zone,
            area_names=self._site.area_names,
        )

    def _hindrance(self, now: Now) -> Hindrance | None:
        if now.trust is None:
            return Hindrance.CLOCK
        age_s = self._mirroring.age_s()
        if age_s is None:
            return Hindrance.NO_MIRROR
        if age_s > self._policy.mirror_max_age_days * DAY_S:
            return Hindrance.MIRROR_TOO_OLD
        if now.unix_s >= self._identity.claims.expires:
            return Hindrance.CERTIFICATE
        return Hindrance.DISK if self._store_failed else None

    async def _probe(self) -> None:
        try:
            await self._store.note(PROBE_NOTE, str(self._time.now().unix_s))
        except StoreFault:
            return
        _log.info("store.back")
        self._store_failed = False
