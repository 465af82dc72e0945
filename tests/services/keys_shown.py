"""What `station key show` says of the key in the socket, with the real driver on the real line."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from station.commands import key_report
from station.commands.inserted_key import read_key
from tests.services.site import Site, StationAt


@dataclass(frozen=True)
class KeyShown:
    """As JSON, and as lines for people."""

    fields: dict[str, Any]
    lines: Sequence[str]


async def shown_by_key_show(site: Site, station: StationAt) -> KeyShown:
    """Stop the station's visits, as one stops the kiosk, and look at what is in its socket."""
    await station.stop()
    key = await asyncio.wait_for(station.station.reader.next_key(), 5)
    fields = key_report.report(await read_key(key), (site.central.public,))
    json.dumps(fields)
    lines = key_report.lines(fields)
    assert lines[0].startswith(("key ", "a key that does not say"))
    assert all(line.isprintable() and len(line) < 400 for line in lines), lines
    return KeyShown(fields, lines)
