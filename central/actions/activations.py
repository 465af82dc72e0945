"""When keys were active, and for whom: what the entries of their logs are held against.

Stations tell of what they activate; an activation box meets no network, and what it signed is told by the station that
clears it. So an entry that nothing explains yet is judged anew whenever an activation arrives.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from central.models import Activation, Event, Site
from central.models.events import Doubt
from central.models.noting import add, read
from central.signing.keyring import verifying_keys
from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import verified
from station.records.log_entry import MAX_COUNT

TOLERANCE_S = 300
"""A key's clock and a station's may differ by so much."""
LONGEST_S = 661 * 60
"""No lock opens for a longer one."""
MAYBE_WRITTEN = "unknown"
"""Whether ``act`` was written when the program died or the key went: it may open."""


def note_activations(site: Site, events: Iterable[Event], now: int) -> None:
    """Keep the activations that these events tell of, and judge anew the entries that they explain. Inside a change."""

    @cache
    def central_keys() -> list[bytes]:
        # Once for a batch, and only where a box has signed.
        return verifying_keys(site)

    found = [one for event in events if (one := _activation(site, event, now, central_keys)) is not None]
    if not found:
        return
    add(found)
    kept = Event.objects.kept(site, now)
    unexplained = kept.filter(key__in={one.key for one in found}, doubt=Doubt.NO_ACTIVATION)
    explained = [
        pk
        for pk, key, holder, at in unexplained.order_by().values_list("pk", "key", "holder", "at")
        if any((one.key, one.holder) == (key, holder) and _explains(one, at) for one in found)
    ]
    if explained:
        kept.filter(pk__in=explained).update(doubt="")


def judge(site: Site, openings: Iterable[Event]) -> None:
    """Set ``doubt`` of these entries, which opened a lock and have a time, by the activations known."""
    openings = list(openings)
    if not openings:
        return
    times = [opening.at for opening in openings]
    known: dict[tuple[int, int], list[Activation]] = {}
    keys = {opening.key or 0 for opening in openings}
    then = "site_id = {} AND key IN ({}) AND ends >= {} AND begins <= {}"
    for one in read(Activation, then, site.pk, keys, min(times) - TOLERANCE_S, max(times) + TOLERANCE_S):
        known.setdefault((one.key, one.holder), []).append(one)
    for opening in openings:
        if not any(_explains(one, opening.at) for one in known.get((opening.key or 0, opening.holder or 0), [])):
            opening.doubt = Doubt.NO_ACTIVATION


def _explains(one: Activation, at: int) -> bool:
    return one.begins - TOLERANCE_S <= at <= one.ends + TOLERANCE_S


def _activation(site: Site, event: Event, now: int, central_keys: Callable[[], list[bytes]]) -> Activation | None:
    """The activation that an event tells of."""
    if event.key is None:
        return None
    span: tuple[int, int, int] | None = None
    if event.type == "key_deactivated":
        span = _by_box(event, central_keys)
    elif event.type == "key_activated" or (
        event.type == "key_write_interrupted" and event.data.get("act") == MAYBE_WRITTEN
    ):
        span = _by_station(event)
    if span is None:
        return None
    holder, begins, ends = span
    return Activation(site=site, key=event.key, holder=holder, begins=begins, ends=ends, received_at=now)


def _by_station(event: Event) -> tuple[int, int, int] | None:
    if event.holder is None:
        return None
    expires = event.data.get("expires")
    longest = event.at + LONGEST_S
    # Any number that JSON has, also one that no database takes.
    ends = max(event.at, min(expires, longest)) if type(expires) is int else longest
    return event.holder, event.at, ends


def _by_box(event: Event, central_keys: Callable[[], list[bytes]]) -> tuple[int, int, int] | None:
    """What an activation box signed, if it did: by the box's certificate, signed by a central key not yet retired."""
    octets = _octets(event.data.get("boxcert"))
    box = verified(claims.StationCertificate, octets, central_keys()) if octets else None
    if box is None or box.role != claims.Role.ACTIVATION_BOX:
        return None
    act = verified(claims.Activation, _octets(event.data.get("act")), [box.public_key])
    if act is None or act.station != box.station or act.key != event.key or act.not_before > MAX_COUNT:
        return None
    return act.holder, act.not_before, min(act.expires, act.not_before + LONGEST_S)


def _octets(text: Any) -> bytes:
    try:
        return decoded(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
