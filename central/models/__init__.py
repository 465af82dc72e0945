"""What central knows, one concept a file. Signing is in ``central.signing``, the change feed in ``central.feed``.

Numbers (``number``) are those of records and stations, unique within a site; ``id`` is the database's own.
"""

from central.models.base import Mirrored, Watched
from central.models.codes import EnrolmentCode, ProvisionCode
from central.models.epoch import ServerFact
from central.models.events import (
    Activation,
    DailyCount,
    Event,
    EventId,
    Handover,
    LogGaps,
    LogMark,
    LookUp,
    Opening,
)
from central.models.keys import Block, Blocklist, BlockReached, Key
from central.models.limits import LoggedInFrom, TryCount
from central.models.mirror import FeedCounter, MirrorRow
from central.models.people import AccessPeriod, Holder, Permission, Permit, TemporaryAccess
from central.models.places import Area, CentralKey, Lock, Site, Unit
from central.models.posts import SentForm, Undoable
from central.models.secrets import SealedSecret
from central.models.stations import OutOfOrder, Station, StationHealth, StationToken
from central.models.tasks import Receipt, Task
from central.models.users import AccountOfSite, Membership, PasswordToChange, Role

__all__ = [
    "AccessPeriod",
    "AccountOfSite",
    "Activation",
    "Area",
    "Block",
    "BlockReached",
    "Blocklist",
    "CentralKey",
    "DailyCount",
    "EnrolmentCode",
    "Event",
    "EventId",
    "FeedCounter",
    "Handover",
    "Holder",
    "Key",
    "Lock",
    "LogGaps",
    "LogMark",
    "LoggedInFrom",
    "LookUp",
    "Membership",
    "MirrorRow",
    "Mirrored",
    "Opening",
    "OutOfOrder",
    "PasswordToChange",
    "Permission",
    "Permit",
    "ProvisionCode",
    "Receipt",
    "Role",
    "SealedSecret",
    "SentForm",
    "ServerFact",
    "Site",
    "Station",
    "StationHealth",
    "StationToken",
    "Task",
    "TemporaryAccess",
    "TryCount",
    "Undoable",
    "Unit",
    "Watched",
]
