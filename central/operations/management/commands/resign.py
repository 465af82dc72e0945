"""``central manage resign``: sign anew what has lived half its life."""

from typing import Any

from django.core.management.base import BaseCommand

from central.actions.people import end_employments_that_are_over
from central.actions.renewals import DUE_BATCH, renew_due_records
from central.clock import unix_now


class Command(BaseCommand):
    help = "Sign permits and blocklists anew that have lived half of their life, in small batches."

    def handle(self, *_args: Any, **_options: Any) -> None:
        end_employments_that_are_over(unix_now())
        count = 0
        while done := renew_due_records(unix_now()):
            count += done
            if done < DUE_BATCH:
                break
        self.stdout.write(f"{count} permits signed anew")
