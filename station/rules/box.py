"""What an activation box requires before it signs, with nothing but what is on the key. No network, no mirror.

Source: the signed-records contract, "What an activation box requires". The first rule that fails names the reason.
What `station sync` has brought the box can only add a refusal: a blocklist newer than the key's own.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from station.records.claims import Blocklist, KeyKind, KeyRecord, Permit, StationCertificate
from station.rules.lights import SYNC_LIFETIME_S, SYNCHRONISES, last_sync
from station.rules.locks import Verifier, content
from station.rules.windows import window_end

SYNC_AHEAD_S = 300
"""How far a sync may lie ahead of the box's clock: two clocks differ."""

WRONG_PINS_LIMIT = 10
"""From this many wrong PINs on, the key is locked on this box."""


class BoxReason(StrEnum):
    """`ACTIVATE`, or why not."""

    ACTIVATE = "activate"
    ASK_PIN = "ask_pin"
    """Everything but the PIN holds, and none has been given yet."""
    CLOCK_UNSET = "clock_unset"
    BAD_KEY_RECORD = "bad_key_record"
    BAD_STATION_CERTIFICATE = "bad_station_certificate"
    NEVER_SYNCED = "never_synced"
    SYNCED_TOO_LONG_AGO = "synced_too_long_ago"
    BAD_PERMIT = "bad_permit"
    PERMIT_EXPIRED = "permit_expired"
    WRONG_HOLDER = "wrong_holder"
    BLOCKED = "blocked"
    OUTSIDE_WINDOW = "outside_window"
    LOCKED = "locked"
    WRONG_PIN = "wrong_pin"


@dataclass(frozen=True, slots=True)
class BoxDecision:
    """What the box does. The rest is there from the PIN on (`ACTIVATE`, `ASK_PIN`, `LOCKED`, `WRONG_PIN`)."""

    reason: BoxReason
    key: KeyRecord | None = None
    permit: Permit | None = None
    window_end_s: int | None = None
    """Unix seconds at which the running window ends; `station.rules.windows.FOREVER` without windows."""


def decide(
    verifier: Verifier,
    central: Sequence[bytes],
    files: Mapping[str, bytes],
    now_s: int,
    zone: tzinfo,
    *,
    key_clock_set: bool,
    failures: int,
    pin_tag: bytes | None,
    own_blocklist: Blocklist | None = None,
) -> BoxDecision:
    """Whether the box activates this key.

    ``central`` and ``files`` as for `station.rules.locks.decide`; ``now_s``: the box's own trusted Unix seconds;
    ``zone``: the site's. ``key_clock_set``: the key said so (a key without a clock cannot, and is refused).
    ``failures``: wrong PINs on this box for this key, before this one. ``pin_tag``: the PIN's, None before it is typed.
    ``own_blocklist``: verified, as the box was last handed it; of this and the key's own the newer counts.
    """
    if not key_clock_set:
        return BoxDecision(BoxReason.CLOCK_UNSET)
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    if key is None:
        return BoxDecision(BoxReason.BAD_KEY_RECORD)
    certificate = verifier.verified(StationCertificate, content(files, "cert"), central)
    if certificate is None or certificate.role not in SYNCHRONISES or now_s >= certificate.expires:
        return BoxDecision(BoxReason.BAD_STATION_CERTIFICATE)
    sync = last_sync(verifier, central, files)
    if sync is None:
        return BoxDecision(BoxReason.NEVER_SYNCED)
    if not sync.issued - SYNC_AHEAD_S <= now_s <= sync.issued + SYNC_LIFETIME_S:
        return BoxDecision(BoxReason.SYNCED_TOO_LONG_AGO)
    permit = verifier.verified(Permit, content(files, "permit"), central)
    if permit is None:
        return BoxDecision(BoxReason.BAD_PERMIT)
    if not permit.not_before <= now_s < permit.expires:
        return BoxDecision(BoxReason.PERMIT_EXPIRED)
    # A pool key works for the holder whose permit it carries.
    if key.kind is KeyKind.PERSONAL and permit.holder != key.holder:
        return BoxDecision(BoxReason.WRONG_HOLDER)
    blocklist = _newer(verifier.verified(Blocklist, content(files, "block"), central), own_blocklist)
    if blocklist is not None and _blocks(blocklist, key, certificate):
        return BoxDecision(BoxReason.BLOCKED)
    window_end_s = window_end(permit.windows, now_s, zone)
    if window_end_s is None:
        return BoxDecision(BoxReason.OUTSIDE_WINDOW)
    return BoxDecision(_pin_reason(permit, failures, pin_tag), key, permit, window_end_s)


def _newer(on_key: Blocklist | None, own: Blocklist | None) -> Blocklist | None:
    """Neither's end matters, as at a lock: an old list still blocks."""
    if on_key is None or own is None:
        return on_key or own
    return own if own.version > on_key.version else on_key


def _blocks(blocklist: Blocklist, key: KeyRecord, certificate: StationCertificate) -> bool:
    return key.key in blocklist.blocked_keys or certificate.station in blocklist.blocked_stations


def _pin_reason(permit: Permit, failures: int, pin_tag: bytes | None) -> BoxReason:
    if failures >= WRONG_PINS_LIMIT:
        return BoxReason.LOCKED
    if pin_tag is None:
        return BoxReason.ASK_PIN
    return BoxReason.ACTIVATE if hmac.compare_digest(pin_tag, permit.pin_tag) else BoxReason.WRONG_PIN
