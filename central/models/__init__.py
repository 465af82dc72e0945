"""What central knows, one concept a file. Signing is in ``central.issuing``, the change feed in ``central.feed``.

Numbers (``number``) are those of records and stations, unique within a site; ``id`` is the database's own.
"""

from central.models.area import Area, Lock
from central.models.base import Mirrored, Watched
from central.models.blocklist import Blocklist
from central.models.code import EnrolmentCode, ProvisionCode
from central.models.event import Event, LogMark, Opening
from central.models.health import StationHealth
from central.models.holder import Holder
from central.models.key import Key
from central.models.mirror import FeedCounter, MirrorRow, ServerFact
from central.models.permission import Permission, Permit
from central.models.site import CentralKey, Site
from central.models.station import Station, StationToken
from central.models.unit import Unit

__all__ = [
    "Area",
    "Blocklist",
    "CentralKey",
    "EnrolmentCode",
    "Event",
    "FeedCounter",
    "Holder",
    "Key",
    "Lock",
    "LogMark",
    "MirrorRow",
    "Mirrored",
    "Opening",
    "Permission",
    "Permit",
    "ProvisionCode",
    "ServerFact",
    "Site",
    "Station",
    "StationHealth",
    "StationToken",
    "Unit",
    "Watched",
]
