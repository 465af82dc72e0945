"""Hands over what a dead station's disk still has to tell, by the station that has its number now.

Central puts events down to the station whose token brings them: a database says whose it is, and none but that station
speaks for it.
"""

from station.errors import StationError
from station.ports import Store
from station.sync.client import CentralClient
from station.sync.identity import Identity
from station.sync.outbox import Outbox, Report

OWNER_NOTE = "station"


class NotOurs(StationError):
    """The database is not of this station's number (code ``events_of_another_station``)."""


async def note_owner(store: Store, identity: Identity) -> None:
    """Note in the database whose it is. Raises StoreFault."""
    owner = _owner(identity)
    # The disk is spared a write at each start.
    if await store.note(OWNER_NOTE) != owner:
        await store.note(OWNER_NOTE, owner)


async def hand_over(old: Store, link: CentralClient, identity: Identity, report: Report) -> int:
    """Hand over all events of the database ``old``; how many central took. What it has taken is gone from there.

    Raises NotOurs, StoreFault, CentralUnreachable, CentralRefused: then the rest is still there.
    """
    if await old.note(OWNER_NOTE) != _owner(identity):
        raise NotOurs("events_of_another_station")
    # Of the last moment before it died.
    await old.tell_interrupted()
    return await Outbox(link, old, report=report).drain()


def _owner(identity: Identity) -> str:
    return f"{identity.site}/{identity.station}"
