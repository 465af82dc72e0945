"""The composition root: one station, put together from its settings and credentials."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Self
from zoneinfo import ZoneInfo

from config import ConfigFault, Credentials, Problem, Settings
from config.reach import Reach, changed
from drivers.smp.key_socket import SmpKeySocket
from offline_cache import SqliteStore
from station.core.clock import ClockRules
from station.core.visit_state import Phase
from station.display.screen import Screen
from station.errors import StationError
from station.ports import Change, Json, KeySocket, NewEvent
from station.records.claims import Role
from station.records.keys import SigningKey
from station.secret import Secret
from station.services.box_profiles import STANDING
from station.services.central_link import CentralLink
from station.services.identity import Identity, PinSecrets
from station.services.mirroring import Mirroring
from station.services.outbox import Outbox
from station.services.pin_check import PinCheck
from station.services.presenter import Presentation
from station.services.replaceable_socket import ReplaceableSocket
from station.services.standing import Standing
from station.services.technician import TechnicianCode
from station.services.timekeeping import Clocks, SystemClocks, Timekeeper
from station.services.visits import Visits

PROFILE_ROLES = {
    "sync-station": Role.SYNC_STATION,
    "activation-box": Role.ACTIVATION_BOX,
    "update-box": Role.UPDATE_BOX,
}
UNREACHABLE_URL = "https://central.invalid"
"""Where a station without a central server asks: a name that the DNS promises never to resolve (RFC 2606)."""

_NOBODY_THERE = frozenset({Phase.EMPTY, Phase.GONE, Phase.BROKEN})

_log = logging.getLogger("station")


class ProfileFault(StationError):
    """The certificate's role is not the profile in station.toml (code ``profile_not_certified``)."""


class Station:
    """Everything of one station but its screen. `open` it, `run` it, `close` it."""

    def __init__(self, settings: Settings, identity: Identity, link: CentralLink, store: SqliteStore) -> None:
        self.settings, self.identity, self.link, self.store = settings, identity, link, store
        self.time: Timekeeper
        self.mirroring: Mirroring
        self.outbox: Outbox
        self.standing: Standing
        self._pins = PinCheck(identity.pin)
        self._visits: Visits | None = None
        self._reader: SmpKeySocket
        self._socket: ReplaceableSocket | None = None
        self._own_clocks = True

    @classmethod
    async def open(cls, settings: Settings, clocks: Clocks | None = None) -> Self:
        """Open the database and take up what it knows. Raises ConfigFault, RecordError, StoreFault, ProfileFault."""
        credentials = Credentials.load(settings.storage.credentials)
        identity = identity_of(credentials)
        if PROFILE_ROLES[settings.station.profile] is not identity.claims.role:
            raise ProfileFault(
                "profile_not_certified", profile=settings.station.profile, role=identity.claims.role.name.lower()
            )
        link = link_of(settings, credentials.token)
        store = await SqliteStore.open(settings.storage.database)
        station = cls(settings, identity, link, store)
        station._own_clocks = clocks is None
        station.time = Timekeeper(clocks or _clocks_of(settings), _clock_rules_of(settings))
        station.mirroring = Mirroring(
            link,
            store,
            station.time,
            identity,
            poll_s=settings.central.poll_s,
            changed=station._mirror_changed,
            config_version=lambda: station.settings.version,
        )
        station.outbox = Outbox(link, store)
        station.outbox.report_by(station.tell)
        station.standing = STANDING[identity.claims.role](
            store,
            station.time,
            identity,
            station.mirroring,
            settings.rules(),
            local=ZoneInfo(settings.clock.time_zone),
        )
        await station.mirroring.load()
        await station.standing.reload()
        return station

    def serve(
        self,
        socket: KeySocket,
        *,
        show: Callable[[Screen], None],
        ring: Callable[[], None],
        rehearse: Callable[[Screen], None] | None = None,
    ) -> Visits:
        """The visits at ``socket``; `run` runs them."""
        self._socket = ReplaceableSocket(socket)
        self._visits = Visits(
            socket=self._socket,
            store=self.store,
            time=self.time,
            identity=self.identity,
            mirroring=self.mirroring,
            outbox=self.outbox,
            pins=self._pins,
            standing=self.standing,
            policy=self.settings.rules(),
            show=show,
            ring=ring,
            rehearse=rehearse,
            presentation=self._presentation(),
        )
        visits = self._visits
        self.outbox.give_way_to(lambda: visits.state.phase not in _NOBODY_THERE)
        return visits

    def _presentation(self) -> Presentation:
        display = self.settings.display
        return Presentation(
            standby_s=display.standby_min * 60.0 or None,
            technician_code=TechnicianCode(display.technician_code) if display.technician_code else None,
            reader=str(self.settings.key_reader.port),
            config_version=self.settings.version,
        )

    def key_socket(self) -> SmpKeySocket:
        """The key reader of ``[key_reader]``."""
        reader = self.settings.key_reader
        self._reader = SmpKeySocket(str(reader.port), reader.baud, reader.folder)
        return self._reader

    @property
    def reader_turned_at(self) -> float:
        """When the key reader of the moment last went round its loop (the event loop's time)."""
        return self._reader.turned_at

    async def apply(self, settings: Settings) -> None:
        """Go over to ``settings``; only while the visits are `Visits.between_visits`. What cannot change is left.

        The rules change before anything is awaited. Raises ConfigFault when central's certificates cannot be read: then
        nothing has changed.
        """
        reaches = set(changed(self.settings, settings).values())
        trust = trust_of(settings) if Reach.CENTRAL in reaches else True
        self.settings = settings
        rules = settings.rules()
        self.time.adopt(_clock_rules_of(settings), _clocks_of(settings) if self._own_clocks else None)
        self.standing.adopt(rules)
        self.mirroring.poll_every(settings.central.poll_s)
        if self._visits is not None:
            self._visits.adopt(rules, self._presentation())
        if Reach.KEY_READER in reaches and self._socket is not None:
            await self._socket.replace(self.key_socket())
        if Reach.CENTRAL in reaches:
            await self.link.move(settings.central.url or UNREACHABLE_URL, verify=trust)
            self.mirroring.ask_anew()
            self.outbox.poke()

    async def tell(self, type_: str, **data: Json) -> None:
        """Keep an event of the station itself for central. One that cannot be kept is logged."""
        now = self.time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        try:
            await self.store.commit(Change([NewEvent(type_, now.unix_s, clock, data=data)]))
        except StationError as error:
            _log.error("event.not_kept type=%s %s", type_, error)
        else:
            self.outbox.poke()

    async def run(self, reasons: Sequence[str] = ("power",)) -> None:
        """Serve, poll and drain until cancelled. An exception of any part ends all of it.

        ``reasons`` is why there was a start: ``power``, or what ended the kiosks before this one, the oldest first.
        """
        for reason in reasons:
            await self.tell("station_started" if reason == "power" else "station_restarted", reason=reason)
        async with asyncio.TaskGroup() as tasks:
            if self._visits is not None:
                tasks.create_task(self._visits.run(), name="visits")
                # Whoever stands there waits for the screen; central's client takes a tenth of a second to load.
                await self._visits.began.wait()
            if not self.is_activation_box:
                tasks.create_task(self.mirroring.run(), name="mirror")
                tasks.create_task(self.outbox.run(), name="outbox")

    @property
    def is_activation_box(self) -> bool:
        """It has no network and no mirror; its events wait for the next `station sync`."""
        return self.identity.claims.role is Role.ACTIVATION_BOX

    async def close(self) -> None:
        """Finish what is being written, and let go of everything."""
        self._pins.close()
        if self._socket is not None:
            await self._socket.close()
        await self.link.close()
        await self.store.close()

    async def _mirror_changed(self) -> None:
        if self._visits is not None:
            await self._visits.mirror_changed()
        else:
            await self.standing.reload()
        if self.mirroring.online:
            self.outbox.central_answers()


def identity_of(credentials: Credentials) -> Identity:
    """The identity in ``credentials``. Raises RecordError when its certificate is not believed."""
    cost = credentials.argon2
    return Identity(
        station=credentials.station,
        certificate=credentials.certificate,
        central_keys=credentials.central_keys,
        signing=SigningKey(credentials.signing_seed.reveal()),
        pin=PinSecrets(
            site_salt=credentials.site_salt,
            pepper=credentials.pepper,
            time=cost.time,
            memory_kib=cost.memory_kib,
            lanes=cost.lanes,
        ),
    )


def link_of(settings: Settings, token: Secret[str] | None) -> CentralLink:
    """The connection to ``[central]``. Raises ConfigFault when its certificates cannot be read."""
    return CentralLink(settings.central.url or UNREACHABLE_URL, token, verify=trust_of(settings))


def trust_of(settings: Settings) -> bool | ssl.SSLContext:
    """The authorities whose word counts for ``[central]``; True: the system's. Raises ConfigFault."""
    ca_file = settings.central.ca_file
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigFault("config_invalid", [Problem(str(ca_file), "expected certificates as PEM")]) from error


def _clock_rules_of(settings: Settings) -> ClockRules:
    return ClockRules(
        trust_ntp=settings.clock.trust_ntp,
        trust_rtc=settings.clock.trust_rtc,
        holdover_days=settings.policy.mirror_max_age_days,
    )


def _clocks_of(settings: Settings) -> Clocks:
    return SystemClocks(read_rtc=settings.clock.trust_rtc)
