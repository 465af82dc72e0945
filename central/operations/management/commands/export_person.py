"""``central manage export_person``: for somebody who asks what is known about them."""

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from central.models import Holder
from central.operations.management.numbered_command import find_numbered
from central.operations.person_export import export_person


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Everything about one holder as a JSON file that only its owner may read. It is noted in the audit log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, metavar="HOLDER", help="the holder's number")
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="who asked and when; kept")
        parser.add_argument("--output", metavar="FILE", help="a new file (default: standard output)")

    def handle(self, *_args: Any, **options: Any) -> None:
        holder = find_numbered(Holder, "holder", options["site"], options["number"])
        # To a terminal in ASCII: what somebody wrote into a text must not reach it raw.
        text = json.dumps(export_person(holder, options["reason"]), ensure_ascii=not options["output"], indent=2)
        if not options["output"]:
            self.stdout.write(text)
            return
        try:
            descriptor = os.open(options["output"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
