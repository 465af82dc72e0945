"""``central manage end_holder``: somebody has left."""

from typing import Any

from central.acts import people
from central.management.choosing import NumberedCommand
from central.models import Holder


class Command(NumberedCommand):
    help = "End a holder: their own key and their PIN are worth nothing any more."
    model = Holder
    what = "holder"

    def act(self, found: Holder, options: dict[str, Any]) -> str:
        people.end(found)
        return f"holder {found.number} has ended"
