"""How far central has each key's log, and what is missing of it.

Goes by entries, never by a station's mere word: it cannot free what it has not sent. For entries that it makes up it
can, and then the numbers before them show as missing until somebody brings those entries.
"""

from collections.abc import Iterable, Mapping

from central.actions.log_reports import LogReport
from central.models import Key, LogGaps, LogMark

GAPS_LIMIT = 50
"""Of one key. A log with more holes has its oldest ones told as one."""


def note_log_reports(keys: Mapping[int, Key], reports: Iterable[LogReport], now: int) -> None:
    """Take in what was accepted, or had come before, of the logs of ``keys``, by number. Inside their lock."""
    reports = [report for report in reports if report.key in keys]
    marks = {mark.key_id: mark for mark in LogMark.objects.filter(key__in={keys[r.key].pk for r in reports})}
    gaps = {each.key_id: each for each in LogGaps.objects.filter(key__in={keys[r.key].pk for r in reports})}
    for report in reports:
        key = keys[report.key]
        first, last = report.numbers
        here = gaps.get(key.pk)
        if here is None:
            here = gaps[key.pk] = LogGaps(key=key, first=first, last=last, missing=[[first, last, now]])
        _reach(here, first, last, now)
        if report.entry is None:
            continue
        _take(here, first)
        mark = marks.setdefault(key.pk, LogMark(key=key, generation=report.generation, seq=first))
        mark.generation, mark.seq = max((mark.generation, mark.seq), (report.generation, first))
    LogMark.objects.bulk_create(
        list(marks.values()), update_conflicts=True, unique_fields=["key"], update_fields=["generation", "seq"]
    )
    LogGaps.objects.bulk_create(
        list(gaps.values()), update_conflicts=True, unique_fields=["key"], update_fields=["first", "last", "missing"]
    )


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
