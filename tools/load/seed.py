"""Fills a database with a size's sites by what an import is made of: few statements, every record signed, all told.

A program of its own, so that two can share the work: ``python -m tools.load.seed SIZE FIRST LAST`` with the server's
environment. Every record is signed with its site's own key.
"""

import os
import sys
from collections.abc import Iterator

from auditlog.context import disable_auditlog
from django.contrib.auth import get_user_model

import tools.load.django_ready  # noqa: F401  (first: it makes models importable)
from central.actions.codes import token_fingerprint
from central.clock import unix_now
from central.feed import change_and_sign
from central.models import (
    Area,
    Holder,
    Key,
    Lock,
    Membership,
    PasswordToChange,
    Permission,
    Role,
    Site,
    Station,
    StationToken,
    Unit,
)
from central.models.base import create_all
from central.operations.database import bring_up_to_date
from central.signing import keyring
from central.signing.records import sign_certificate, signed_key_record
from station.records.keys import SigningKey
from tools.load.sizes import (
    COORDINATOR,
    FIRST_AREA,
    FIRST_HOLDER,
    FIRST_KEY,
    FIRST_LOCK,
    PASSWORD,
    SIZES,
    Caller,
    Size,
)

AT_ONCE = 2000
"""People or keys that are saved in one transaction."""
AREAS_EACH = 2


def main() -> None:
    """Make the sites FIRST to LAST of the size."""
    name, first, last = sys.argv[1:]
    # Of two that begin at once, one makes the tables and the master key; the other waits.
    bring_up_to_date()
    for number in range(int(first), int(last) + 1):
        with disable_auditlog():
            SiteMaker(SIZES[name], number).make()


class SiteMaker:
    """Makes one site: places and stations, people with their permits, keys with their records."""

    def __init__(self, size: Size, number: int) -> None:
        self._size, self._now = size, unix_now()
        self._site = Site(number=number, name=f"Exempelby {number}")
        self._units = [Unit(site=self._site, number=n, name=f"Hemtjänst {n}") for n in range(1, size.units + 1)]
        self._areas = [Area(site=self._site, number=FIRST_AREA + n, name=f"Område {n}") for n in range(size.areas)]

    def make(self) -> None:
        """In changes of `AT_ONCE` things."""
        size = self._size
        with change_and_sign():
            self._site.save()
            keyring.prepare_site(self._site, self._now)
            create_all(self._units)
            create_all(self._areas)
            self._make_locks()
            self._make_stations()
        for some in _parts(0, size.holders):
            with change_and_sign():
                self._make_people(some)
        for some in _parts(size.employees, size.keys):
            with change_and_sign():
                self._make_keys([self._pool_key(n) for n in some])
        self._make_coordinator()

    def _unit(self, n: int) -> Unit:
        return self._units[n % len(self._units)]

    def _make_locks(self) -> None:
        create_all(
            [
                Lock(site=self._site, number=FIRST_LOCK + n, area=self._areas[n % len(self._areas)], unit=self._unit(n))
                for n in range(self._size.locks)
            ]
        )

    def _make_stations(self) -> None:
        stations = [
            Station(site=self._site, number=n, name=f"Entré {n}", unit=self._unit(n), last_contact=self._now)
            for n in range(1, self._size.stations + 1)
        ]
        create_all(stations)
        for station in stations:
            sign_certificate(station, SigningKey.generate().public, self._now)
        create_all(
            [
                StationToken(
                    sha256=token_fingerprint(Caller(self._site.number, station.number).token),
                    station=station,
                    created_at=self._now,
                    used_at=self._now,
                )
                for station in stations
            ]
        )

    def _make_people(self, some: range) -> None:
        size = self._size
        holders = [
            Holder(
                site=self._site,
                number=FIRST_HOLDER + n,
                given_name="Anna",
                family_name=f"Apelsin {n}",
                category=0 if n < size.employees else 2,
                unit=self._unit(n),
                # Of no PIN: what a PIN is tagged with takes 30 ms each.
                pin_tag=os.urandom(16),
                pin_version=self._site.pin_version,
                pin_at=self._now,
            )
            for n in some
        ]
        create_all(holders)
        permissions = [
            Permission(holder=holder, unit=unit)
            for n, holder in zip(some, holders, strict=True)
            for unit in ([None] if n < size.employees else [self._unit(n + i) for i in range(size.hourly_units)])
        ]
        create_all(permissions)
        through = Permission.areas.through
        through._default_manager.bulk_create(  # noqa: SLF001  (Django's own name)
            through(permission=permission, area=self._areas[(permission.holder.number + i) % len(self._areas)])
            for permission in permissions
            for i in range(AREAS_EACH)
        )
        self._make_keys(
            [
                Key(site=self._site, number=FIRST_KEY + n, kind=0, unit=holder.unit, holder=holder, status="active")
                for n, holder in zip(some, holders, strict=True)
                if n < size.employees
            ]
        )

    def _pool_key(self, n: int) -> Key:
        """One that is nobody's own: of a pool, or taken back."""
        returned = n >= self._size.employees + self._size.pool_keys
        kind = 2 if n % 4 == 0 else 1
        status = "returned" if returned else "active"
        return Key(site=self._site, number=FIRST_KEY + n, kind=kind, unit=self._unit(n), status=status)

    def _make_keys(self, keys: list[Key]) -> None:
        for key in keys:
            key.record = signed_key_record(key, self._now)
        create_all(keys)

    def _make_coordinator(self) -> None:
        user = get_user_model().objects.create_user(f"{COORDINATOR}-{self._site.number}")
        # Hashing takes a tenth of a second and 46 MiB, once a site.
        if self._site.number == 1:
            user.set_password(PASSWORD)
            user.save()
            PasswordToChange.objects.filter(user=user).delete()
        Membership.objects.create(user=user, site=self._site, role=Role.SITE_ADMINISTRATOR)


def _parts(start: int, end: int) -> Iterator[range]:
    for first in range(start, end, AT_ONCE):
        yield range(first, min(first + AT_ONCE, end))


if __name__ == "__main__":
    main()
