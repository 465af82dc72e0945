"""How far the blocking of a key has come.

Stations are known by the blocklist that they have, keys by their visits since, locks by what those keys told of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from central.clock import DAY_S, unix_now
from central.models import Block, BlockReached, Event, Key, Lock, Opening, Station

FOLLOWED_DAYS = 31
"""A lost key is dead after 11 hours; what has not heard of it in a month is hardly used, and a year's log is long."""
EXCLUDED_LIMIT = 10_000
FETCHED_AT_ONCE = 2000


@dataclass(frozen=True)
class Step:
    """A part of the trail: a station heard of it, a key took it along, a lock met such a key."""

    at: int
    kind: str
    """``blocked``, ``station``, ``key``, ``lock``."""
    number: int
    name: str = ""


@dataclass(frozen=True)
class BlockSpread:
    """How far a block has come."""

    block: Block
    stations: list[tuple[Station, int | None]]
    """Each, and when it first said that it knows; None for one that does not yet."""
    carried: dict[int, int]
    """Keys that have carried it to the locks since, by number, and from when on."""
    other_keys: int
    """How many active keys have not, as far as is known."""
    met: dict[int, tuple[int, int]]
    """Locks that have met one of those keys since it carried the block, by number: when, and which key."""
    unmet: list[int]
    """The other locks."""
    is_forgotten: bool
    """The log of those days is gone: what is told here is too little."""

    @property
    def reached(self) -> int:
        """How many stations know."""
        return sum(at is not None for _, at in self.stations)

    @property
    def all_locks(self) -> int:
        """How many locks the site has."""
        return len(self.met) + len(self.unmet)

    @property
    def is_complete(self) -> bool:
        """Every station knows and every lock has met a key that does."""
        return not self.unmet and self.reached == len(self.stations)

    def trail(self) -> list[Step]:
        """List what happened in its order, from the report to the last lock.

        Not which key was at a lock: who opened what is in the opening log, and read for a stated reason.
        """
        steps = [Step(self.block.at, "blocked", self.block.key.number, self.block.by)]
        steps += [Step(at, "station", station.number, station.name) for station, at in self.stations if at is not None]
        steps += [Step(at, "key", number) for number, at in self.carried.items()]
        steps += [Step(at, "lock", number) for number, (at, _) in self.met.items()]
        # A second that two of them share: a station hears, then a key, then a lock.
        order = ("blocked", "station", "key", "lock")
        return sorted(steps, key=lambda step: (max(step.at, self.block.at), order.index(step.kind), step.number))


def spread_of_block(key: Key) -> BlockSpread | None:
    """How far the blocking of this key has come; None for one that is not blocked here."""
    block = Block.objects.filter(key=key, open=True).select_related("key").first()
    if block is None:
        return None
    stations = Station.objects.filter(site=key.site_id, stolen=False, tokens__isnull=False).select_related("health")
    heard = dict(BlockReached.objects.filter(block=block).values_list("station", "at"))
    known = [(station, heard.get(station.pk)) for station in stations.distinct()]
    carried = _carried(key, block)
    active = Key.objects.filter(site=key.site_id, status=Key.Status.ACTIVE).exclude(number__in=carried).count()
    locks = set(Lock.objects.filter(site=key.site_id).values_list("number", flat=True))
    met = _met(key, block, carried, locks)
    is_forgotten = block.at < unix_now() - key.site.log_days * DAY_S
    return BlockSpread(block, known, carried, active, met, sorted(locks - met.keys()), is_forgotten)


def _carried(key: Key, block: Block) -> dict[int, int]:
    """Keys that met a station whose mirror was confirmed after the block, and when: a visit leaves the newest list."""
    kept = Event.objects.kept(key.site, unix_now())
    visits = kept.filter(type="key_synced", key__isnull=False).exclude(key=key.number)
    first: dict[int, int] = {}
    for day in _days(visits, block):
        fresh = _without(day, "key", first)
        for number, at, data in fresh.values_list("key", "at", "data").iterator(FETCHED_AT_ONCE):
            age_s = data.get("mirror_age_s")
            if number is not None and isinstance(age_s, int | float) and at - age_s >= block.at:
                first[number] = min(at, first.get(number, at))
    return first


def _met(key: Key, block: Block, carried: dict[int, int], locks: set[int]) -> dict[int, tuple[int, int]]:
    """Find the locks at which a key has been since it carried the block: when first, and which key."""
    kept: QuerySet[Any] = Opening.objects.kept(key.site, unix_now())
    openings = kept.filter(key__isnull=False, lock__isnull=False)
    first: dict[int, tuple[int, int]] = {}
    for day in _days(openings, block):
        fresh = _without(day, "lock", first)
        for number, lock, at in fresh.values_list("key", "lock", "at").iterator(FETCHED_AT_ONCE):
            is_news = lock in locks and number in carried and at >= carried[number]
            if is_news and (at, number) < first.get(lock, (at + 1, 0)):
                first[lock] = (at, number)
        if len(first) == len(locks):
            break
    return first


def _days(rows: "QuerySet[Any]", block: Block) -> "Iterator[QuerySet[Any]]":
    """The rows since the block, a day of receipt at a time: what is found on one day need not be looked for again."""
    for since in range(block.at, min(unix_now() + 1, block.at + FOLLOWED_DAYS * DAY_S), DAY_S):
        yield rows.filter(received_at__gte=since, received_at__lt=since + DAY_S).order_by()


def _without(rows: "QuerySet[Any]", field: str, known: dict[int, Any]) -> "QuerySet[Any]":
    # No database takes any number of parameters.
    return rows.exclude(**{f"{field}__in": list(known)}) if len(known) <= EXCLUDED_LIMIT else rows
