"""``central manage return_key``: a key that was handed in for good."""

from typing import Any

from central.actions.keys import take_back_key
from central.models import Key
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Take a key back: no station switches it on until it is handed out anew."
    model = Key
    what = "key"

    def carry_out(self, found: Key, options: dict[str, Any]) -> str:
        take_back_key(found)
        return f"key {found} is returned"
