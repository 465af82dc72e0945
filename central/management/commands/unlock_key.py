"""``central manage unlock_key``: after ten wrong PINs."""

from typing import Any

from central.acts import keys
from central.management.choosing import NumberedCommand
from central.models import Key


class Command(NumberedCommand):
    help = "Unlock a key that ten wrong PINs have locked, at every station."
    model = Key
    what = "key"

    def act(self, found: Key, options: dict[str, Any]) -> str:
        keys.unlock(found)
        return f"key {found} is unlocked"
