"""The blocklist of a site: signed when its content changes, and anew at half of its 30 days.

It has room for 3000 keys and 100 stations: keys carry it, and have little room themselves. A key leaves it when it is
handed in. Nothing leaves it by time alone: locks go by the clock on the key, and whoever can set that back can bring a
time back in which the key's permit, or a stolen station's certificate, was good.
"""

from dataclasses import dataclass

from central.clock import DAY_S
from central.errors import CentralError
from central.models import Blocklist, Key, Site, Station
from central.signing.keyring import signing_key, verifying_keys
from station.records import claims
from station.records.envelope import sign, verified

LIFE_DAYS = 30
WARN_SHARE = 0.9
"""So full, it is time to do something about it."""


class BlocklistFull(CentralError):
    """One more key or station would be more than a blocklist can say: the change that asked for it is undone."""


@dataclass(frozen=True)
class Filling:
    """How many keys and stations are on a site's blocklist, and whether that leaves little room."""

    keys: int
    stations: int

    @property
    def is_short(self) -> bool:
        """Nearly full: administrators should know."""
        share = max(self.keys / claims.BLOCKED_KEYS_LIMIT, self.stations / claims.BLOCKED_STATIONS_LIMIT)
        return share >= WARN_SHARE


def filling(site: Site) -> Filling:
    """How full the site's list is."""
    keys, stations = _blocked(site)
    return Filling(len(keys), len(stations))


def is_up_to_date(site: Site) -> bool:
    """Whether the newest list says which keys and stations are blocked now."""
    newest = Blocklist.objects.filter(site=site).first()
    said = verified(claims.Blocklist, bytes(newest.record), verifying_keys(site)) if newest else None
    return said is not None and (said.blocked_keys, said.blocked_stations) == _blocked(site)


def lock_site(site: Site) -> None:
    """Have two who block at once, or sign at once, wait for each other. Inside a change, before any key's lock.

    The second then sees what the first has blocked.
    """
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def sign_blocklist(site: Site, now: int) -> Blocklist:
    """The list that says which keys and stations are blocked now: signed anew unless the newest does. Inside a change.

    Raises BlocklistFull.
    """
    lock_site(site)
    return Blocklist.objects.get(site=site) if is_up_to_date(site) else sign_blocklist_anew(site, now)


def sign_blocklist_anew(site: Site, now: int) -> Blocklist:
    """Sign and keep a new version. Inside a change. Raises BlocklistFull."""
    lock_site(site)
    newest = Blocklist.objects.filter(site=site).first() or Blocklist(site=site, version=0)
    keys, stations = _blocked(site)
    if len(keys) > claims.BLOCKED_KEYS_LIMIT or len(stations) > claims.BLOCKED_STATIONS_LIMIT:
        counts = {"keys": len(keys), "stations": len(stations)}
        raise BlocklistFull("blocklist_full", site=site.number, **counts, reason="take back what has been found")
    newest.version = max(newest.version + 1, now)
    newest.renew_at = now + LIFE_DAYS * DAY_S // 2
    newest.record = sign(
        claims.Blocklist(
            expires=now + LIFE_DAYS * DAY_S,
            issued=now,
            version=newest.version,
            blocked_keys=keys,
            blocked_stations=stations,
        ),
        signing_key(site),
    )
    newest.save()
    return newest


def _blocked(site: Site) -> tuple[tuple[int, ...], tuple[int, ...]]:
    keys = Key.objects.filter(site=site, status=Key.Status.BLOCKED).values_list("number", flat=True)
    stations = Station.objects.filter(site=site, stolen=True).values_list("number", flat=True)
    return tuple(sorted(keys)), tuple(sorted(stations))
