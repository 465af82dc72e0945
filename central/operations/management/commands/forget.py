"""``central manage forget``: somebody who has left asks to be forgotten before the site's period is over."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from central.errors import CentralError
from central.models import Holder
from central.operations.forgetting import empty_write_ahead_log, forget
from central.operations.management.numbered_command import find_numbered, system_user

WORDS = {
    "still_employed": "is still employed: end_holder comes first",
    "name_in_reason": "would be named by the reason, which is kept: write it without the name",
}


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Take the name of somebody who has left out of everything: receipts, events and the audit log keep the number. "
        "Backups made before still have it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, metavar="HOLDER", help="the holder's number")
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="who asked and when, without a name; kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        holder = find_numbered(Holder, "holder", options["site"], options["number"])
        try:
            forget(holder, {"command": "forget", "system_user": system_user(), "reason": options["reason"]})
        except CentralError as error:
            raise CommandError(f"holder {holder.number} {WORDS[error.code]}") from error
        empty_write_ahead_log()
        self.stdout.write(f"holder {holder.number} is forgotten")
