"""What a page has shown when its form was sent: who acts on what has changed since is told first.

A form about something carries, in `FIELD`, how far the audit log had come about that. What stations tell of a key's
use is no part of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Max, Q

from central.models import Holder, Key, Permission, Site, Station

FIELD = "seen"
WORD = re.compile(r"([a-z]+)\.([0-9]{1,18})\.([0-9]{1,18})")
"""Of a mark: of what, its number in the database, and the newest entry about it."""
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
    asked: dict[str, list[int]] = defaultdict(list)
    for thing in things:
        if thing is not None:
            asked[names[type(thing)]].append(int(thing.pk))
    words = []
    for name, pks in asked.items():
        newest = dict(_entries(name, pks).order_by().values_list("object_id").annotate(newest=Max("pk")))
        words += [f"{name}.{pk}.{newest.get(pk, 0)}" for pk in pks]
    return " ".join(words)


def check(text: str) -> None:
    """Raises Stale where something of the mark has changed since. What is no mark says nothing."""
    shown: dict[str, dict[int, int]] = defaultdict(dict)
    for word in text[:LIMIT_CHARACTERS].split():
        told = WORD.fullmatch(word)
        if told is not None and told[1] in THINGS:
            shown[told[1]][int(told[2])] = int(told[3])
    changed: list[LogEntry] = []
    for name, last in shown.items():
        newer = _entries(name, last).filter(pk__gt=min(last.values())).select_related("actor").order_by("pk")
        changed += [each for each in newer if each.pk > last[each.object_id]]
    if changed:
        raise Stale(changed)


def _entries(name: str, pks: Iterable[int]) -> "models.QuerySet[LogEntry]":
    of = Q(content_type=ContentType.objects.get_for_model(THINGS[name]), object_id__in=list(pks))
    found: models.QuerySet[LogEntry] = LogEntry.objects.filter(of)
    return found
