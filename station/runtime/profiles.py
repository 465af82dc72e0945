"""What differs between a sync station, an activation box and an update box; all else is the same for the three."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from station.key.box_pins import BoxPinWork
from station.key.box_work import BoxKeyWork
from station.key.pins import PinWork
from station.key.update_box_work import UpdateBoxKeyWork
from station.key.work import KeyWork
from station.records.claims import Role
from station.sync.box_readiness import BoxReadiness
from station.sync.readiness import Readiness


@dataclass(frozen=True, slots=True)
class Profile:
    """How a station of one role does its work."""

    name: Literal["sync-station", "activation-box", "update-box"]
    """As ``station.profile`` in station.toml has it."""
    key_work: type[KeyWork]
    """What it reads from a key, and what it prepares and writes."""
    pin_work: type[PinWork]
    """What it judges a PIN by."""
    readiness: type[Readiness]
    """What it needs to be able to activate."""
    asks_central: bool = True
    """An activation box has no network and no mirror; its events wait for the next `station sync`."""


PROFILES: Mapping[Role, Profile] = {
    Role.SYNC_STATION: Profile("sync-station", KeyWork, PinWork, Readiness),
    Role.ACTIVATION_BOX: Profile("activation-box", BoxKeyWork, BoxPinWork, BoxReadiness, asks_central=False),
    Role.UPDATE_BOX: Profile("update-box", UpdateBoxKeyWork, PinWork, Readiness),
}
