"""What a page has shown when its form was sent: who acts on what has changed since is told first.

A form about something carries, in `FIELD`, how far the audit log had come about that. What stations tell of a key's
use is no part of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Max, Q

from central.models import Holder, Key, Membership, Permission, Receipt, Site, Station, Task, Unit

FIELD = "seen"
LIMIT_CHARACTERS = 4000
"""A hundred people, as many as a page of a list has."""
THINGS: dict[str, type[models.Model]] = {
    "key": Key,
    "person": Holder,
    "access": Permission,
    "station": Station,
    "site": Site,
    "unit": Unit,
    "task": Task,
    "receipt": Receipt,
    "user": get_user_model(),
    "role": Membership,
}


NAMES = {model: name for name, model in THINGS.items()}
LOOKED = "newest_entry"
MARK = re.compile(r"\b([a-z]+)\.([0-9]{1,18})\.([0-9]{1,18})\b")


@dataclass(frozen=True)
class Stale(Exception):
    """What a form is about has changed since its page was shown."""

    changes: list[LogEntry]


def mark(things: Iterable[models.Model | None]) -> str:
    """How far these have come: ``name.pk.entry`` of each, with blanks between them."""
    found = [thing for thing in things if thing is not None]
    newest = _newest([thing for thing in found if not hasattr(thing, LOOKED)])
    return " ".join(
        f"{NAMES[type(thing)]}.{thing.pk}.{getattr(thing, LOOKED, newest.get(thing, 0))}" for thing in found
    )


def look(things: Iterable[models.Model]) -> None:
    """Have `mark` know how far each of these has come: one question for a whole list of forms."""
    every = list(things)
    newest = _newest(every)
    for thing in every:
        setattr(thing, LOOKED, newest.get(thing, 0))


def check(text: str) -> None:
    """Raises Stale where something of the mark has changed since. What is no mark says nothing."""
    last: dict[str, dict[int, int]] = defaultdict(dict)
    for name, pk, entry in MARK.findall(text[:LIMIT_CHARACTERS]):
        if name in THINGS:
            last[name][int(pk)] = int(entry)
    changed: list[LogEntry] = []
    for name, entries in last.items():
        newer = _entries(THINGS[name], entries).filter(pk__gt=min(entries.values()))
        newer = newer.select_related("actor", "content_type").order_by("pk")
        changed += [each for each in newer if each.pk > entries[each.object_id]]
    if changed:
        raise Stale(changed)


def _newest(things: list[models.Model]) -> dict[models.Model, int]:
    found: dict[models.Model, int] = {}
    for model in {type(thing) for thing in things}:
        mine = {thing.pk: thing for thing in things if type(thing) is model}
        entries = _entries(model, mine).order_by().values("object_id").annotate(newest=Max("pk"))
        found |= {mine[pk]: newest for pk, newest in entries.values_list("object_id", "newest")}
    return found


def _entries(model: type[models.Model], pks: Iterable[Any]) -> "models.QuerySet[LogEntry]":
    of = Q(content_type=ContentType.objects.get_for_model(model), object_id__in=list(pks))
    found: models.QuerySet[LogEntry] = LogEntry.objects.filter(of)
    return found
