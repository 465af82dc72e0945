"""``central manage return_key``: a key that was handed in for good."""

from typing import Any

from central.acts import keys
from central.management.choosing import NumberedCommand
from central.models import Key


class Command(NumberedCommand):
    help = "Take a key back: no station switches it on until it is handed out anew."
    model = Key
    what = "key"

    def act(self, found: Key, options: dict[str, Any]) -> str:
        keys.take_back(found)
        return f"key {found} is returned"
