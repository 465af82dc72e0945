"""What commands about one key, holder or unit have in common: they name it by its number, and change it at once."""

import getpass
import os
from argparse import ArgumentParser
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar

from auditlog.context import set_extra_data
from django.core.management.base import BaseCommand, CommandError
from django.db import models

from central.feed import change

M = TypeVar("M", bound=models.Model)


class NumberedCommand(BaseCommand):
    """A command whose first argument is the number of one ``model`` of a site. `carry_out` does it, inside a change."""

    requires_system_checks = ()
    """Whether the code fits together is what tests ask: it took half of the time of every command."""
    model: ClassVar[type[models.Model]]
    what: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The number, and the site's."""
        parser.add_argument("number", type=int, metavar=self.what.upper(), help=f"the {self.what}'s number")
        parser.add_argument("--site", type=int, default=1, metavar="N", help="default: %(default)s")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find it, change it, say what was done."""
        found = self.find(options["site"], options["number"])
        with audited(self), change():
            done = self.carry_out(found, options)
        self.stdout.write(done)

    def find(self, site: int, number: int) -> Any:
        """The object. Raises CommandError when there is none."""
        return find_numbered(self.model, self.what, site, number)

    def carry_out(self, found: Any, options: dict[str, Any]) -> str:
        """Change it, and say what has been done."""
        raise NotImplementedError


def audited(command: BaseCommand) -> AbstractContextManager[None]:
    """Around what changes something: the audit log names the command and the machine's user, for want of an account."""
    name = type(command).__module__.rpartition(".")[2]
    context: AbstractContextManager[None] = set_extra_data(
        {"additional_data": {"command": name, "system_user": system_user()}}
    )
    return context


def system_user() -> str:
    """Who runs a command, by the machine's name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user without a name.
        return str(os.getuid())


def find_numbered(model: type[M], what: str, site: int, number: int) -> M:
    """The object of ``model`` with that number. Raises CommandError when there is none."""
    found = model._default_manager.filter(site__number=site, number=number).first()  # noqa: SLF001
    if found is None:
        raise CommandError(f"site {site} has no {what} {number}")
    return found
