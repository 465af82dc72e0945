"""What stations are told: snapshots, and pages of changes, each with the head that confirms it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from central.clock import unix_now
from central.feed.cursors import Cursor, resnapshot
from central.feed.reading import FeedRow, FeedState, Scope, changed, everything
from central.models import Station
from central.signing.records import sign_head
from station.records.base64url import encoded
from station.records.mirror_head import Call

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """Who asks, and what its answer's head is for."""

    station: Station
    nonce: bytes
    key: int | None = None

    @property
    def scope(self) -> Scope:
        """The objects that the station has a copy of."""
        return Scope.of(self.station)


@dataclass(frozen=True)
class Found:
    """What one reading found, at one instant: the same for all who have the same scope and cursor."""

    state: FeedState
    rows: list[FeedRow]
    limit: int
    now: int


@dataclass(frozen=True)
class Page:
    """An answer to ``/mirror/changes``. ``upserts`` are JSON texts."""

    upserts: list[str]
    removes: list[tuple[str, int]]
    cursor: Cursor
    more: bool
    head: bytes | None
    """``head/1``; None where there is more."""
    down: tuple[int, ...]
    """The numbers of the site's stations where nobody should be sent: a hint, which is no part of the mirror."""

    @property
    def is_empty(self) -> bool:
        """Nothing has changed."""
        return not self.upserts and not self.removes


def find(scope: Scope, since: Cursor, limit: int, key: int | None) -> Found:
    """Everything after ``since``, at most ``limit`` objects of it.

    Raises Refused (410 ``resnapshot``) for a cursor of another epoch, for one that is ahead of this database (a
    restored backup), and for one older than the tombstones kept.
    """
    # Before reading: a head never says that it is younger than what was read.
    now = unix_now()
    state, rows = changed(scope, since.revision, limit + 1, key)
    if since.epoch != state.epoch or not state.floor <= since.revision <= state.revision:
        raise resnapshot()
    return Found(state, rows, limit, now)


def page(asked: Asked, found: Found) -> Page:
    """The answer to one of those for whom that was found, with the head that confirms it."""
    more, rows = len(found.rows) > found.limit, found.rows[: found.limit]
    return Page(
        upserts=[row.json() for row in rows if row.content],
        removes=[(row.type, row.number) for row in rows if not row.content],
        cursor=Cursor(found.state.epoch, rows[-1].revision if more else found.state.revision),
        more=more,
        head=None if more else _head(asked, found.state, found.now),
        down=found.state.silent,
    )


def changes(asked: Asked, since: Cursor, limit: int) -> Page:
    """The page for one who asks alone. Raises Refused (410 ``resnapshot``)."""
    return page(asked, find(asked.scope, since, limit, asked.key))


def snapshot(asked: Asked) -> Iterator[bytes]:
    """The JSON text of a whole snapshot, in pieces: what sums it up first, then the objects, central's keys first."""
    now = unix_now()
    state, rows = everything(asked.scope)
    cursor = Cursor(state.epoch, state.revision).text()
    facts = {"epoch": state.epoch, "cursor": cursor, "head": encoded(_head(asked, state, now))}
    return _pieces(f'{json.dumps(facts)[:-1]}, "objects": [', (row.json() for row in rows))


def _head(asked: Asked, state: FeedState, now: int) -> bytes:
    call = Call(asked.station.number, asked.nonce, asked.key)
    log_seen = state.log_seen
    return sign_head(asked.station.site, state.current_key, call, state.revision, state.whole, log_seen, now)


def _pieces(beginning: str, objects: Iterator[str]) -> Iterator[bytes]:
    piece = bytearray(beginning.encode("ascii"))
    separator = b""
    for text in objects:
        piece += separator + text.encode("utf-8")
        separator = b","
        if len(piece) >= CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + b"]}")
