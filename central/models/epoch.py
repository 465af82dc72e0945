"""The epoch: the random name of a database, which begins anew when an earlier state of it is restored."""

import secrets

from django.db import models

EPOCH = "epoch"


class ServerFact(models.Model):
    """A fact about this database, by name: ``epoch``, which cursors carry and every site's mirror object says."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


def epoch() -> str:
    """The random name of this database; another one's cursors mean nothing here."""
    fact = ServerFact.objects.filter(name=EPOCH).first()
    if fact is None:
        fact, _ = ServerFact.objects.get_or_create(name=EPOCH, defaults={"value": secrets.token_urlsafe(12)})
    return str(fact.value)


def begin_new_epoch() -> None:
    """From now on every cursor that was given out leads to a snapshot. Every site is to be told anew with it."""
    ServerFact.objects.update_or_create(name=EPOCH, defaults={"value": secrets.token_urlsafe(12)})
