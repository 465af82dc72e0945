"""``central manage new_epoch``: after a database was restored by its own tools (PostgreSQL)."""

from typing import Any

from django.core.management.base import BaseCommand

from central.clock import unix_now
from central.operations.restore import begin_epoch, cautions


class Command(BaseCommand):
    help = "Have stations follow a database that was restored to an earlier state. The server is stopped meanwhile."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"a new epoch; {begin_epoch(unix_now())} records signed anew")
        self.stdout.write("\n".join(cautions()))
