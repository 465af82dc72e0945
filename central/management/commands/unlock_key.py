"""``central manage unlock_key``: after ten wrong PINs."""

from typing import Any

from central.clock import unix_now
from central.management.choosing import NumberedCommand
from central.models import Key


class Command(NumberedCommand):
    help = "Unlock a key that ten wrong PINs have locked, at every station."
    model = Key
    what = "key"

    def act(self, found: Key, options: dict[str, Any]) -> str:
        # Later than what locked it, also when both happened in the same second.
        found.unlocked_at = max(unix_now(), (found.locked_at or 0) + 1)
        found.save(update_fields=["unlocked_at"])
        return f"key {found} is unlocked"
