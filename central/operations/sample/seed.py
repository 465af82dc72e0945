"""Makes the sample site in an empty database, and the records of its keys."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from auditlog.context import disable_auditlog
from django.contrib.auth import get_user_model

from central.actions.codes import new_enrolment_code
from central.actions.keys import block_key
from central.clock import DAY_S, unix_now
from central.errors import CentralError
from central.feed import change_and_sign
from central.models import Area, Holder, Key, Lock, Membership, Permission, Role, Site, Station, Unit
from central.operations.sample import people
from central.operations.sample import places as plan
from central.signing import keyring
from station.records.base64url import encoded

SITE = 1


def seed(keys_folder: Path | None = None) -> dict[str, Any]:
    """Make everything in one change. Returns what a demonstration needs, sample PINs and an enrolment code included.

    ``keys_folder``: where to write the record of each handed-out key, as ``<key number>/id``. Raises CentralError
    (``not_empty``) when there is a site already.
    """
    if Site.objects.exists():
        raise CentralError("not_empty", reason="there is a site in this data folder already")
    now = unix_now()
    with disable_auditlog(), change_and_sign():
        site = Site(
            number=SITE,
            name=plan.SITE_NAME,
            timezone=plan.TIMEZONE,
            support=plan.SUPPORT,
            privacy_notice=plan.PRIVACY_NOTICE,
        )
        site.save()
        keyring.prepare_site(site, now)
        units = _units(site)
        areas = _areas(site, units)
        _stations(site, units)
        holders, pins = _holders(site, units, now)
        _usual(units, areas)
        _permissions(holders, units, areas)
        keys = _keys(site, units, holders, now)
    if keys_folder is not None:
        write_key_folders(site, keys_folder)
    password = secrets.token_urlsafe(9)
    admin = get_user_model().objects.create_superuser("admin", password=password)
    for role in (Role.SITE_ADMINISTRATOR, Role.SYSTEM):
        Membership.objects.create(user=admin, role=role, site=site)
    own = {key.holder.number: key.number for key in keys if key.holder and key.record}
    station = Station.objects.get(site=site, number=1)
    return {
        "enrol_code": new_enrolment_code(station),
        "admin": {"user": "admin", "password": password},
        "site": {"site": SITE, "name": site.name, "central_keys": [encoded(k) for k in keyring.verifying_keys(site)]},
        "stations": [
            {"station": s.number, "name": s.name, "unit": s.unit.number, "role": s.role}
            for s in Station.objects.filter(site=site).select_related("unit")
        ],
        "people": [
            {
                "holder": h.number,
                "name": f"{h.given_name} {h.family_name}",
                "pin": pins[h.number],
                "category": h.category,
                "unit": h.unit.number,
                "status": h.status,
                "key": own.get(h.number),
            }
            for h in holders
        ],
        "keys": [
            {
                "key": k.number,
                "kind": k.kind,
                "unit": k.unit.number,
                "holder": k.holder.number if k.holder else None,
                "status": k.status,
                "pin": pins[k.holder.number] if k.holder else None,
            }
            for k in keys
        ],
        "areas": [{"area": number, "name": name} for number, name in plan.AREAS.items()],
        "locks": [
            {"lock": number, "area": area}
            for number, area in Lock.objects.filter(site=site).values_list("number", "area__number")
        ],
    }


def write_key_folders(site: Site, folder: Path) -> None:
    """Write each handed-out key's record to ``<folder>/<key number>/id``: emulated keys start from it."""
    for key in Key.objects.filter(site=site).exclude(record=None):
        place = folder / str(key.number)
        place.mkdir(parents=True, exist_ok=True)
        (place / "id").write_bytes(bytes(key.record or b""))


def _units(site: Site) -> dict[int, Unit]:
    units = {}
    for number, name in plan.UNITS.items():
        # Each has one emergency key.
        units[number] = Unit(site=site, number=number, name=name, closed=number in plan.CLOSED, emergency_keys_wanted=1)
        units[number].save()
    return units


def _areas(site: Site, units: dict[int, Unit]) -> dict[int, Area]:
    areas = {}
    for number, name in plan.AREAS.items():
        areas[number] = Area(site=site, number=number, name=name)
        areas[number].save()
    owners = {area: units[unit] for unit, owned in plan.UNIT_AREAS.items() if unit != plan.NIGHT for area in owned}
    first = min(areas)
    locks = []
    for index in range(plan.LOCKS):
        area = first + index * len(areas) // plan.LOCKS
        locks.append(Lock(site=site, number=plan.FIRST_LOCK + index, area=areas[area], unit=owners[area]))
    # Locks are not mirrored and nobody has a permission for one yet: nothing to tell.
    Lock.objects.bulk_create(locks)
    return areas


def _stations(site: Site, units: dict[int, Unit]) -> None:
    for number, (name, address, unit, role) in enumerate(plan.STATIONS, start=1):
        Station(site=site, number=number, name=name, address=address, unit=units[unit], role=role).save()


def _holders(site: Site, units: dict[int, Unit], now: int) -> tuple[list[Holder], dict[int, str]]:
    pin_secrets = keyring.pin_secrets(site)
    pins = dict(enumerate(islice(people.sample_pins(), len(people.PEOPLE)), people.FIRST_HOLDER))
    # Hashing is slow on purpose, and lets other threads run.
    with ThreadPoolExecutor() as hashing:
        tags = dict(zip(pins, hashing.map(pin_secrets.tags, pins.values()), strict=True))
    today = datetime.fromtimestamp(now, UTC).date()
    holders = []
    for number, person in enumerate(people.PEOPLE, people.FIRST_HOLDER):
        ends = person.ends_in_days if not person.ended else -7
        holder = Holder(
            site=site,
            number=number,
            given_name=person.given_name,
            family_name=person.family_name,
            category=person.category,
            unit=units[person.unit],
            status=Holder.Status.ENDED if person.ended else Holder.Status.ACTIVE,
            ended_at=now if person.ended else None,
            employment_ends=today + timedelta(days=ends) if ends is not None else None,
            language=person.language,
            pin_tag=tags[number][0],
            pin_version=pin_secrets.newest.version,
            pin_at=now,
        )
        holder.save()
        holders.append(holder)
    return holders, pins


def _usual(units: dict[int, Unit], areas: dict[int, Area]) -> None:
    for number, unit in units.items():
        unit.usual_every_area = number in plan.EVERY_AREA
        unit.usual_windows = people.NIGHT_SHIFT if number == plan.NIGHT else []
        unit.save()
        unit.usual_areas.set([areas[area] for area in plan.UNIT_AREAS[number]])


def _permissions(holders: list[Holder], units: dict[int, Unit], areas: dict[int, Area]) -> None:
    extra_lock = Lock.objects.get(number=plan.FIRST_LOCK + plan.LOCKS - 1)
    for holder, person in zip(holders, people.PEOPLE, strict=True):
        hourly = person.category == people.HOURLY
        for unit in person.units:
            permission = Permission(
                holder=holder,
                unit=units[unit] if hourly else None,
                every_area=unit in plan.EVERY_AREA,
                windows=person.windows,
            )
            permission.save()
            permission.areas.set([areas[area] for area in plan.UNIT_AREAS[unit]])
            if person is people.PEOPLE[1]:
                permission.locks.set([extra_lock])


def _keys(site: Site, units: dict[int, Unit], holders: list[Holder], now: int) -> list[Key]:
    keys: list[Key] = []

    def add(kind: int, unit: int, holder: Holder | None = None, **rest: Any) -> Key:
        rest.setdefault("status", Key.Status.ACTIVE)
        number = people.FIRST_KEY + len(keys)
        key = Key(site=site, number=number, kind=kind, unit=units[unit], holder=holder, **rest)
        key.save()
        keys.append(key)
        return key

    for holder, person in zip(holders, people.PEOPLE, strict=True):
        if person.category != people.HOURLY:
            add(people.PERSONAL, person.unit, holder)
    for kind, unit in people.POOLS:
        add(kind, unit)
    block_key(add(*people.BLOCKED))
    add(*people.LOCKED, locked_at=now - DAY_S)
    add(*people.RETURNED, status=Key.Status.RETURNED)
    for kind, unit in people.BLANKS:
        add(kind, unit, status=Key.Status.BLANK)
    replaced = holders[people.BLANK_PERSONAL]
    add(people.PERSONAL, replaced.unit.number, replaced, status=Key.Status.BLANK)
    for kind, unit in people.FURTHER_POOLS:
        add(kind, unit)
    return keys
