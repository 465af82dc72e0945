"""``central manage events``: what stations have reported. Reading it is noted as it is in the office."""

import json
import os
import select
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from central.actions.look_ups import note_look_up
from central.clock import END_OF_DATES, unix_now
from central.models import Event, LookUp, Site
from central.operations.management.numbered_command import audited, system_user
from station.plain_text import one_line

LOOK_S = 0.05
BATCH = 500
LATE_S = 20
"""An event may be there so much later than it came in: its batch waited for another one's."""
SHORTEST, LONGEST = 5, 300
FOR_EVER = 2**53


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Print the events of a site in the order in which they came in, one a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")
        parser.add_argument("--type", metavar="TYPE", help="of this type only: key_activated, lock_opened …")
        parser.add_argument("--key", type=int, metavar="N", help="about this key only")
        parser.add_argument(
            "--reason", required=True, type=_reason, metavar="TEXT", help="in words; kept, as by the page"
        )
        parser.add_argument(
            "--cause", choices=LookUp.Cause.values, default=LookUp.Cause.OTHER, help="default: %(default)s"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--follow", action="store_true", help="go on, as tail -f does, until standard input ends")

    def handle(self, *_args: Any, **options: Any) -> None:
        site = Site.objects.filter(number=options["site"]).first()
        if site is None:
            raise CommandError(f"there is no site {options['site']}")
        about = LookUp.About.ALL if options["key"] is None else LookUp.About.KEY
        # Before anything is shown, and for the time to come where it is to be followed.
        with audited(self):
            note_look_up(
                site, unix_now(), LookUp.Cause(options["cause"]), by=f"{system_user()} (events)", about=about,
                number=options["key"], since=0, until=FOR_EVER if options["follow"] else unix_now(),
                reason=options["reason"],
            )  # fmt: skip
        events = Event.objects.kept(site, unix_now())
        if options["type"]:
            events = events.filter(type=options["type"])
        if options["key"] is not None:
            events = events.filter(key=options["key"])
        told = Told(events)
        while True:
            for event in told.news():
                self.stdout.write(_line(event, as_json=options["json"]))
            self.stdout.flush()
            if not options["follow"] or not _wanted():
                return


class Told:
    """Events, each told once, in the order of their receipt: by an index, some at a time."""

    def __init__(self, events: "QuerySet[Any]") -> None:
        self._events = events
        self._newest = 0
        self._late: set[int] = set()
        """Those that were told and came in just before the newest: others of then may still appear."""

    def news(self) -> Iterator[Event]:
        """Those that have not been told yet."""
        received_at, pk = self._newest - LATE_S, 0
        untold = self._events.exclude(pk__in=self._late).select_related("station").order_by("received_at", "pk")
        recent = deque((self._newest, pk) for pk in self._late)
        while found := list(
            untold.filter(received_at__gte=received_at).exclude(received_at=received_at, pk__lte=pk)[:BATCH]
        ):
            yield from found
            received_at, pk = found[-1].received_at, found[-1].pk
            recent.extend((event.received_at, event.pk) for event in found)
            while recent[0][0] < received_at - LATE_S:
                recent.popleft()
        self._newest = max(self._newest, received_at)
        self._late = {pk for _, pk in recent}


def _reason(text: str) -> str:
    """As the page wants it."""
    words = " ".join(text.split())
    if not SHORTEST <= len(words) <= LONGEST or not words.isprintable():
        raise ArgumentTypeError(f"a reason has {SHORTEST} to {LONGEST} characters")
    return words


def _wanted() -> bool:
    """Whether whoever reads us is still there, after a moment: a reader that dies closes our standard input."""
    readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
    return not readable or bool(os.read(sys.stdin.fileno(), 1024))


def _line(event: Event, *, as_json: bool) -> str:
    doubt = event.doubt_shown(unix_now())
    if as_json:
        names = ("seq", "type", "key", "holder", "lock", "at", "received_at", "data")
        told = {name: getattr(event, name) for name in names}
        ids = {"id": str(event.event), "station": event.station.number, "instance": str(event.instance)}
        # ASCII: what a station wrote into a text must not reach a terminal raw, C1 controls included.
        return json.dumps(ids | told | {"doubt": doubt})
    numbers = {name: value for name in ("key", "holder", "lock") if (value := getattr(event, name)) is not None}
    doubtful = {"doubt": doubt} if doubt else {}
    # What a station wrote into a text must not reach a terminal raw.
    words = " ".join(f"{one_line(n)}={one_line(value)}" for n, value in (numbers | doubtful | event.data).items())
    # By the station's or the key's clock: any number that fits.
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds") if event.at < END_OF_DATES else event.at
    return f"{at} station={event.station.number} {event.type} {words}".rstrip()
