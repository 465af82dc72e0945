"""How far central has each key's log: stations tell the key what it may forget by it.

A station sends a key's entries in order, so the highest is the mark. Telling stations costs a revision each time;
therefore it is told at most once a minute for each key.
"""

from central.feed import change
from central.models import Key, LogMark

TOLD_EVERY_S = 60


def note_marks(site: int, marks: dict[int, tuple[int, int]], now: int) -> None:
    """Keep the highest ``(generation, seq)`` for each key number, and tell those that are due. Inside a change."""
    if not marks:
        return
    keys = {key.number: key for key in Key.objects.filter(site_id=site, number__in=list(marks))}
    known = {mark.key_id: mark for mark in LogMark.objects.filter(key__in=keys.values())}
    moved = []
    for number, key in keys.items():
        generation, seq = marks[number]
        mark = known.get(key.pk) or LogMark(key=key, generation=-1, seq=-1)
        if (generation, seq) > (mark.generation, mark.seq):
            mark.generation, mark.seq, mark.published = generation, seq, False
            moved.append(mark)
            if mark.published_at + TOLD_EVERY_S <= now:
                mark.published, mark.published_at = True, now
                key.log_generation, key.log_seq = generation, seq
                key.save(update_fields=["log_generation", "log_seq"])
    LogMark.objects.bulk_create(
        moved,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["generation", "seq", "published", "published_at"],
    )


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
