"""`change()`: the only way to change what stations have a copy of.

A plain sequence loses rows: transactions commit in another order than they took their numbers, and a reader that has
seen the higher one never comes back for the lower. So a change collects the objects that it saves and deletes; at its
end it locks the site's counter row, gives out the revisions, and commits. Nothing waits between the lock and the
commit, and no revision can become visible before a lower one. The sum that stations are told in ``head/1`` lies in the
same row, and is brought up in the same transaction: what a change costs has nothing to do with how large the site is.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from central.clock import unix_now
from central.errors import CentralError
from central.feed.news import announce
from central.models import Area, FeedCounter, Lock, Mirrored, MirrorRow, Permission, TemporaryAccess, Watched
from central.models.base import Content
from central.signing.outdated import sign_outdated
from station.records.mirror_digest import MirrorSum, object_hash

TOMBSTONES_LOOKED_AT = 1000
"""In one round of the scheduler. Sorting them by site would read the whole table."""
RELATIONS: dict[Any, tuple[type[Watched], str]] = {
    Permission.areas.through: (Permission, "areas"),
    Permission.locks.through: (Permission, "locks"),
    TemporaryAccess.areas.through: (TemporaryAccess, "areas"),
}
"""Of what is permitted: the tables between, the model, and its field."""

Slot: TypeAlias = tuple[str, int]
"""Type and number of a mirror object."""


@dataclass
class Change:
    """What a transaction has saved and deleted so far."""

    saved: dict[tuple[type[models.Model], int], Watched] = field(default_factory=dict)
    to_sign: dict[tuple[type[models.Model], int], Watched] = field(default_factory=dict)
    """Those of them of which records may say something else now. A key that ten wrong PINs lock is none of them, and
    does not have the blocklist looked through."""
    deleted: list[Watched] = field(default_factory=list)
    deleted_slots: set[tuple[int, Slot]] = field(default_factory=set)
    """Site and slot of deleted mirror objects."""
    touched_slots: set[tuple[int, Slot]] = field(default_factory=set)
    """Of mirror objects that are to be told anew, also where nothing of them has changed."""

    def note_saved(self, instance: Watched, fields: Collection[str] | None = None) -> None:
        """``instance`` was saved, or those fields of it."""
        self.saved[type(instance), int(instance.pk)] = instance
        if fields is None or not instance.IN_NO_RECORD.issuperset(fields):
            self.to_sign[type(instance), int(instance.pk)] = instance

    def note_deleted(self, instance: Watched) -> None:
        """``instance`` was deleted."""
        self.saved.pop((type(instance), int(instance.pk)), None)
        self.to_sign.pop((type(instance), int(instance.pk)), None)
        self.deleted.append(instance)
        if isinstance(instance, Mirrored):
            self.deleted_slots.add((instance.mirror_site_id(), (instance.MIRROR_TYPE, instance.mirror_number())))


_current: ContextVar[Change | None] = ContextVar("current_change", default=None)


def current() -> Change:
    """The change that is going on. Raises CentralError (``outside_change``): what is saved outside is never told."""
    going_on = _current.get()
    if going_on is None:
        raise CentralError("outside_change")
    return going_on


@contextmanager
def change() -> Iterator[Change]:
    """A transaction at whose end everything that it changed gets its revision. Inside another one, a part of it.

    Raises CentralError (``unsigned``) for what was changed without signing the records that say it.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    with transaction.atomic():
        mine = Change()
        token = _current.set(mine)
        try:
            yield mine
            now = unix_now()
            # Whoever changes what a record says signs it, in sight. What they forgot is not told to anybody.
            if forgotten := sign_outdated(mine.to_sign.values(), mine.deleted, now):
                raise CentralError("unsigned", records=", ".join(forgotten))
            _stamp(mine, now)
        finally:
            _current.reset(token)


@contextmanager
def change_and_sign() -> Iterator[None]:
    """Change anything, as by hand or an import: what it makes outdated is signed at its end. Raises BlocklistFull."""
    with change() as going_on:
        yield
        sign_outdated(going_on.to_sign.values(), going_on.deleted, unix_now())


def touch(thing: Mirrored) -> None:
    """Tell a mirror object anew, with a higher revision, as it is now. Inside a change."""
    going_on = current()
    going_on.note_saved(thing)
    going_on.touched_slots.add((thing.mirror_site_id(), (thing.MIRROR_TYPE, thing.mirror_number())))


def _stamp(change_: Change, now: int) -> None:
    """Give revisions to what now differs from what stations were told, as the last act of the transaction."""
    slots: dict[int, dict[Slot, tuple[type[Mirrored], int] | None]] = defaultdict(dict)
    for site, slot in change_.deleted_slots:
        slots[site][slot] = None
    for (model, pk), instance in change_.saved.items():
        if isinstance(instance, Mirrored):
            assert issubclass(model, Mirrored)
            slots[instance.mirror_site_id()][instance.MIRROR_TYPE, instance.mirror_number()] = (model, pk)
    # Always in the same order, so that two changes of several sites cannot wait for each other.
    for site in sorted(slots):
        touched = {slot for of_site, slot in change_.touched_slots if of_site == site}
        _stamp_site(site, slots[site], touched, now)


def _stamp_site(site: int, slots: dict[Slot, tuple[type[Mirrored], int] | None], touched: set[Slot], now: int) -> None:
    FeedCounter.objects.get_or_create(site_id=site)
    counter = FeedCounter.objects.select_for_update().get(site_id=site)
    by_type: dict[str, list[int]] = defaultdict(list)
    for type_, number in slots:
        by_type[type_].append(number)
    told: dict[Slot, MirrorRow] = {}
    for type_, numbers in by_type.items():
        for row in MirrorRow.objects.filter(site_id=site, type=type_, number__in=numbers):
            told[type_, row.number] = row
    rows, added, taken = [], [], []
    contents = _contents(slots)
    for slot in sorted(slots):
        content = contents.get(slot)
        text = "" if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        row = told.get(slot) or MirrorRow(site_id=site, type=slot[0], number=slot[1])
        if text == row.content and not (text and slot in touched):
            continue
        counter.value += 1
        if row.hash is not None:
            taken.append(bytes(row.hash))
        row.revision, row.content, row.removed_at = counter.value, text, None if text else now
        row.hash = None if content is None else object_hash({"revision": row.revision, **content})
        if row.hash is not None:
            added.append(row.hash)
        rows.append(row)
    if not rows:
        return
    whole = MirrorSum(counter.count, bytes(counter.state)).changed(added, taken)
    counter.count, counter.state = whole.count, whole.state
    MirrorRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["site", "type", "number"],
        update_fields=["revision", "content", "hash", "removed_at"],
    )
    counter.save(update_fields=["value", "count", "state"])
    announce(site, counter.value)


def _contents(slots: dict[Slot, tuple[type[Mirrored], int] | None]) -> dict[Slot, Content]:
    """The objects as they are now, read again under the counter's lock: another change may have been before us."""
    by_model: dict[type[Mirrored], dict[int, Slot]] = defaultdict(dict)
    for slot, where in slots.items():
        if where is not None:
            by_model[where[0]][where[1]] = slot
    contents: dict[Slot, Content] = {}
    for model, pks in by_model.items():
        foreign = [f.name for f in model._meta.concrete_fields if f.is_relation]  # noqa: SLF001  (Django's own name)
        for instance in model._default_manager.select_related(*foreign, *model.MIRROR_READS).filter(pk__in=list(pks)):  # noqa: SLF001
            content = instance.mirror_content()
            if content is not None:
                slot = pks[int(instance.pk)]
                contents[slot] = {"type": slot[0], "id": slot[1], **content}
    return contents


def sites_with_tombstones(removed_before: int) -> list[int]:
    """The database ids of the sites that have the oldest tombstones of removals before that time."""
    old = MirrorRow.objects.filter(removed_at__lt=removed_before).order_by("removed_at")
    return sorted(set(old.values_list("site_id", flat=True)[:TOMBSTONES_LOOKED_AT]))


def forget_tombstones(site: int, removed_before: int) -> int:
    """Throw away tombstones of removals before that time; cursors older than the newest of them need a snapshot.

    Returns how many.
    """
    with transaction.atomic():
        FeedCounter.objects.get_or_create(site_id=site)
        counter = FeedCounter.objects.select_for_update().get(site_id=site)
        old = MirrorRow.objects.filter(site_id=site, removed_at__lt=removed_before)
        newest = old.aggregate(newest=models.Max("revision"))["newest"]
        if newest is None:
            return 0
        counter.floor = max(counter.floor, newest)
        counter.save(update_fields=["floor"])
        return old.delete()[0]


def watch_models() -> None:
    """Tell the change that is going on what is saved, deleted or given other relations. Once for a process."""
    pre_save.connect(_before_save, dispatch_uid="feed_before_save")
    post_save.connect(_after_save, dispatch_uid="feed_after_save")
    pre_delete.connect(_before_delete, dispatch_uid="feed_before_delete")
    for relation in RELATIONS:
        m2m_changed.connect(_after_relation, sender=relation, dispatch_uid=f"feed_{relation.__name__}")


def _before_save(instance: object, **_: Any) -> None:
    # Before it is written: outside a change there is no transaction that would take it back.
    if isinstance(instance, Watched):
        current()


def _after_save(instance: object, update_fields: frozenset[str] | None, **_: Any) -> None:
    if isinstance(instance, Watched):
        current().note_saved(instance, update_fields)


def _before_delete(instance: object, **_: Any) -> None:
    # Before, not after: what it belongs to may be deleted with it.
    if isinstance(instance, Watched):
        current().note_deleted(instance)
    # Deleting an area or a lock takes it out of permissions without a word from Django.
    if isinstance(instance, Area | Lock):
        for model, name in RELATIONS.values():
            if name == f"{type(instance).__name__.lower()}s":
                for each in model._default_manager.filter(**{name: instance}):  # noqa: SLF001
                    current().note_saved(each)


def _after_relation(
    sender: Any, instance: object, action: str, *, reverse: bool, pk_set: set[int] | None, **_: Any
) -> None:
    going_on = current()
    model, name = RELATIONS[sender]
    if isinstance(instance, model):
        going_on.note_saved(instance)
    elif reverse and action in ("post_add", "pre_remove", "pre_clear"):
        chosen = {"pk__in": pk_set} if pk_set else {name: instance}
        for each in model._default_manager.filter(**chosen):  # noqa: SLF001  (Django's own name)
            going_on.note_saved(each)
