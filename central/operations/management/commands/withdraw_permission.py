"""``central manage withdraw_permission``: somebody works for a unit no longer."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from central.actions.people import withdraw_permissions
from central.models import Holder
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Withdraw what a holder may open: all of it, or what they may with one unit's pool keys."
    model = Holder
    what = "holder"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--unit", type=int, metavar="N", help="hourly staff: with this unit's keys only")

    def carry_out(self, found: Holder, options: dict[str, Any]) -> str:
        unit = options["unit"]
        permissions = found.permissions.all() if unit is None else found.permissions.filter(unit__number=unit)
        withdrawn = withdraw_permissions(permissions)
        if not withdrawn:
            raise CommandError(f"holder {found.number} has no such permission")
        return f"holder {found.number}: {withdrawn} permissions withdrawn"
