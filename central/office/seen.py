"""What a page has shown when its form was sent: who acts on what has changed since is told first.

A form about something carries, in `FIELD`, how far the audit log had come about that. What stations tell of a key's
use is no part of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Max, Q

from central.models import Holder, Key, Permission, Site, Station

FIELD = "seen"
LIMIT_CHARACTERS = 4000
"""A hundred people, as many as a page of a list has."""
THINGS: dict[str, type[models.Model]] = {
    "key": Key,
    "person": Holder,
    "access": Permission,
    "station": Station,
    "site": Site,
}


@dataclass(frozen=True)
class Stale(Exception):
    """What a form is about has changed since its page was shown."""

    changes: list[LogEntry]


def mark(things: Iterable[models.Model | None]) -> str:
    """How far these have come: ``name.pk.entry`` of each, with blanks between them."""
    names = {model: name for name, model in THINGS.items()}
    found = [(names[type(thing)], int(thing.pk)) for thing in things if thing is not None]
    return " ".join(f"{name}.{pk}.{_newest(name, pk)}" for name, pk in found)


def check(text: str) -> None:
    """Raises Stale where something of the mark has changed since. What is no mark says nothing."""
    changed: list[LogEntry] = []
    for word in text[:LIMIT_CHARACTERS].split():
        name, _, rest = word.partition(".")
        pk, _, entry = rest.partition(".")
        if name in THINGS and pk.isdecimal() and entry.isdecimal():
            newer = _entries(name, int(pk)).filter(pk__gt=int(entry))
            changed += newer.select_related("actor").order_by("pk")
    if changed:
        raise Stale(changed)


def _newest(name: str, pk: int) -> int:
    return int(_entries(name, pk).aggregate(newest=Max("pk"))["newest"] or 0)


def _entries(name: str, pk: int) -> "models.QuerySet[LogEntry]":
    of = Q(content_type=ContentType.objects.get_for_model(THINGS[name]), object_id=pk)
    found: models.QuerySet[LogEntry] = LogEntry.objects.filter(of)
    return found
