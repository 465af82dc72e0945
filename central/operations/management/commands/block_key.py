"""``central manage block_key``: a key that is lost or stolen."""

from typing import Any

from central.actions.keys import block_key
from central.models import Key
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Block a key: no station switches it on any more, and its number goes on the blocklist that keys carry."
    model = Key
    what = "key"

    def carry_out(self, found: Key, options: dict[str, Any]) -> str:
        block_key(found)
        return f"key {found} is blocked"
