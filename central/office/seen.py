"""What a page has shown when its form was sent: who acts on what has changed since is told first.

A form about something carries, in `FIELD`, how far the audit log had come about that: about a person also which
receipts were made, about a station also whether it was taken out of use. What stations tell of a key's use is no part
of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Max, Q

from central.models import Holder, Key, Membership, OutOfOrder, Permission, Receipt, Site, Station, Task, Unit

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


class Stale(Exception):
    """What a form is about has changed since its page was shown."""

    def __init__(self, changes: list[LogEntry]) -> None:
        super().__init__(changes)
        self.changes = changes


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
        found = list(newer.select_related("actor", "content_type").order_by("pk"))
        of = _things(THINGS[name], {(each.content_type_id, each.object_id) for each in found})
        changed += [each for each in found if each.pk > entries[of[each.content_type_id, each.object_id]]]
    if changed:
        raise Stale(changed)


def _newest(things: list[models.Model]) -> dict[models.Model, int]:
    found: dict[models.Model, int] = {}
    for model in {type(thing) for thing in things}:
        mine = {thing.pk: thing for thing in things if type(thing) is model}
        entries = _entries(model, mine).order_by().values("content_type", "object_id").annotate(newest=Max("pk"))
        newest = {(type_, pk): entry for type_, pk, entry in entries.values_list("content_type", "object_id", "newest")}
        of = _things(model, newest)
        for about, entry in newest.items():
            thing = mine[of[about]]
            found[thing] = max(entry, found.get(thing, 0))
    return found


def _entries(model: type[models.Model], pks: Iterable[Any]) -> "models.QuerySet[LogEntry]":
    of, pks = ContentType.objects.get_for_model, list(pks)
    about = Q(content_type=of(model), object_id__in=pks)
    if model is Holder:
        made = Receipt.objects.filter(holder__in=pks).values("pk")
        about |= Q(content_type=of(Receipt), object_id__in=made, action=LogEntry.Action.CREATE)
    elif model is Station:
        about |= Q(content_type=of(OutOfOrder), object_id__in=pks)
    found: models.QuerySet[LogEntry] = LogEntry.objects.filter(about)
    return found


def _things(model: type[models.Model], found: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Which of the things, by its ``pk``, each of these is about: by content type and number, as the log has them."""
    receipts = ContentType.objects.get_for_model(Receipt).pk if model is Holder else None
    made = [pk for type_, pk in found if type_ == receipts]
    people = dict(Receipt.objects.filter(pk__in=made).values_list("pk", "holder")) if made else {}
    return {(type_, pk): people[pk] if type_ == receipts else pk for type_, pk in found}
