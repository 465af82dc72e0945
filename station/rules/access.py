"""Who may activate what: the rules before the PIN, and the decision after it."""

import hmac
from collections.abc import Sequence

from station.records.claims import Category, KeyKind, KeyRecord
from station.rules.facts import (
    Attempts,
    Carried,
    Grant,
    HolderEntry,
    KeyEntry,
    KeyKnown,
    KeyStatus,
    Now,
    PermitEntry,
    Person,
    Policy,
    Refusal,
    Shortened,
    StationFacts,
    Unfit,
    WrongPin,
)
from station.rules.windows import window_end

CLOCKS_DIFFER_S = 60

AFTER_PIN = frozenset({Refusal.PERMIT_EXPIRED, Refusal.OUTSIDE_WINDOW, Refusal.KEY_FAULT})
"""Refusals that news from central cannot lift while the key is in the socket: the PIN has been used up."""


def same_key(on_key: KeyRecord, entry: KeyEntry) -> bool:
    """Whether the record on the key and central's say the same; an old record must not revive a former holder."""
    mirrored = entry.record
    return (on_key.key, on_key.kind, on_key.unit, on_key.holder) == (
        mirrored.key,
        mirrored.kind,
        mirrored.unit,
        mirrored.holder,
    )


def signed_anew(on_key: KeyRecord, known: KeyKnown) -> KeyEntry | None:
    """What the mirror has of this key, if central has signed its record again since and the key is to be used.

    A key that cannot prove itself never becomes one that can, nor the other way round: a copy with the older record of
    the number would open.
    """
    entry = known.key
    if entry is None or entry.status is not KeyStatus.ACTIVE or known.on_blocklist:
        return None
    newer, ours = entry.record, (on_key.key, on_key.key_public)
    return entry if newer.issued > on_key.issued and (newer.key, newer.key_public) == ours else None


def handed_on(on_key: KeyRecord, known: KeyKnown) -> KeyEntry | None:
    """As `signed_anew`, where it was signed for another holder, kind or unit."""
    entry = signed_anew(on_key, known)
    return None if entry is None or same_key(on_key, entry) else entry


def refusal_before_pin(on_key: KeyRecord, known: KeyKnown, attempts: Attempts) -> Refusal | None:
    """Why this key gets no prompt, or None."""
    if known.carried is not None:
        refusal = known.carried.decision.refusal
        if refusal not in {None, Refusal.LOCKED, Refusal.WRONG_PIN}:
            return refusal
        # How many PINs were wrong before, `Attempts` says.
        return Refusal.LOCKED if attempts.locked else None
    if known.on_blocklist or (known.key is not None and known.key.status is KeyStatus.BLOCKED):
        return Refusal.BLOCKED
    if known.key is None or not same_key(on_key, known.key):
        return Refusal.UNKNOWN
    if known.key.status is KeyStatus.RETURNED:
        return Refusal.RETURNED
    if attempts.locked:
        return Refusal.LOCKED
    if known.key.kind is KeyKind.PERSONAL and (known.holder is None or known.holder.ended):
        return Refusal.HOLDER_ENDED
    return None


def decide(
    known: KeyKnown,
    person: Person | None,
    pin_tags: Sequence[bytes],
    own_permit: PermitEntry | None,
    station: StationFacts,
    policy: Policy,
    now: Now,
) -> Grant | WrongPin | Refusal:
    """What the PIN that gave ``pin_tags``, one under each pepper, is worth on this key.

    ``known`` has passed `refusal_before_pin`. ``own_permit`` is the verified permit on the key, which may be newer
    than the mirror's. ``now.trust`` is not None unless ``station.off_only`` says so.
    """
    key = known.key
    if key is None:
        return Refusal.UNKNOWN
    if known.carried is not None:
        found = _carried(known.carried, key, known.permit)
    elif key.kind is KeyKind.PERSONAL:
        found = _personal(known, person, pin_tags, own_permit)
    else:
        found = _pool(key, known, person, pin_tags, own_permit)
    return found if isinstance(found, WrongPin) else _granted(key, *found, station, policy, now)


def renew(
    known: KeyKnown, own_permit: PermitEntry | None, station: StationFacts, policy: Policy, now: Now
) -> Grant | Refusal:
    """What an update box does with a key, without a PIN: it renews the personal keys of its own unit.

    ``known`` has passed `refusal_before_pin`; the rest is as for `decide`.
    """
    key, holder = known.key, known.holder
    if key is None:
        return Refusal.UNKNOWN
    if key.kind is not KeyKind.PERSONAL or holder is None:
        return Refusal.NOT_PERSONAL
    if key.record.unit != station.unit:
        return Refusal.OTHER_UNIT
    entry = newer(own_permit, known.permit, holder.holder)
    return Refusal.NO_PERMIT if entry is None else _granted(key, holder, entry, station, policy, now)


def _granted(
    key: KeyEntry, holder: HolderEntry, entry: PermitEntry, station: StationFacts, policy: Policy, now: Now
) -> Grant | Refusal:
    # Only now: a PIN that has not been judged must not pass for a right one, whose count is taken back.
    if station.off_only is not None or now.trust is None or station.certificate_expires <= now.unix_s:
        return Refusal.STATION
    permit = entry.permit
    if not permit.not_before <= now.unix_s < permit.expires:
        return Refusal.PERMIT_EXPIRED
    ends: list[tuple[int, Shortened | None]] = [
        (now.unix_s + policy.active_minutes * 60, None),
        (permit.expires, Shortened.PERMIT),
        (station.certificate_expires, Shortened.CERTIFICATE),
    ]
    if permit.windows:
        end = window_end(permit.windows, now.unix_s, station.zone)
        if end is None:
            return Refusal.OUTSIDE_WINDOW
        ends.append((end, Shortened.WINDOW))
    expires, shortened = min(ends, key=lambda pair: pair[0])
    return Grant(key.record.key, holder, entry, now.unix_s - CLOCKS_DIFFER_S, expires, now.trust, shortened)


def newer(own: PermitEntry | None, mirrored: PermitEntry | None, holder: int) -> PermitEntry | None:
    """The permit to use for ``holder``: never one of lower revision than the key already carries.

    None where central has none for them: a permit that was withdrawn does not live on in the copy on the key.
    """
    if mirrored is None or own is None or own.permit.holder != holder:
        return mirrored
    return own if own.permit.revision > mirrored.permit.revision else mirrored


def _carried(carried: Carried, key: KeyEntry, entry: PermitEntry | None) -> tuple[HolderEntry, PermitEntry] | WrongPin:
    if not carried.decision.activates or entry is None:
        return WrongPin()
    # Nobody's name is on a key.
    return HolderEntry(entry.permit.holder, "", entry.permit.category, key.record.unit), entry


def _personal(
    known: KeyKnown, person: Person | None, pin_tags: Sequence[bytes], own: PermitEntry | None
) -> tuple[HolderEntry, PermitEntry] | WrongPin:
    holder = known.holder
    entry = newer(own, known.permit, holder.holder) if holder else None
    if holder is None or entry is None or not _is_pin_of(entry, pin_tags):
        return WrongPin()
    # The key's own newer permit says that it is this holder's PIN, the mirror that it is somebody else's.
    shared = person is not None and person.holder.holder != holder.holder
    return WrongPin() if shared else (holder, entry)


def _pool(
    key: KeyEntry, known: KeyKnown, person: Person | None, pin_tags: Sequence[bytes], own: PermitEntry | None
) -> tuple[HolderEntry, PermitEntry] | WrongPin:
    # A PIN of someone who has left is nobody's PIN.
    if person is None or person.holder.ended:
        return WrongPin()
    holder = person.holder
    hourly = holder.category is Category.HOURLY
    if key.kind is KeyKind.SUBSTITUTE and not hourly:
        return WrongPin(holder.holder, Unfit.NOT_HOURLY)
    if key.kind is KeyKind.EMERGENCY and hourly:
        return WrongPin(holder.holder, Unfit.NOT_PERMANENT)
    closed = any(unit is None or unit.closed for unit in (known.unit, person.unit))
    if closed and holder.unit != key.record.unit:
        return WrongPin(holder.holder, Unfit.CLOSED_UNIT)
    wanted = key.record.unit if hourly else None
    mirrored = next((p for p in person.permits if p.unit == wanted), None)
    if mirrored is None:
        return WrongPin(holder.holder, Unfit.NO_PERMIT)
    entry = newer(own, mirrored, holder.holder) or mirrored
    # The key may carry a newer permit with a newer PIN: then the old PIN is dead here too.
    return (holder, entry) if _is_pin_of(entry, pin_tags) else WrongPin()


def _is_pin_of(entry: PermitEntry, pin_tags: Sequence[bytes]) -> bool:
    """Whether one of the tags is the permit's. Each is compared: the time must not tell under which pepper it was."""
    matches = [hmac.compare_digest(entry.permit.pin_tag, tag) for tag in pin_tags]
    return any(matches)
