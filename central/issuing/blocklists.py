"""The blocklist of a site: signed when its content changes, and anew at half of its 30 days."""

from central.clock import DAY_S
from central.issuing import keyring
from central.models import Blocklist, Key, Site, Station
from station.records import claims
from station.records.envelope import sign, verified

LIFE_DAYS = 30


def bring_in_line(site: Site, now: int) -> None:
    """Sign the list if it does not say which keys and stations are blocked now."""
    newest = Blocklist.objects.filter(site=site).first()
    said = verified(claims.Blocklist, bytes(newest.record), keyring.public_keys(site)) if newest else None
    if said is None or (said.blocked_keys, said.blocked_stations) != _blocked(site):
        issue(site, now)


def issue(site: Site, now: int) -> None:
    """Sign and keep a new version. Inside a change."""
    newest = Blocklist.objects.filter(site=site).first() or Blocklist(site=site, version=0)
    keys, stations = _blocked(site)
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
        keyring.signing_key(site),
    )
    newest.save()


def _blocked(site: Site) -> tuple[tuple[int, ...], tuple[int, ...]]:
    keys = Key.objects.filter(site=site, status=Key.Status.BLOCKED).values_list("number", flat=True)
    stations = Station.objects.filter(site=site, stolen=True).values_list("number", flat=True)
    return tuple(sorted(keys)), tuple(sorted(stations))
