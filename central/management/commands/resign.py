"""``central manage resign``: sign anew what has lived half its life."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.issuing.renewal import BATCH, resign_due


class Command(BaseCommand):
    help = "Sign permits and blocklists anew that have lived half of their life, in small batches."

    def handle(self, *_args: Any, **_options: Any) -> None:
        count = 0
        while done := resign_due(unix_now()):
            count += done
            if done < BATCH:
                break
        self.stdout.write(f"{count} permits signed anew")
