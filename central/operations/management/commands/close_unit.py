"""``central manage close_unit``: a unit that keeps its keys and its people to itself, and the way back."""

from argparse import ArgumentParser
from typing import Any

from central.models import Unit
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Close a unit: its keys and its people are used with each other only. --open makes it one of all again."
    model = Unit
    what = "unit"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--open", action="store_true", help="open it again")

    def carry_out(self, found: Unit, options: dict[str, Any]) -> str:
        found.closed = not options["open"]
        found.save(update_fields=["closed"])
        return f"unit {found.number} is {'closed' if found.closed else 'open'}"
