"""``central manage retention``: what `central serve` does by itself every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.operations.retention import apply_retention


class Command(BaseCommand):
    help = (
        "Take the identities out of events that are older than their site's log_days; counts stay. Delete what the "
        "office did, and the audit log of it, when it is older than audit_days."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        events, rows = apply_retention(unix_now())
        self.stdout.write(f"{events} events name nobody any more; {rows} other rows deleted")
