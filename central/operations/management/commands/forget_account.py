"""``central manage forget_account``: a user of the office has left."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from central.errors import CentralError
from central.operations.forgetting import empty_write_ahead_log
from central.operations.forgetting_accounts import forget_account
from central.operations.management.numbered_command import system_user


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Shut out a user who has left, and put former-N in the place of their name everywhere. Backups made before "
        "still have it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why, without a name; kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=options["user"]).first()  # noqa: SLF001
        if user is None:
            raise CommandError("no such user")
        trace = {"command": "forget_account", "system_user": system_user(), "reason": options["reason"]}
        try:
            forget_account(user, trace)
        except CentralError as error:
            raise CommandError("the reason is kept: write it without the name") from error
        empty_write_ahead_log()
        self.stdout.write(f"the account is {user} now")
