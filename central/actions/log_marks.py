"""How far central has each key's log, and what is missing of it.

Goes by entries, never by a station's mere word: it cannot free what it has not sent. For entries that it makes up it
can, and then the numbers before them show as missing until somebody brings those entries.
"""

from collections.abc import Iterable, Mapping

from central.actions.log_reports import LogReport
from central.models import Key, LogGaps, LogMark
from central.models.noting import add, read

GAPS_LIMIT = 50
"""Of one key. A log with more holes has its oldest ones told as one."""


class LogsKnown:
    """What central has of the logs of some keys, and what these reports add to it. Within the keys' lock."""

    def __init__(self, keys: Mapping[int, Key], reports: Iterable[LogReport]) -> None:
        """``keys`` by number. ``reports``: what was accepted, or had come before."""
        self._keys = keys
        self._reports = [report for report in reports if report.key in keys]
        told_of = {keys[report.key].pk for report in self._reports}
        self._marks: dict[int, LogMark] = {}
        self._gaps: dict[int, LogGaps] = {}
        if told_of:
            self._marks = {mark.key_id: mark for mark in read(LogMark, "key_id IN ({})", told_of)}
            self._gaps = {each.key_id: each for each in read(LogGaps, "key_id IN ({})", told_of)}

    def may_have(self, key: int, seq: int) -> bool:
        """Whether that entry of that key may have come before; False only where it certainly has not.

        Of keys that central does not know nothing is kept.
        """
        if key not in self._keys:
            return True
        here = self._gaps.get(self._keys[key].pk)
        if here is None or not here.first <= seq <= here.last:
            return False
        is_missing = any(first <= seq <= last for first, last, _ in here.missing)
        return not is_missing or len(here.missing) >= GAPS_LIMIT

    def note(self, now: int) -> None:
        """Take in the reports."""
        for report in self._reports:
            key = self._keys[report.key]
            first, last = report.numbers
            here = self._gaps.get(key.pk)
            if here is None:
                here = self._gaps[key.pk] = LogGaps(key=key, first=first, last=last, missing=[[first, last, now]])
            _reach(here, first, last, now)
            if report.entry is None:
                continue
            _take(here, first)
            mark = self._marks.setdefault(key.pk, LogMark(key=key, generation=report.generation, seq=first))
            mark.generation, mark.seq = max((mark.generation, mark.seq), (report.generation, first))
        add(list(self._marks.values()), over="key")
        add(list(self._gaps.values()), over="key")


def _reach(here: LogGaps, first: int, last: int, now: int) -> None:
    """The log has numbers from ``first`` to ``last``: those that nobody had heard of are missing."""
    if last > here.last:
        here.missing = [*here.missing, [here.last + 1, last, now]]
        here.last = last
    if first < here.first:
        here.missing = [[first, here.first - 1, now], *here.missing]
        here.first = first
    while len(here.missing) > GAPS_LIMIT:
        one, two, *rest = here.missing
        here.missing = [[one[0], two[1], one[2]], *rest]


def _take(here: LogGaps, seq: int) -> None:
    """Entry ``seq`` has come."""
    left = []
    for first, last, since in here.missing:
        parts = ((first, seq - 1), (seq + 1, last)) if first <= seq <= last else ((first, last),)
        left += [[a, b, since] for a, b in parts if a <= b]
    here.missing = left
