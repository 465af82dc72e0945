"""What an activation box requires before it signs, with nothing but what is on the key. No network, no mirror.

Source: the signed-records contract, "What an activation box requires". The first rule that fails names the reason.
What `station sync` has brought the box can only add a refusal: a blocklist newer than the key's own.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from station.records.claims import Blocklist, KeyKind, KeyRecord, Permit, StationCertificate, Sync
from station.rules.facts import BoxDecision, Refusal
from station.rules.key_sync import SYNC_LIFETIME_S, SYNCHRONISES, key_clock_unset, last_sync
from station.rules.locks import Proof, Verifier, content, genuine
from station.rules.windows import window_end

SYNC_AHEAD_S = 300
"""How far a sync may lie ahead of the box's clock: two clocks differ."""

WRONG_PINS_LIMIT = 10
"""From this many wrong PINs on, the key is locked on this box."""


@dataclass(frozen=True, slots=True)
class WrongPins:
    """The wrong PINs of a key on this box, before the one that is to be judged."""

    failures: int = 0
    last_s: int | None = None
    """Unix seconds of the box's clock at the last of them."""

    def since(self, sync: Sync, now_s: int) -> int:
        """Those that count: none once a station has written a later ``sync``, which it does for no locked key.

        ``now_s``: the box's clock. One from ahead of it would be later than each further PIN, and forgive them all.
        """
        forgiven = self.last_s is not None and self.last_s < sync.issued <= now_s
        return 0 if forgiven else self.failures


def decide(
    verifier: Verifier,
    central: Sequence[bytes],
    files: Mapping[str, bytes],
    now_s: int,
    zone: tzinfo,
    *,
    box: int,
    key_clock_s: int | None,
    proof: Proof | None,
    wrong_pins: WrongPins,
    pin_tags: Sequence[bytes] | None,
    own_blocklist: Blocklist | None = None,
) -> BoxDecision:
    """Whether the box activates this key.

    ``central`` and ``files`` as for `station.rules.locks.decide`, ``act`` as it is after being cleared; ``now_s``: the
    box's own trusted Unix seconds; ``zone``: the site's. ``box``: its number. ``key_clock_s``: the key's clock, None
    when it says that it is unset (a key without a clock cannot, and is refused). ``proof``: the key's answer to this
    box's own nonce, None when it gave none. ``pin_tags``: the PIN's, under each pepper that the box has; None before
    it is typed. ``own_blocklist``: verified, as the box was last handed it; of this and the key's own the newer counts.
    """
    sync = last_sync(verifier, central, files)
    if key_clock_s is None or key_clock_unset(key_clock_s, sync):
        return BoxDecision(Refusal.CLOCK_UNSET)
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    if key is None:
        return BoxDecision(Refusal.BAD_KEY_RECORD)
    # By the key's clock, not the box's: they may differ, and locks will go by the key's.
    if not genuine(key, files, key_clock_s, proof):
        return BoxDecision(Refusal.NOT_GENUINE)
    certificate = verifier.verified(StationCertificate, content(files, "cert"), central)
    if certificate is None or certificate.role not in SYNCHRONISES or now_s >= certificate.expires:
        return BoxDecision(Refusal.BAD_STATION_CERTIFICATE)
    if sync is None:
        return BoxDecision(Refusal.NEVER_SYNCED)
    if not sync.issued - SYNC_AHEAD_S <= now_s <= sync.issued + SYNC_LIFETIME_S:
        return BoxDecision(Refusal.SYNCED_TOO_LONG_AGO)
    permit = verifier.verified(Permit, content(files, "permit"), central)
    if permit is None:
        return BoxDecision(Refusal.BAD_PERMIT)
    if not permit.not_before <= now_s < permit.expires:
        return BoxDecision(Refusal.PERMIT_EXPIRED)
    # A pool key works for the holder whose permit it carries.
    if key.kind is KeyKind.PERSONAL and permit.holder != key.holder:
        return BoxDecision(Refusal.WRONG_HOLDER)
    blocklist = _newer(verifier.verified(Blocklist, content(files, "block"), central), own_blocklist)
    if blocklist is not None and _blocks(blocklist, key, {certificate.station, box}):
        return BoxDecision(Refusal.BLOCKED)
    if window_end(permit.windows, now_s, zone) is None:
        return BoxDecision(Refusal.OUTSIDE_WINDOW)
    failures = wrong_pins.since(sync, now_s)
    return _judge_pin(BoxDecision(None, key, permit), permit.pin_tag, failures, pin_tags)


def _newer(on_key: Blocklist | None, own: Blocklist | None) -> Blocklist | None:
    """Neither's end matters, as at a lock: an old list still blocks."""
    if on_key is None or own is None:
        return on_key or own
    return own if own.version > on_key.version else on_key


def _blocks(blocklist: Blocklist, key: KeyRecord, stations: set[int]) -> bool:
    return key.key in blocklist.blocked_keys or not stations.isdisjoint(blocklist.blocked_stations)


def _judge_pin(asking: BoxDecision, right: bytes, failures: int, pin_tags: Sequence[bytes] | None) -> BoxDecision:
    if failures >= WRONG_PINS_LIMIT:
        return replace(asking, refusal=Refusal.LOCKED)
    if pin_tags is None:
        return asking
    # Each is compared, whether one has matched or not: the time must not tell under which pepper a PIN was given.
    matches = [hmac.compare_digest(tag, right) for tag in pin_tags]
    if any(matches):
        return replace(asking, activates=True, failures=0)
    return replace(asking, refusal=Refusal.WRONG_PIN, failures=failures + 1)
