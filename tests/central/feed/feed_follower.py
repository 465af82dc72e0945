"""Follows a site's feed as a station does, page by page, and holds every head's sum against its own."""

import json
from typing import Any

from central.feed.reading import Scope, changed, everything
from station.records.mirror_digest import MirrorSum, change_of, object_hash

PAGE = 7


class Follower:
    """A copy of a site's mirror, by the database itself."""

    def __init__(self, site: int) -> None:
        self.scope = Scope(site, None)
        self.objects: dict[Any, Any] = {}
        self.revisions: list[int] = []
        self.since, self.polls = 0, 0

    def poll(self) -> bool:
        """Take one page. Whether there is more; if not, what is held has to be what the same answer says."""
        state, rows = changed(self.scope, self.since, PAGE + 1, None)
        more, rows = len(rows) > PAGE, rows[:PAGE]
        for row in rows:
            if row.content:
                self.objects[row.type, row.number] = json.loads(row.json())
                self.revisions.append(row.revision)
            else:
                self.objects.pop((row.type, row.number), None)
        newest = rows[-1].revision if more else state.revision
        assert newest >= self.since
        self.since, self.polls = newest, self.polls + 1
        if not more:
            assert self._sum() == state.whole, "rows and sum are of one instant"
        return more

    def catch_up(self) -> None:
        """Poll until there is nothing more."""
        while self.poll():
            pass

    def is_whole(self) -> bool:
        """Whether this is what a snapshot says, and every revision came in order."""
        state, rows = everything(self.scope)
        there = {(row.type, row.number): json.loads(row.json()) for row in rows}
        assert state.whole == self._sum()
        return there == self.objects and self.revisions == sorted(self.revisions)

    def _sum(self) -> MirrorSum:
        change = change_of(list(self.objects.values()), [])
        return MirrorSum().changed(map(object_hash, change.upserts.values()))
