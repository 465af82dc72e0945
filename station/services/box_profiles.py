"""Which parts serve keys in which profile. The visit machine is the same in all of them."""

from collections.abc import Mapping

from station.records.claims import Role
from station.services.box_key_work import BoxKeyWork
from station.services.box_pin_work import BoxPinWork
from station.services.box_standing import BoxStanding
from station.services.box_update_work import UpdateBoxKeyWork
from station.services.key_work import KeyWork
from station.services.pin_work import PinWork
from station.services.standing import Standing

KEY_WORK: Mapping[Role, type[KeyWork]] = {
    Role.SYNC_STATION: KeyWork,
    Role.ACTIVATION_BOX: BoxKeyWork,
    Role.UPDATE_BOX: UpdateBoxKeyWork,
}
PIN_WORK: Mapping[Role, type[PinWork]] = {
    Role.SYNC_STATION: PinWork,
    Role.ACTIVATION_BOX: BoxPinWork,
    Role.UPDATE_BOX: PinWork,
}
STANDING: Mapping[Role, type[Standing]] = {
    Role.SYNC_STATION: Standing,
    Role.ACTIVATION_BOX: BoxStanding,
    Role.UPDATE_BOX: Standing,
}
