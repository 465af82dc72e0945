"""``central manage retention``: what `central serve` does by itself every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.operations.retention import apply_retention


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Delete the events that are older than their site's log_days; daily counts stay. Forget the people whose "
        "employment ended more than forget_days ago. Delete what the office did, and the audit log of it, when "
        "it is older than audit_days, and then the accounts that nobody uses any more."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        done = apply_retention(unix_now())
        self.stdout.write(
            f"{done.events} events and {done.rows} other rows deleted; "
            f"{done.people} people and {done.accounts} accounts forgotten"
        )
