"""``central manage new_pin``: for somebody who has forgotten theirs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from central.actions.pins import give_pin
from central.models import Holder
from central.operations.management.numbered_command import audited, find_numbered


class Command(BaseCommand):
    help = "Give a holder a new PIN and show it, once. The old one ends with each station's next contact."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, metavar="HOLDER", help="the holder's number")
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")

    def handle(self, *_args: Any, **options: Any) -> None:
        holder = find_numbered(Holder, "holder", options["site"], options["number"])
        with audited(self):
            pin = give_pin(holder).pin
        self.stdout.write(pin)
