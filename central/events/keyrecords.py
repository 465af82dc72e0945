"""Which record each key carries: a change of the central key is over when every key has the one by the new key."""

from central.models import Key


def note_records(site: int, seen: dict[int, int]) -> None:
    """Keep, for each key number, when the newest record was signed that a station has seen on it. Inside a change.

    It is nothing that stations hear of, so it is written past the change feed.
    """
    if not seen:
        return
    moved = []
    for key in Key.objects.filter(site_id=site, number__in=list(seen)).only("number", "record_carried"):
        if seen[key.number] > (key.record_carried or 0):
            key.record_carried = seen[key.number]
            moved.append(key)
    if moved:
        Key.objects.bulk_update(moved, ["record_carried"])
