"""``central manage retention``: what `central serve` does by itself every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.keeping.records import forget_all
from central.keeping.retention import keep_all


class Command(BaseCommand):
    help = (
        "Take the identities out of events that are older than their site's log_days; counts stay. Delete what the "
        "office did, and the audit log of it, when it is older than audit_days."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        now = unix_now()
        self.stdout.write(f"{keep_all(now)} events name nobody any more; {forget_all(now)} other rows deleted")
