"""``central manage give_role``: a user's role at a site."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from central.actions.users import give_role_by_operator
from central.models import Role, Site, Unit
from central.operations.management.numbered_command import audited, find_numbered


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Give a user a role in the office at a site, for one unit or for all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")
        parser.add_argument("--unit", type=int, metavar="N", help="for this unit only")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=options["user"]).first()  # noqa: SLF001
        site = Site.objects.filter(number=options["site"]).first()
        if user is None or site is None:
            raise CommandError("no such user" if user is None else "no such site")
        unit = find_numbered(Unit, "unit", options["site"], options["unit"]) if options["unit"] is not None else None
        try:
            with audited(self):
                given = give_role_by_operator(user, options["role"], site, unit)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"{given.member}")
        if given.password is not None:
            self.stdout.write(f"new password, for {user} alone, to be changed at once: {given.password}")
