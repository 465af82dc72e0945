"""Facts about this database: its epoch, where it is, and whether it was restored to an earlier state."""

import secrets

from django.db import models

EPOCH = "epoch"


class ServerFact(models.Model):
    """A fact about this database, by name: ``epoch``, which cursors carry and every site's mirror object says.

    ``restored_at`` and ``place`` are those of `central.actions.restored`.
    """

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


def fact(name: str) -> str | None:
    """What is noted under the name."""
    found = ServerFact.objects.filter(name=name).first()
    return None if found is None else str(found.value)


def epoch() -> str:
    """The random name of this database; another one's cursors mean nothing here."""
    found, _ = ServerFact.objects.get_or_create(name=EPOCH, defaults={"value": secrets.token_urlsafe(12)})
    return str(found.value)


def begin_new_epoch() -> None:
    """From now on every cursor that was given out leads to a snapshot. Every site is to be told anew with it."""
    ServerFact.objects.update_or_create(name=EPOCH, defaults={"value": secrets.token_urlsafe(12)})
