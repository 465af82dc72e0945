"""Units: what is usual in them."""

from central.actions.access import Access
from central.feed import change
from central.models import Unit


def set_usual_access(unit: Unit, access: Access) -> None:
    """Say what whoever is new in a unit may open, and when. Those who are there keep what they have."""
    with change():
        unit.usual_every_area, unit.usual_windows = access.every_area, access.windows
        unit.save(update_fields=["usual_every_area", "usual_windows"])
        unit.usual_areas.set(access.areas)
