"""Right PINs that may not use a pool key: the screen says no more than for a wrong one, a coordinator hears why."""

from collections.abc import Iterable, Mapping

from central.actions.tasks import open_refused_pin_task
from central.models import Event, Holder, Key, Site

REASONS = frozenset({"not_hourly", "not_permanent", "no_permit", "closed_unit"})
"""Wrong category (for that kind of pool), no permit for its unit, a closed unit."""


def note_refused_pins(site: Site, keys: Mapping[int, Key], events: Iterable[Event]) -> None:
    """Open a task for each person that one of these events tells of. Nothing counts here: ``pin_rejected`` does."""
    last: dict[int, tuple[Key, str]] = {}
    for event in events:
        key = keys.get(event.key or 0)
        reason = event.data.get("reason")
        if event.type != "key_refused" or event.holder is None or not isinstance(reason, str) or reason not in REASONS:
            continue
        if key is not None and key.kind != Key.Kind.PERSONAL:
            last[event.holder] = key, reason
    if not last:
        return
    people = Holder.objects.filter(site=site, number__in=list(last), status=Holder.Status.ACTIVE)
    for holder in people.select_related("site", "unit"):
        open_refused_pin_task(holder, *last[holder.number])
