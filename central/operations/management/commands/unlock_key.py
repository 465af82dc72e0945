"""``central manage unlock_key``: after ten wrong PINs."""

from typing import Any

from central.actions.keys import unlock_key
from central.models import Key
from central.operations.management.numbered_command import NumberedCommand


class Command(NumberedCommand):
    help = "Unlock a key that ten wrong PINs have locked, at every station."
    model = Key
    what = "key"

    def carry_out(self, found: Key, options: dict[str, Any]) -> str:
        unlock_key(found)
        return f"key {found} is unlocked"
