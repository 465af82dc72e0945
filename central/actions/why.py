"""Why a lock stays red: whether a key opens a lock at some time for somebody, and which rule decides.

The rules are the stations' (`station.rules.access`) and locks' (`station.rules.locks`), in the order in which those
come to them: `decide` is pure, and goes by the signed permit. Central imports no station's rules; a test holds the two
against each other. What came to the key since it was last switched on is `answer`'s.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from central.clock import DAY_S
from central.models import Activation, Block, Blocklist, Event, Holder, Key, Lock, Permission, Permit, Site, Station
from central.signing.keyring import verifying_keys
from central.signing.permits import employment_end
from station.records import claims
from station.records.envelope import verified
from station.records.log_entry import TEST_LOCK

TRUSTED_DAYS = 10
"""A station that has heard nothing from central for so long only switches keys off."""


class Rule(StrEnum):
    """What decides. In the order in which they are looked at."""

    NOT_HANDED_OUT = "not_handed_out"
    BLOCKED = "blocked"
    RETURNED = "returned"
    LOCKED = "locked"
    NOBODY = "nobody"
    """A pool key, and nobody is known to have it."""
    ENDED = "ended"
    NOT_HOURLY = "not_hourly"
    NOT_PERMANENT = "not_permanent"
    CLOSED_UNIT = "closed_unit"
    NO_PERMIT = "no_permit"
    NOT_BEGUN = "not_begun"
    """The first day at work is still to come."""
    PERMIT_EXPIRED = "permit_expired"
    OUTSIDE_HOURS = "outside_hours"
    NO_AREA = "no_area"
    STATION_BLOCKED = "station_blocked"
    NOT_ACTIVATED = "not_activated"
    ACCESS_CHANGED = "access_changed"
    """The key carries what was allowed before."""
    OPENS = "opens"


@dataclass(frozen=True)
class Facts:
    """What the rules go by, of one key, one lock and one person."""

    kind: int
    unit: int
    """The key's."""
    is_handed_out: bool
    is_blocked: bool
    is_returned: bool
    is_locked: bool
    has_holder: bool
    has_ended: bool
    category: int
    holder_unit: int
    is_unit_closed: bool
    """The key's unit, or the person's."""
    permit: claims.Permit | None
    """The one that goes with that key."""
    lock: int
    area: int | None
    zone: ZoneInfo


@dataclass(frozen=True)
class Answer:
    """Whether it opens, which rule decides, and since when (or until when) that is so, where it is known."""

    rule: Rule
    since: int | None = None
    station: Station | None = None
    """Of rules about one."""

    @property
    def opens(self) -> bool:
        """Green."""
        return self.rule is Rule.OPENS


def decide(facts: Facts, at: int) -> Rule:
    """The first rule that says no, for a key that is switched on with its person's right PIN at ``at``; else OPENS."""
    for rule, says_no in (
        (Rule.NOT_HANDED_OUT, not facts.is_handed_out),
        (Rule.BLOCKED, facts.is_blocked),
        (Rule.RETURNED, facts.is_returned),
        (Rule.LOCKED, facts.is_locked),
        (Rule.NOBODY, not facts.has_holder),
        (Rule.ENDED, facts.has_ended),
    ):
        if says_no:
            return rule
    return _of_person(facts, at)


def _of_person(facts: Facts, at: int) -> Rule:
    hourly = facts.category == Holder.Category.HOURLY
    if facts.kind == Key.Kind.SUBSTITUTE and not hourly:
        return Rule.NOT_HOURLY
    if facts.kind == Key.Kind.EMERGENCY and hourly:
        return Rule.NOT_PERMANENT
    if facts.kind != Key.Kind.PERSONAL and facts.is_unit_closed and facts.unit != facts.holder_unit:
        return Rule.CLOSED_UNIT
    permit = facts.permit
    if permit is None:
        return Rule.NO_PERMIT
    if at < permit.not_before:
        return Rule.NOT_BEGUN
    if at >= permit.expires:
        return Rule.PERMIT_EXPIRED
    if permit.windows and not _is_within(permit.windows, datetime.fromtimestamp(at, facts.zone)):
        return Rule.OUTSIDE_HOURS
    return Rule.OPENS if _permits(permit, facts) else Rule.NO_AREA


def _is_within(windows: tuple[claims.Window, ...], local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    return any(w.weekdays >> local.weekday() & 1 and w.start_minute <= minute < w.end_minute for w in windows)


def _permits(permit: claims.Permit, facts: Facts) -> bool:
    if facts.lock == TEST_LOCK or permit.areas == claims.EVERY_AREA:
        return True
    return facts.lock in permit.locks or facts.area in permit.areas


def answer(key: Key, holder: Holder | None, lock: Lock | None, at: int, now: int) -> Answer:
    """Whether that key opens that lock for that person at ``at``: now, before or to come.

    ``lock``: None for a test lock. Of a time before: by what was blocked, locked and ended then, and what is permitted
    now. For now, and before, the key must have been switched on; for what is to come only the rules are asked.
    """
    site, permit = key.site, permit_for(key, holder)
    then = facts_of(key, holder, lock, permit, at)
    if then.permit is not None and at < now and then.permit.not_before <= then.permit.issued:
        # What was permitted before it was last signed is not known here.
        then = replace(then, permit=replace(then.permit, not_before=min(at, then.permit.not_before)))
    rule = decide(then, at)
    end = employment_end(holder) if holder is not None else None
    if rule is Rule.PERMIT_EXPIRED and end is not None and end <= at:
        return Answer(Rule.ENDED, end)
    if rule is not Rule.OPENS:
        return Answer(rule, _since(rule, key, holder, then))
    if at > now:
        return Answer(rule)
    active = Activation.objects.filter(site=site, key=key.number).order_by("-begins", "-pk")
    last = active.filter(begins__lte=at).first()
    if last is None or last.ends <= at or (holder is not None and last.holder != holder.number):
        return Answer(Rule.NOT_ACTIVATED, last.ends if last is not None else None)
    told = _last_told(key, at, "key_activated", now)
    station = told.station if told is not None else None
    if station is not None and _is_blocked_station(station):
        return Answer(Rule.STATION_BLOCKED, station=station)
    changed = _access_changed(permit.permission if permit is not None else None, at)
    # An activation begins a minute early: clocks differ.
    if changed is not None and told is not None and told.at < changed:
        return Answer(Rule.ACCESS_CHANGED, changed, station)
    off = _last_told(key, at, "key_deactivated", now)
    if off is not None and told is not None and (off.at, off.seq) > (told.at, told.seq):
        return Answer(Rule.NOT_ACTIVATED, off.at, off.station)
    return Answer(Rule.OPENS, last.ends)


def facts_of(key: Key, holder: Holder | None, lock: Lock | None, permit: Permit | None, at: int) -> Facts:
    """As the database has them. ``at``: whether it was blocked, locked or ended then."""
    block = Block.objects.filter(key=key, open=True).first()
    is_blocked = key.status == Key.Status.BLOCKED or key.number in _blocklist(key.site).blocked_keys
    unlocked = key.unlocked_at or 0
    was_locked = key.locked_at is not None and key.locked_at <= at and (key.is_locked or at < unlocked)
    ended = holder is not None and holder.status == Holder.Status.ENDED
    said = verified(claims.Permit, bytes(permit.record), verifying_keys(key.site)) if permit is not None else None
    return Facts(
        kind=key.kind,
        unit=key.unit.number,
        is_handed_out=key.record is not None and key.status != Key.Status.BLANK,
        is_blocked=is_blocked and (block is None or block.at <= at),
        is_returned=key.status == Key.Status.RETURNED,
        is_locked=was_locked,
        has_holder=holder is not None,
        has_ended=ended and (holder is None or holder.ended_at is None or holder.ended_at <= at),
        category=holder.category if holder is not None else 0,
        holder_unit=holder.unit.number if holder is not None else 0,
        is_unit_closed=key.unit.closed or (holder is not None and holder.unit.closed),
        permit=said,
        lock=lock.number if lock is not None else TEST_LOCK,
        area=lock.area.number if lock is not None else None,
        zone=ZoneInfo(key.site.timezone),
    )


def permit_for(key: Key, holder: Holder | None) -> Permit | None:
    """The one that goes with the key: of somebody paid by the hour the one for its unit."""
    if holder is None:
        return None
    unit = key.unit if holder.category == Holder.Category.HOURLY else None
    return Permit.objects.filter(holder=holder, permission__unit=unit).select_related("permission").first()


def opening_hours(facts: Facts) -> list[claims.Window]:
    """Those of the permit; none: always."""
    return list(facts.permit.windows) if facts.permit is not None else []


def _since(rule: Rule, key: Key, holder: Holder | None, facts: Facts) -> int | None:
    match rule:
        case Rule.BLOCKED:
            block = Block.objects.filter(key=key, open=True).first()
            return block.at if block is not None else None
        case Rule.LOCKED:
            return key.locked_at
        case Rule.ENDED:
            return holder.ended_at if holder is not None else None
        case Rule.RETURNED:
            return _status_since(key)
        case Rule.NOT_BEGUN:
            return facts.permit.not_before if facts.permit is not None else None
        case Rule.PERMIT_EXPIRED:
            return facts.permit.expires if facts.permit is not None else None
    return None


def _status_since(key: Key) -> int | None:
    entries = LogEntry.objects.get_for_object(key).filter(changes__has_key="status").order_by("-timestamp")
    newest = entries.first()
    return int(newest.timestamp.timestamp()) if newest is not None else None


def _access_changed(permission: Permission | None, at: int) -> int | None:
    if permission is None:
        return None
    of = ContentType.objects.get_for_model(Permission)
    entries = LogEntry.objects.filter(content_type=of, object_id=permission.pk).order_by("-timestamp")
    times = (int(time.timestamp()) for time in entries.values_list("timestamp", flat=True)[:1])
    newest = next(times, None)
    return newest if newest is not None and newest <= at else None


def _blocklist(site: Site) -> claims.Blocklist:
    newest = Blocklist.objects.filter(site=site).first()
    said = verified(claims.Blocklist, bytes(newest.record), verifying_keys(site)) if newest is not None else None
    return said or claims.Blocklist(expires=0, issued=0, version=0, blocked_keys=(), blocked_stations=())


def _is_blocked_station(station: Station) -> bool:
    return station.stolen or station.number in _blocklist(station.site).blocked_stations


# --- what stations told ---


@dataclass(frozen=True)
class Told:
    """What stations last said of a key, the newest first."""

    last: dict[str, Any]
    """The newest event of each of `DID`, for a page: by type."""
    refusals: list[Event]
    wrong_pins: int
    """Since it was last switched on."""
    old_station: Station | None
    """Where the key was last, if that has heard nothing from central for `TRUSTED_DAYS`: it only switches off."""


DID = ("key_synced", "key_activated", "key_deactivated")
REFUSED = ("key_refused", "pin_rejected", "lock_refused")
REFUSALS_SHOWN = 10


def told_of(key: Key, lock: int, now: int) -> Told:
    """What the stations did with the key, and the last refusals: by stations, and by this lock only."""
    last = {type_: event for type_ in DID if (event := _last_told(key, now, type_, now)) is not None}
    events = Event.objects.kept(key.site, now).filter(key=key.number)
    refused = events.filter(type__in=REFUSED[:2]) | events.filter(type=REFUSED[2], lock=lock).exclude(lock=TEST_LOCK)
    refusals = list(refused.select_related("station").order_by("-at", "-pk")[:REFUSALS_SHOWN])
    since = last["key_activated"].at if "key_activated" in last else 0
    wrong = sum(event.type == "pin_rejected" and event.at > since for event in refusals)
    newest = max(last.values(), key=lambda event: event.at, default=None)
    station = newest.station if newest is not None else None
    is_old = station is not None and (station.last_contact or 0) < now - TRUSTED_DAYS * DAY_S
    return Told(last, refusals, wrong, station if is_old else None)


def _last_told(key: Key, at: int, type_: str, now: int) -> Any:
    of_key = Event.objects.kept(key.site, now).filter(key=key.number, type=type_, at__lte=at)
    return of_key.select_related("station", "station__site").order_by("-at", "-seq", "-pk").first()
