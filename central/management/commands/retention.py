"""``central manage retention``: what `central serve` does by itself every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.keeping.retention import keep_all


class Command(BaseCommand):
    help = "Take the identities out of events that are older than their site keeps them. Counts stay."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{keep_all(unix_now())} events name nobody any more")
