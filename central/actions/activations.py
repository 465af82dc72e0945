"""When keys were active, and for whom: what the entries of their logs are held against.

Stations tell of what they activate; an activation box meets no network, and what it signed is told by the station that
clears it. So an entry that nothing explains yet is judged anew whenever an activation arrives.
"""

from collections.abc import Iterable
from typing import Any

from central.models import Activation, Event, Site
from central.models.events import ENTRY_TYPES, Doubt
from central.signing.keyring import chain
from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import verified

TOLERANCE_S = 300
"""A key's clock and a station's may differ by so much."""
LONGEST_S = 661 * 60
"""No lock opens for a longer one."""
MAYBE_WRITTEN = "unknown"
"""Whether ``act`` was written when the program died or the key went: it may open."""


def note_activations(site: Site, events: Iterable[Event], now: int) -> None:
    """Keep the activations that these events tell of, and judge anew the entries that they explain. Inside a change."""
    found = [one for event in events if (one := _activation(site, event, now)) is not None]
    Activation.objects.bulk_create(found)
    for one in found:
        explained = Event.objects.filter(
            site=site, key=one.key, holder=one.holder, type=ENTRY_TYPES[0], doubt=Doubt.NO_ACTIVATION,
            at__gte=one.begins - TOLERANCE_S, at__lte=one.ends + TOLERANCE_S,
        )  # fmt: skip
        explained.update(doubt="")


def judge(site: Site, openings: Iterable[Event]) -> None:
    """Set ``doubt`` of these entries, which opened a lock and have a time, by the activations known."""
    openings = list(openings)
    if not openings:
        return
    earliest = min(opening.at for opening in openings) - TOLERANCE_S
    known: dict[tuple[int, int], list[tuple[int, int]]] = {}
    keys = {opening.key for opening in openings if opening.key is not None}
    for one in Activation.objects.filter(site=site, key__in=keys, ends__gte=earliest):
        known.setdefault((one.key, one.holder), []).append((one.begins - TOLERANCE_S, one.ends + TOLERANCE_S))
    for opening in openings:
        spans = known.get((opening.key or 0, opening.holder or 0), [])
        if not any(begins <= opening.at <= ends for begins, ends in spans):
            opening.doubt = Doubt.NO_ACTIVATION


def _activation(site: Site, event: Event, now: int) -> Activation | None:
    """The activation that an event tells of."""
    if event.key is None:
        return None
    span: tuple[int, int, int] | None = None
    if event.type == "key_deactivated":
        span = _by_box(site, event)
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
    ends = min(expires, longest) if type(expires) is int else longest
    return event.holder, event.at, ends


def _by_box(site: Site, event: Event) -> tuple[int, int, int] | None:
    """What an activation box signed, if it did: by the box's certificate, which central has signed."""
    box = verified(claims.StationCertificate, _octets(event.data.get("boxcert")), chain(site))
    if box is None or box.role != claims.Role.ACTIVATION_BOX:
        return None
    act = verified(claims.Activation, _octets(event.data.get("act")), [box.public_key])
    if act is None or act.station != box.station or act.key != event.key:
        return None
    return act.holder, act.not_before, min(act.expires, act.not_before + LONGEST_S)


def _octets(text: Any) -> bytes:
    try:
        return decoded(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
