"""``central manage revoke_station``: a station that was stolen."""

from typing import Any

from django.core.management.base import BaseCommand

from central.actions.stations import revoke_station
from central.models import Station
from central.operations.management.numbered_command import audited, find_numbered


class Command(BaseCommand):
    help = "A stolen station: its tokens are dead at once and its number goes on the blocklist of every key and lock."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("number", type=int, metavar="STATION", help="the station's number")
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")

    def handle(self, *_args: Any, **options: Any) -> None:
        station = find_numbered(Station, "station", options["site"], options["number"])
        with audited(self):
            revoke_station(station)
        self.stdout.write(f"station {station.number} is revoked; next: a new PIN for every holder of the site")
