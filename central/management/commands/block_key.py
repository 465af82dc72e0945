"""``central manage block_key``: a key that is lost or stolen."""

from typing import Any

from central.acts import keys
from central.management.choosing import NumberedCommand
from central.models import Key


class Command(NumberedCommand):
    help = "Block a key: no station switches it on any more, and its number goes on the blocklist that keys carry."
    model = Key
    what = "key"

    def act(self, found: Key, options: dict[str, Any]) -> str:
        keys.block(found)
        return f"key {found} is blocked"
