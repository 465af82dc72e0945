"""``central manage new_pin``: for somebody who has forgotten theirs."""

from typing import Any

from central.actions.pins import give_pin
from central.models import Holder
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Give a holder a new PIN and show it, once. The old one ends with each station's next contact."
    model = Holder
    what = "holder"

    def carry_out(self, found: Holder, options: dict[str, Any]) -> str:
        return give_pin(found).pin
