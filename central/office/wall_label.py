"""What hangs on the wall beside a station: for whoever stands before a screen that is dark."""

import math

from central.models import Station

STATIONS_SHOWN = 4
_UNKNOWN = math.inf


def nearest(station: Station) -> list[Station]:
    """The other stations to go to, nearest first; where places are not known, those of the same unit first.

    As the stations' own screens choose them, but for what is true today only: a label hangs for years.
    """
    others = Station.objects.filter(site=station.site, role=Station.Role.SYNC_STATION, stolen=False)
    found = sorted(
        others.exclude(pk=station.pk),
        key=lambda other: (_away(station, other), other.unit_id != station.unit_id, other.number),
    )
    return found[:STATIONS_SHOWN]


def _away(here: Station, there: Station) -> float:
    """How far, in millionths of a degree of latitude. Good enough within a municipality."""
    if here.latitude is None or here.longitude is None or there.latitude is None or there.longitude is None:
        return _UNKNOWN
    narrower = math.cos(math.radians((here.latitude + there.latitude) / 2_000_000))
    return math.hypot(there.latitude - here.latitude, (there.longitude - here.longitude) * narrower)
