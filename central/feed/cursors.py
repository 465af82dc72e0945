"""Cursors: how far a station has followed a site's changes, as a word that means something to this database alone."""

from dataclasses import dataclass

from central.errors import Refused
from central.models.epoch import EPOCH, epoch
from central.models.mirror import FeedCounter
from central.postgresql import asking
from station.records.base64url import decoded, encoded
from station.records.strict_json import MAX_NUMBER

LIMIT_CHARACTERS = 200
_NEWEST = f"""
    SELECT epoch.value, counter.value FROM central_serverfact epoch
    LEFT JOIN central_feedcounter counter ON counter.site_id = %(site)s
    WHERE epoch.name = '{EPOCH}'
"""  # noqa: S608  (a constant)


@dataclass(frozen=True)
class Cursor:
    """Everything up to ``revision`` of the database of that epoch."""

    epoch: str
    revision: int

    def text(self) -> str:
        """As stations send it back."""
        return encoded(f"{self.epoch}.{self.revision}".encode("ascii"))

    @classmethod
    def of(cls, text: str) -> "Cursor":
        """The inverse. Raises Refused: 400 for what is no cursor, 410 for one that no database has given."""
        try:
            theirs, _, number = decoded(text).decode("ascii").rpartition(".")
            revision = int(number)
        except ValueError as error:
            raise Refused(400, "bad_request", "not a cursor") from error
        if not 0 <= revision <= MAX_NUMBER:
            raise resnapshot()
        return cls(theirs, revision)


def resnapshot() -> Refused:
    """The answer to a cursor that leads nowhere any more."""
    return Refused(410, "resnapshot", "this cursor can no longer be continued: ask for a snapshot")


def newest_revision(site: int) -> int:
    """Of the site's last change."""
    return FeedCounter.objects.filter(site_id=site).values_list("value", flat=True).first() or 0


def newest_cursor(site: int) -> str:
    """Of one who has everything: in the answer of a POST, so that a station knows whether to ask."""
    with asking() as cursor:
        cursor.execute(_NEWEST, {"site": site})
        found = cursor.fetchone()
    return Cursor(found[0], found[1] or 0).text() if found else Cursor(epoch(), newest_revision(site)).text()
