"""``central manage open_after_restore``: shows from when a restored database is, and has stations follow it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from central.actions.restored import open_to_stations, restored_at
from central.clock import unix_now
from central.operations.earlier_state import cautions, newest_things


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Show from when a restored database is, and open it to stations, as a new epoch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to ask."""
        parser.add_argument("--yes", action="store_true", help="open it without asking")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Show, ask, open."""
        now, since = unix_now(), restored_at()
        said = "open to stations: it was not restored, as far as it knows" if since is None else "closed to stations"
        self.stdout.write(f"This database is {said}. It ends with:")
        for line in (*newest_things(now), "", *cautions()):
            self.stdout.write(line)
        self.stdout.write(
            "What was done later is undone. Opened, it is a new epoch: every station fetches everything anew."
        )
        if not options["yes"] and not _says_yes():
            raise CommandError("nothing has been changed")
        self.stdout.write(f"open to stations, in a new epoch; {open_to_stations(now)} records signed anew")


def _says_yes() -> bool:
    try:
        return input("Open it to stations? Type yes: ").strip() == "yes"
    except EOFError:
        return False
