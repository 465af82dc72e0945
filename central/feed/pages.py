"""What stations are told: snapshots, pages of changes, digests and cursors.

Each answer comes from one SELECT, so that its rows, its count and its digest are of the same instant on any database.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Case, CharField, Value, When
from django.db.models.functions import Cast

from central.errors import Refused
from central.models.mirror import FeedCounter, MirrorRow, ServerFact
from station.records.base64url import decoded, encoded

CURSOR_LIMIT_CHARACTERS = 200
CHUNK_BYTES = 64 * 1024


def epoch() -> str:
    """The random name of this database; another one's cursors mean nothing here."""
    fact = ServerFact.objects.filter(name="epoch").first()
    if fact is None:
        fact, _ = ServerFact.objects.get_or_create(name="epoch", defaults={"value": secrets.token_urlsafe(12)})
    return str(fact.value)


def head(site: int) -> int:
    """The newest revision of a site."""
    return FeedCounter.objects.filter(site_id=site).values_list("value", flat=True).first() or 0


def cursor_of(revision: int) -> str:
    """The cursor of one who has everything up to ``revision``."""
    return encoded(f"{epoch()}.{revision}".encode("ascii"))


def revision_of(site: int, cursor: str) -> int:
    """The inverse of `cursor_of`.

    Raises Refused: 400 for what is no cursor; 410 ``resnapshot`` for another epoch's, for one that is ahead of this
    database (a restored backup), and for one older than the tombstones kept.
    """
    try:
        theirs, _, number = decoded(cursor).decode("ascii").rpartition(".")
        revision = int(number)
    except ValueError as error:
        raise Refused(400, "bad_request", "not a cursor") from error
    counter = FeedCounter.objects.filter(site_id=site).first()
    value, floor = (counter.value, counter.floor) if counter else (0, 0)
    if theirs != epoch() or not floor <= revision <= value:
        raise Refused(410, "resnapshot", "this cursor can no longer be continued: ask for a snapshot")
    return revision


@dataclass(frozen=True)
class Page:
    """An answer to ``/mirror/changes``. ``upserts`` are JSON texts."""

    upserts: list[str]
    removes: list[tuple[str, int]]
    revision: int
    more: bool
    count: int
    digest: str


class _Tally:
    """Count and digest of the objects in scope, as they go by."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def add(self, type_: str, number: int, revision: int) -> None:
        """One object that a station should have."""
        self._lines.append(f"{type_}:{number}:{revision}\n".encode("ascii"))

    @property
    def count(self) -> int:
        """How many objects."""
        return len(self._lines)

    def digest(self) -> str:
        """SHA-256 (hexadecimal) over the sorted lines ``type:id:revision\\n``."""
        return hashlib.sha256(b"".join(sorted(self._lines))).hexdigest()


def changes(site: int, since: int, limit: int) -> Page:
    """Everything of the site after revision ``since``, at most ``limit`` objects of it."""
    # Read before the rows: revisions are committed in order, so the rows have at least everything up to it.
    newest = head(site)
    tally = _Tally()
    changed: list[tuple[int, str, int, str]] = []
    rows = (
        MirrorRow.objects.filter(site_id=site)
        .annotate(
            text=Case(When(revision__gt=since, then=Cast("content", CharField())), default=Value("")),
        )
        .values_list("revision", "type", "number", "removed_at", "text")
    )
    for revision, type_, number, removed_at, text in rows:
        newest = max(newest, revision)
        if removed_at is None:
            tally.add(type_, number, revision)
        if revision > since:
            changed.append((revision, type_, number, text if removed_at is None else ""))
    changed.sort()
    more = len(changed) > limit
    page = changed[:limit]
    return Page(
        upserts=[with_revision(text, revision) for revision, _, _, text in page if text],
        removes=[(type_, number) for _, type_, number, text in page if not text],
        revision=page[-1][0] if more else newest,
        more=more,
        count=tally.count,
        digest=tally.digest(),
    )


def snapshot(site: int) -> Iterator[bytes]:
    """The JSON text of a whole snapshot, in pieces: the objects first, then what sums them up."""
    newest = head(site)
    tally = _Tally()
    yield b'{"objects":['
    piece = bytearray()
    rows = MirrorRow.objects.filter(site_id=site).values_list("revision", "type", "number", "removed_at", "content")
    for revision, type_, number, removed_at, content in rows.iterator(chunk_size=2000):
        newest = max(newest, revision)
        if removed_at is not None:
            continue
        piece += b"," if tally.count else b""
        piece += with_revision(content, revision).encode("utf-8")
        tally.add(type_, number, revision)
        if len(piece) >= CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    piece += (
        f'],"epoch":"{epoch()}","cursor":"{cursor_of(newest)}","count":{tally.count},"digest":"{tally.digest()}"}}'
    ).encode("ascii")
    yield bytes(piece)


def with_revision(content: str, revision: int) -> str:
    """A stored JSON object with its revision put in."""
    return f'{{"revision":{revision},{content[1:]}'
