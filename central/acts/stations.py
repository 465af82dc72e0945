"""Acts on stations: out of order and back, revoked."""

from central import stationhealth
from central.acts.clock import today
from central.clock import unix_now
from central.feed import change
from central.models import Station
from central.office.models import OutOfOrder, Task


def set_out_of_order(station: Station, by: str = "", note: str = "") -> None:
    """Nobody is sent there any more, however lively it is, until `set_in_order`."""
    with change():
        OutOfOrder.objects.update_or_create(station=station, defaults={"since": unix_now(), "by": by, "note": note})
        station.status = Station.Status.DOWN
        station.save(update_fields=["status"])


def set_in_order(station: Station) -> None:
    """Its status is what its calls say, from the next look on."""
    with change():
        OutOfOrder.objects.filter(station=station).delete()
        station.status = Station.Status.UNKNOWN
        station.save(update_fields=["status"])


def revoke(station: Station, by: str = "") -> Task:
    """A station is stolen: its number goes on the blocklist, its token and codes are dead.

    It holds every PIN's tag and the pepper: renewing all PINs is the next step, and a task until it is done.
    """
    with change():
        stationhealth.revoke(station)
        station.status = Station.Status.DOWN
        station.save(update_fields=["status"])
        task, _ = Task.objects.get_or_create(
            site=station.site, station=station, kind=Task.Kind.RENEW_PINS, done_at=None,
            defaults={"due": today(station.site), "opened_at": unix_now(), "opened_by": by},
        )  # fmt: skip
        return task
