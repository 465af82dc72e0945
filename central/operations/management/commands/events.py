"""``central manage events``: what stations have reported."""

import json
import os
import select
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from central.models import Event

LOOK_S = 0.05
BATCH = 500


class Command(BaseCommand):
    help = "Print the events of a site in the order in which they came in, one a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")
        parser.add_argument("--type", metavar="TYPE", help="of this type only: key_activated, lock_opened …")
        parser.add_argument("--key", type=int, metavar="N", help="about this key only")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--follow", action="store_true", help="go on, as tail -f does, until standard input ends")

    def handle(self, *_args: Any, **options: Any) -> None:
        last = 0
        while True:
            last = self._print(last, options)
            if not options["follow"] or not _wanted():
                return

    def _print(self, after: int, options: dict[str, Any]) -> int:
        """Print the events after that row; the last row printed."""
        while True:
            # A station's batch is one transaction: its rows appear together, in order.
            events = Event.objects.filter(site__number=options["site"], pk__gt=after).select_related("station")
            if options["type"]:
                events = events.filter(type=options["type"])
            if options["key"]:
                events = events.filter(key=options["key"])
            found = list(events.order_by("pk")[:BATCH])
            for event in found:
                self.stdout.write(_line(event, as_json=options["json"]))
            self.stdout.flush()
            if not found:
                return after
            after = found[-1].pk


def _wanted() -> bool:
    """Whether whoever reads us is still there, after a moment: a reader that dies closes our standard input."""
    readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
    return not readable or bool(os.read(sys.stdin.fileno(), 1024))


def _line(event: Event, *, as_json: bool) -> str:
    if as_json:
        names = ("seq", "type", "key", "holder", "lock", "at", "received_at", "data")
        told = {name: getattr(event, name) for name in names}
        ids = {"id": str(event.event), "station": event.station.number, "instance": str(event.instance)}
        return json.dumps(ids | told, ensure_ascii=False)
    about = " ".join(
        f"{name}={value}" for name in ("key", "holder", "lock") if (value := getattr(event, name)) is not None
    )
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds")
    details = " ".join(f"{name}={value}" for name, value in event.data.items())
    return f"{at} station={event.station.number} {event.type} {about} {details}".rstrip()
