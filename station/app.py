"""The composition: one station, put together from its settings and credentials."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from config import Argon2Cost, ConfigFault, Credentials, Pepper, Problem, Settings
from config.models import Reach, changed_keys
from drivers.smp.reader import SmpKeyReader
from offline_cache import SqliteStore
from station.display.screen import Screen
from station.errors import StationError
from station.key.pin_tags import PinTags
from station.ports import Change, Json, KeyReader, LogEvent, ReaderSettings, Store, StoreFault
from station.records.keys import SigningKey
from station.rules.clock import ClockRules
from station.rules.facts import Policy
from station.runtime.loop import VisitLoop
from station.runtime.presenter import Presentation
from station.runtime.profiles import PROFILES
from station.runtime.technician import TechnicianCode
from station.secret import Secret
from station.sync.client import CentralClient
from station.sync.identity import Identity, PinSecrets
from station.sync.mirror import MirrorSync
from station.sync.outbox import Outbox
from station.sync.replaced_station import note_owner
from station.sync.server_trust import ServerTrust
from station.sync.timekeeping import Clocks, SystemClocks, Timekeeper

UNREACHABLE_URL = "https://central.invalid"
"""Where a station without a central server asks: a name that the DNS promises never to resolve (RFC 2606)."""

HINDERED_AGAIN_S = 5.0

_log = logging.getLogger("station")


class ProfileFault(StationError):
    """The certificate's role is not the profile in station.toml (code ``profile_not_certified``)."""


class Station:
    """Everything of one station but its screen. `open` it, `run` it, `close` it."""

    def __init__(
        self,
        settings: Settings,
        *,
        identity: Identity,
        store: Store,
        central: CentralClient,
        reader: KeyReader,
        clocks: Clocks | None,
    ) -> None:
        """Use `open`, which also takes up what the database knows."""
        self.settings, self.identity, self.store, self.reader = settings, identity, store, reader
        self.central = central
        self._reads_system_clocks = clocks is None
        self.profile = PROFILES[identity.claims.role]
        self.time = Timekeeper(clocks or _clocks_of(settings), clock_rules_of(settings))
        central.judge_dates_by(lambda: self.time.now().unix_s)
        self.mirror = MirrorSync(
            central,
            store,
            self.time,
            identity,
            poll_s=settings.central.poll_s,
            metered=settings.central.metered,
            changed=self.mirror_changed,
            keep_pins=partial(_keep_pins, settings.storage.credentials),
            config_version=lambda: self.settings.version,
        )
        self.outbox = Outbox(central, store, report=self.record_event, visiting=lambda: not self.visits.nobody_there)
        self.readiness = self.profile.readiness(
            store,
            self.time,
            identity,
            self.mirror,
            settings.rules(),
            local=ZoneInfo(settings.clock.time_zone),
        )
        self.pin_tags = PinTags(lambda: identity.pin)
        self.visits = VisitLoop(
            profile=self.profile,
            reader=reader,
            store=store,
            time=self.time,
            identity=identity,
            central=central,
            mirror=self.mirror,
            outbox=self.outbox,
            tags=self.pin_tags,
            readiness=self.readiness,
            policy=settings.rules(),
            presentation=_presentation_of(settings),
        )

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        identity: Identity | None = None,
        store: Store | None = None,
        central: CentralClient | None = None,
        reader: KeyReader | None = None,
        clocks: Clocks | None = None,
    ) -> Self:
        """Put a station together and take up what its database knows.

        What is not given is the real thing that ``settings`` name: credentials, database, central server, serial port,
        the machine's clocks. Nothing is asked of the key reader or of central before `run`.
        Raises ConfigFault, RecordError, StoreFault, ProfileFault.
        """
        credentials = Credentials.load(settings.storage.credentials) if identity is None or central is None else None
        if credentials is not None:
            identity = identity or identity_of(credentials)
            central = central or link_of(settings, credentials.token)
        assert identity is not None
        assert central is not None
        profile = PROFILES[identity.claims.role]
        if settings.station.profile != profile.name:
            raise ProfileFault(
                "profile_not_certified", profile=settings.station.profile, role=identity.claims.role.name.lower()
            )
        station = cls(
            settings,
            identity=identity,
            store=store or await SqliteStore.open(settings.storage.database),
            central=central,
            reader=reader or SmpKeyReader(reader_settings(settings)),
            clocks=clocks,
        )
        with suppress(StoreFault):
            # Not worth a start: without it, only a later replacement of this hardware takes more work.
            await note_owner(station.store, station.identity)
        await station.mirror.load()
        await station.readiness.reload()
        return station

    async def apply(self, settings: Settings) -> None:
        """Go over to ``settings``; only while the visits are `VisitLoop.between_visits`. What cannot change is left.

        The rules change before anything is awaited. Raises ConfigFault when central's certificates cannot be read: then
        nothing has changed.
        """
        reaches = set(changed_keys(self.settings, settings).values())
        trust = trust_of(settings)
        self.settings = settings
        self.time.adopt(clock_rules_of(settings), _clocks_of(settings) if self._reads_system_clocks else None)
        self.use_rules(settings.rules())
        self.mirror.poll_every(settings.central.poll_s, metered=settings.central.metered)
        if Reach.KEY_READER in reaches:
            await self.reader.use(reader_settings(settings))
        if Reach.CENTRAL in reaches:
            await self.central.move(settings.central.url or UNREACHABLE_URL, trust=trust)
            self.mirror.ask_at_once()
            self.outbox.wake()

    def use_rules(self, rules: Policy) -> None:
        """Go by these rules of the site from now on; only while the visits are `VisitLoop.between_visits`."""
        self.readiness.adopt(rules)
        self.visits.adopt(rules, _presentation_of(self.settings))

    async def record_event(self, type_: str, **data: Json) -> None:
        """Keep an event of the station itself for central. One that cannot be kept is logged."""
        now = self.time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        try:
            await self.store.commit(Change([LogEvent(type_, now.unix_s, clock, data=data)]))
        except StationError as error:
            _log.error("event.not_kept type=%s %s", type_, error)
        else:
            self.outbox.wake()

    async def run(
        self,
        show: Callable[[Screen], None],
        reasons: Sequence[str] = ("power",),
    ) -> None:
        """Serve, poll and drain until cancelled. An exception of any part ends all of it.

        ``show`` takes each new screen. ``reasons`` is why there was a start: ``power``, or what ended the kiosks
        before this one, the oldest first.
        """
        if self.profile.asks_central:
            self.readiness.begin()
        for reason in reasons:
            await self.record_event("station_started" if reason == "power" else "station_restarted", reason=reason)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.visits.run(show), name="visits")
            # Whoever stands there waits for the screen; central's client takes a tenth of a second to load.
            await self.visits.serving.wait()
            tasks.create_task(self.time.keep_for_ever(), name="clock")
            if self.profile.asks_central:
                tasks.create_task(self.mirror.run(), name="mirror")
                tasks.create_task(self.outbox.run(), name="outbox")
                tasks.create_task(self._ask_while_hindered(), name="hindered")

    async def _ask_while_hindered(self) -> None:
        """Nobody who stands there waits a minute for the next poll, where central's answer may end what hinders."""
        while True:
            await asyncio.sleep(HINDERED_AGAIN_S)
            if self.visits.state.station.off_only is not None:
                self.mirror.wake()

    async def mirror_changed(self) -> None:
        """Take up what a refresh of the mirror has brought."""
        await self.visits.mirror_changed()
        if self.mirror.online:
            self.outbox.central_answers()

    async def close(self) -> None:
        """Finish what is being written, and let go of everything."""
        self.pin_tags.close()
        await self.reader.close()
        await self.central.close()
        await self.store.close()


def reader_settings(settings: Settings) -> ReaderSettings:
    """What the key reader goes by."""
    reader = settings.key_reader
    return ReaderSettings(str(reader.port), reader.baud, reader.folder)


def identity_of(credentials: Credentials) -> Identity:
    """The identity in ``credentials``. Raises RecordError when its certificate is not believed."""
    cost = credentials.argon2
    return Identity(
        station=credentials.station,
        site=credentials.site,
        certificate=credentials.certificate,
        central_keys=credentials.central_keys,
        signing=SigningKey(credentials.signing_seed.reveal()),
        pin=PinSecrets(
            site_salt=credentials.site_salt,
            peppers=tuple((each.version, each.pepper) for each in credentials.peppers),
            time=cost.time,
            memory_kib=cost.memory_kib,
            lanes=cost.lanes,
            digits=credentials.pin_digits,
        ),
    )


def _keep_pins(path: Path, pin: PinSecrets) -> None:
    """Write them beside the token, where a thief of the database does not find them. Raises ConfigFault."""
    peppers = tuple(Pepper(version=version, pepper=pepper) for version, pepper in pin.peppers)
    cost = Argon2Cost(time=pin.time, memory_kib=pin.memory_kib, lanes=pin.lanes)
    changed = {"site_salt": pin.site_salt, "peppers": peppers, "argon2": cost, "pin_digits": pin.digits}
    Credentials.load(path).model_copy(update=changed).save(path)


def link_of(settings: Settings, token: Secret[str] | None) -> CentralClient:
    """The connection to ``[central]``. Raises ConfigFault when its certificates cannot be read."""
    return CentralClient(settings.central.url or UNREACHABLE_URL, token, trust=trust_of(settings))


def trust_of(settings: Settings) -> ServerTrust:
    """The authorities whose word counts for ``[central]``. Raises ConfigFault."""
    ca_file = settings.central.ca_file
    try:
        return ServerTrust(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigFault("config_invalid", [Problem(str(ca_file), "expected certificates as PEM")]) from error


def clock_rules_of(settings: Settings) -> ClockRules:
    """Which clocks the site trusts."""
    return ClockRules(
        trust_ntp=settings.clock.trust_ntp,
        trust_rtc=settings.clock.trust_rtc,
        holdover_days=settings.policy.mirror_max_age_days,
    )


def _clocks_of(settings: Settings) -> Clocks:
    return SystemClocks(read_rtc=settings.clock.trust_rtc)


def _presentation_of(settings: Settings) -> Presentation:
    display = settings.display
    return Presentation(
        standby_s=display.standby_min * 60.0 or None,
        technician_code=TechnicianCode(display.technician_code) if display.technician_code else None,
        reader=str(settings.key_reader.port),
        central=settings.central.url or "",
        config_version=settings.version,
    )
