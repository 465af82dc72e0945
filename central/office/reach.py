"""Where the blocking of a key has reached: stations by the cursor that they showed, keys by the visits since."""

from dataclasses import dataclass

from central.models import Event, Key, Station
from central.office.models import Block

KEYS_SHOWN = 200
EVENTS_LOOKED_AT = 5000


@dataclass(frozen=True)
class Reach:
    """How far a block has come."""

    block: Block
    stations: list[tuple[Station, bool]]
    keys: list[int]
    """Numbers of keys that have carried it to the locks since."""
    other_keys: int
    """How many active keys have not, as far as is known."""

    @property
    def reached(self) -> int:
        """How many stations know."""
        return sum(knows for _, knows in self.stations)


def reach_of(key: Key) -> Reach | None:
    """How far the blocking of this key has come; None for one that is not blocked here."""
    block = Block.objects.filter(key=key, open=True).first()
    if block is None:
        return None
    stations = Station.objects.filter(site=key.site_id, stolen=False, tokens__isnull=False).select_related("health")
    known = [(station, _has(station, block)) for station in stations.distinct()]
    carried = _carried(key, block)
    active = Key.objects.filter(site=key.site_id, status=Key.Status.ACTIVE).exclude(number__in=carried).count()
    return Reach(block, known, sorted(carried)[:KEYS_SHOWN], active)


def _has(station: Station, block: Block) -> bool:
    health = getattr(station, "health", None)
    return health is not None and (health.revision or 0) >= block.revision


def _carried(key: Key, block: Block) -> set[int]:
    """Keys that met a station whose mirror was confirmed after the block: each visit leaves the newest list there."""
    visits = Event.objects.filter(site=key.site_id, type="key_synced", key__isnull=False, received_at__gte=block.at)
    rows = visits.exclude(key=key.number).order_by("-received_at").values_list("key", "at", "data")[:EVENTS_LOOKED_AT]
    return {
        number
        for number, at, data in rows
        if number is not None and isinstance(age := data.get("mirror_age_s"), int | float) and at - age >= block.at
    }
