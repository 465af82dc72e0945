"""``central manage resign``: sign anew what has lived half its life."""

import math
from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.operations.scheduler import end_employments, renew_blocklists, renew_permits


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Sign permits and blocklists anew that have lived half of their life, in small batches."

    def handle(self, *_args: Any, **_options: Any) -> None:
        now = unix_now()
        end_employments(now)
        renew_blocklists(now)
        count = 0
        while some := renew_permits(now, math.inf, lambda _: None).signed:
            count += some
        self.stdout.write(f"{count} permits signed anew")
