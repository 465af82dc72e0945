"""How large the invented sites are, and how much is going on there. All numbers follow from the size: none is kept."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

FIRST_KEY, FIRST_HOLDER, FIRST_LOCK, FIRST_AREA = 10_000, 100_000, 200_000, 1000
POLLS_A_SECOND, EVENTS_A_SECOND = 100.0, 400.0
"""Of 6,000 stations on a morning: each asks once a minute, and 33 visits a second tell of twelve things each."""
EVENTS_A_VISIT = 12
COORDINATOR = "administrator"
PASSWORD = "load test only, invented"  # noqa: S105  (worth something in this database only)


@dataclass(frozen=True)
class Size:
    """``sites`` sites of so many things each."""

    name: str
    sites: int
    stations: int
    """Of a site, as all that follows."""
    units: int
    areas: int
    locks: int
    employees: int
    """With a permit, a personal key, and no unit in their permission."""
    hourly: int
    hourly_units: int
    """In how many units' pools each of them may be: a permit for each."""
    pool_keys: int
    """A quarter of them emergency keys."""
    returned_keys: int
    share: float
    """Of the calls of 6,000 stations."""

    @property
    def keys(self) -> int:
        """Of a site: first the personal ones, then the pools', then those that were taken back."""
        return self.employees + self.pool_keys + self.returned_keys

    @property
    def holders(self) -> int:
        """Of a site: first the employees."""
        return self.employees + self.hourly

    @property
    def objects(self) -> int:
        """Of a site: what each of its stations holds."""
        permits = self.employees + self.hourly * self.hourly_units
        return 2 + self.stations + self.units + self.areas + self.keys + self.holders + permits

    def callers(self) -> Iterator["Caller"]:
        """Every station, those of one site one after the other."""
        for site in range(1, self.sites + 1):
            for station in range(1, self.stations + 1):
                yield Caller(site, station)


@dataclass(frozen=True)
class Caller:
    """A station, and what it shows: invented, and worth something in this database only."""

    site: int
    station: int

    @property
    def token(self) -> str:
        """Its bearer token."""
        return hashlib.sha256(f"load {self.site} {self.station}".encode()).hexdigest()


SIZES = {
    size.name: size
    for size in (
        Size("S", 1, 13, 8, 9, 300, 40, 12, 2, 21, 3, 0.01),
        Size("M", 50, 20, 5, 10, 420, 520, 140, 1, 180, 0, 1 / 6),
        # 300 stations, 40,000 keys, 30,000 holders, 24,000 locks: 108,542 objects.
        Size("L", 1, 300, 40, 100, 24_000, 21_900, 8100, 2, 1200, 16_900, 1.0),
        # One site, whose thousand stations all hear of one block.
        Size("WAITING", 1, 1000, 5, 10, 420, 520, 140, 1, 180, 0, 0.1),
        Size("NATIONAL", 290, 20, 5, 10, 420, 520, 140, 1, 180, 0, 1.0),
    )
}
SQLITE_SHARE = 0.1
"""Of the calls of 6,000 stations: SQLite is for one machine and one process."""
