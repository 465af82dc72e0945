"""``central manage status``: whether the work in the background keeps up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from central.actions.renewals import due_permits
from central.clock import unix_now
from central.operations.scheduler import how_far_behind, last_round


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Say when the scheduler's last round ended and what waits for it. Ends with status 1 when it is behind."

    def handle(self, *_args: Any, **_options: Any) -> None:
        now = unix_now()
        last, due = last_round(), due_permits(now)
        self.stdout.write(f"scheduler: last round {f'{now - last} s ago' if last else 'never'}")
        self.stdout.write(f"permits to sign anew: {due.permits}, the first for {due.oldest_s} s")
        if wrong := how_far_behind(now):
            raise CommandError(f"behind: {wrong}")
