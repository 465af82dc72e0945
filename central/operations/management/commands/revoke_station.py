"""``central manage revoke_station``: a station that was stolen."""

from typing import Any

from central.actions.stations import revoke_station
from central.models import Station
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "A stolen station: its tokens are dead at once and its number goes on the blocklist of every key and lock."
    model = Station
    what = "station"

    def carry_out(self, found: Station, options: dict[str, Any]) -> str:
        revoke_station(found)
        return f"station {found.number} is revoked; next: a new PIN for every holder of the site"
