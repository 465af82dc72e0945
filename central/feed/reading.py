"""Reads the feed: the objects of an answer, and what the mirror then sums up to, by one statement.

One statement sees one instant, on any database: the head that is signed says nothing of a change that the rows lack,
nor the other way round. A poll reads what has changed and nothing else, however large the site is; a box is told of the
chain of central keys and three objects more, and what it has is summed up anew each time.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import connection

from central.models import CentralKey, Mirrored, MirrorRow, Station
from central.postgresql import asking
from station.records.claims import LogPosition
from station.records.mirror_digest import MirrorSum

READ_AT_ONCE = 1000
SILENT_LIMIT = 50
ALL_OF_A_BOX = 10_000
"""Objects; a chain of central keys has a thousand at most."""

# An answer begins with one row of what is known of the site, and goes on with rows of objects. Parts of a UNION ALL are
# answered one after the other: a snapshot is never sorted. (No parallel plans: they are read through a cursor.)
_SITE = """
    SELECT counter.value, counter.floor, counter.count, counter.state, site.current_key, epoch.value,
           mark.generation, mark.seq, NULL, NULL, NULL, NULL, NULL
    FROM central_feedcounter counter
    JOIN central_site site ON site.id = counter.site_id
    JOIN central_serverfact epoch ON epoch.name = 'epoch'
    LEFT JOIN central_key asked ON asked.site_id = counter.site_id AND asked.number = %(key)s
    LEFT JOIN central_logmark mark ON mark.key_id = asked.id
    WHERE counter.site_id = %(site)s
"""
_OBJECTS = """
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           found.revision, found.type, found.number, found.content, found.hash
    FROM (
        SELECT revision, type, number, content, hash FROM central_mirrorrow WHERE site_id = %(site)s AND {which}
    ) found
"""
# Where nobody should be sent, a hint that is no part of the mirror. A box meets no network: its silence says nothing.
_SILENT = f"""
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, silent.number, NULL, NULL
    FROM (
        SELECT number FROM central_station
        WHERE site_id = %(site)s AND status = '{Station.Status.DOWN}' AND role <> {int(Station.Role.ACTIVATION_BOX)}
        ORDER BY number LIMIT {SILENT_LIMIT}
    ) silent
"""  # noqa: S608  (constants)
_CHANGED = _SITE + _OBJECTS.format(which="revision > %(since)s ORDER BY revision LIMIT %(limit)s") + _SILENT
_EVERYTHING = (
    _SITE
    + _OBJECTS.format(which="hash IS NOT NULL AND type = 'central_key' ORDER BY number")
    + _OBJECTS.format(which="hash IS NOT NULL AND type <> 'central_key'")
)
_OF_A_BOX = """(type IN ('blocklist', 'central_key', 'site') OR type = 'station' AND number = %(box)s)"""
_BOX = _SITE + _OBJECTS.format(which=_OF_A_BOX)


class Scope(NamedTuple):
    """Which objects a station has a copy of."""

    site: int
    """The database's own number."""
    box: int | None
    """The number of an activation box, which has few; None: those of the whole site."""

    @classmethod
    def of(cls, station: Station) -> "Scope":
        """The station's."""
        return cls(station.site_id, station.number if station.role == Station.Role.ACTIVATION_BOX else None)


@dataclass(frozen=True)
class FeedState:
    """Where the feed is, at the instant of an answer."""

    epoch: str
    revision: int
    """Of the site's newest change."""
    floor: int
    """An older cursor cannot be continued: tombstones after it have been thrown away."""
    whole: MirrorSum
    """Over all that the asking station then has."""
    current_key: int
    """Which of the site's central keys signs heads."""
    log_seen: LogPosition | None
    """The greatest entry of the log of the key that was asked about."""
    silent: tuple[int, ...] = ()
    """The numbers of stations that are down, at most `SILENT_LIMIT`; of an answer about changes, and not for a box."""


class FeedRow(NamedTuple):
    """An object as it is now, or the tombstone of one."""

    revision: int
    type: str
    number: int
    content: str
    """JSON without the revision; empty on a tombstone."""
    hash: bytes | None

    def json(self) -> str:
        """The object as it is sent."""
        return f'{{"revision":{self.revision},{self.content[1:]}'


def changed(scope: Scope, since: int, limit: int, key: int | None) -> tuple[FeedState, list[FeedRow]]:
    """At most ``limit`` objects that have changed after revision ``since``, in the order of their changes."""
    asked = {"site": scope.site, "key": key, "since": since, "limit": limit, "box": scope.box}
    with asking() as cursor:
        cursor.execute(_CHANGED if scope.box is None else _BOX, asked)
        first, *rest = cursor.fetchall()
    rows = [_row(each) for each in rest if each[8] is not None]
    state = replace(_state(first), silent=tuple(each[10] for each in rest if each[8] is None))
    if scope.box is not None:
        state = _of_a_box(state, rows)
        rows = [row for row in rows if row.revision > since]
    return state, sorted(rows)[:limit]


def everything(scope: Scope) -> tuple[FeedState, Iterator[FeedRow]]:
    """All objects, the links of the chain of central keys first, in their order. To be read to the end."""
    if scope.box is not None:
        state, rows = changed(scope, 0, ALL_OF_A_BOX, None)
        held = [row for row in rows if row.hash is not None]
        return state, iter(sorted(held, key=lambda row: (row.type != CentralKey.MIRROR_TYPE, row.number)))
    found = _stream(_EVERYTHING, {"site": scope.site, "key": None})
    # The first is read now, and not when the answer is on its way: what goes wrong is still told by a status.
    return _state(next(found)), map(_row, found)


def told_object(thing: Mirrored) -> dict[str, Any]:
    """The mirror object of one thing, as stations are told it."""
    row = MirrorRow.objects.get(site=thing.mirror_site_id(), type=thing.MIRROR_TYPE, number=thing.mirror_number())
    told: dict[str, Any] = json.loads(FeedRow(row.revision, row.type, row.number, row.content, None).json())
    return told


def _stream(statement: str, asked: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(statement, asked)
        while found := cursor.fetchmany(READ_AT_ONCE):
            yield from found


def _state(row: tuple[Any, ...]) -> FeedState:
    value, floor, count, state, current_key, epoch, generation, seq = row[:8]
    log_seen = LogPosition(generation, seq) if generation is not None else None
    return FeedState(epoch, value, floor, MirrorSum(count, bytes(state)), current_key, log_seen)


def _row(row: tuple[Any, ...]) -> FeedRow:
    revision, type_, number, content, hashed = row[8:]
    return FeedRow(revision, type_, number, content, None if hashed is None else bytes(hashed))


def _of_a_box(state: FeedState, rows: list[FeedRow]) -> FeedState:
    return replace(state, whole=MirrorSum().changed(row.hash for row in rows if row.hash is not None))
