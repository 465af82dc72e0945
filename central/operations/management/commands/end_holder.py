"""``central manage end_holder``: somebody has left."""

from typing import Any

from central.actions.people import end_employment
from central.models import Holder
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "End a holder: their own key and their PIN are worth nothing any more."
    model = Holder
    what = "holder"

    def carry_out(self, found: Holder, options: dict[str, Any]) -> str:
        end_employment(found)
        return f"holder {found.number} has ended"
