"""Where the blocking of a key has reached: stations by the cursor that they showed, keys by the visits since."""

from dataclasses import dataclass

from central.models import Event, Key, Lock, Opening, Station
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
    locks: int
    """How many locks have met one of those keys since it carried the block."""
    all_locks: int

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
    locks = Lock.objects.filter(site=key.site_id)
    met = locks.filter(number__in=_met(key, block, carried)).count()
    return Reach(block, known, sorted(carried)[:KEYS_SHOWN], active, met, locks.count())


def _has(station: Station, block: Block) -> bool:
    health = getattr(station, "health", None)
    return health is not None and (health.revision or 0) >= block.revision


def _carried(key: Key, block: Block) -> dict[int, int]:
    """Keys that met a station whose mirror was confirmed after the block, and when: a visit leaves the newest list."""
    visits = Event.objects.filter(site=key.site_id, type="key_synced", key__isnull=False, received_at__gte=block.at)
    rows = visits.exclude(key=key.number).order_by("-received_at").values_list("key", "at", "data")[:EVENTS_LOOKED_AT]
    first: dict[int, int] = {}
    for number, at, data in rows:
        age_s = data.get("mirror_age_s")
        if number is not None and isinstance(age_s, int | float) and at - age_s >= block.at:
            first[number] = min(at, first.get(number, at))
    return first


def _met(key: Key, block: Block, carried: dict[int, int]) -> set[int]:
    """Locks at which a key has been since it carried the block."""
    openings = Opening.objects.filter(site=key.site_id, key__in=carried, at__gte=block.at, lock__isnull=False)
    rows = openings.order_by("-received_at").values_list("key", "lock", "at")[:EVENTS_LOOKED_AT]
    return {lock for number, lock, at in rows if lock is not None and number is not None and at >= carried[number]}
