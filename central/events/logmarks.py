"""How far central has each key's log: stations tell the key what it may forget by it.

A station sends a key's entries in order, so the highest is the mark. Telling stations costs a revision each time;
therefore it is told at most once a minute for each key.
"""

from central.feed import change
from central.models import Key, LogMark

TOLD_EVERY_S = 60


def note_marks(site: int, marks: dict[int, tuple[int, int]], now: int) -> None:
    """Keep the highest ``(generation, seq)`` for each key number, and tell those that are due. Inside a change."""
    for key in Key.objects.filter(site_id=site, number__in=list(marks)):
        generation, seq = marks[key.number]
        mark = LogMark.objects.filter(key=key).first() or LogMark(key=key, generation=-1, seq=-1)
        if (generation, seq) > (mark.generation, mark.seq):
            mark.generation, mark.seq, mark.published = generation, seq, False
            mark.save()
            if mark.published_at + TOLD_EVERY_S <= now:
                _publish(mark, now)


def publish_marks(now: int) -> None:
    """Tell stations the marks that have waited for their minute."""
    waiting = LogMark.objects.filter(published=False, published_at__lte=now - TOLD_EVERY_S)
    if waiting.exists():
        with change():
            for mark in waiting.select_related("key"):
                _publish(mark, now)


def _publish(mark: LogMark, now: int) -> None:
    mark.key.log_generation, mark.key.log_seq = mark.generation, mark.seq
    mark.key.save(update_fields=["log_generation", "log_seq"])
    mark.published, mark.published_at = True, now
    mark.save()
