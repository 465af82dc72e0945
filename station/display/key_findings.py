"""What a visit finds out about the key that decides nothing, but that its holder should hear before leaving."""

from dataclasses import dataclass

from station.display.screen import Changes, Notes
from station.records.claims import EVERY_AREA, Permit
from station.rules.facts import Now

BATTERY_LOW_PERCENT = 20
PERMIT_SOON_S = 3 * 86400


@dataclass(frozen=True, slots=True)
class KeyFindings:
    """Gathered while the key is worked on; None or False: not known."""

    battery_percent: int | None = None
    """From the newest entry that a lock wrote."""
    lost_power: bool = False
    """Since it was last synchronised; never so for a new key."""
    permit_before: Permit | None = None
    """The permit that the key came with, where it is not the one it leaves with."""


def notes(findings: KeyFindings, permit: Permit | None, now: Now) -> Notes:
    """What to say about the key. ``permit``: its holder's now; None where nobody's is known."""
    battery = findings.battery_percent
    ends_soon = permit is not None and now.trust is not None and permit.expires - now.unix_s < PERMIT_SOON_S
    return Notes(
        battery_percent=battery if battery is not None and battery <= BATTERY_LOW_PERCENT else None,
        lost_power=findings.lost_power,
        permit_ends=permit.expires if permit is not None and ends_soon else None,
        changes=changes(findings.permit_before, permit),
    )


def changes(before: Permit | None, after: Permit | None) -> Changes | None:
    """What ``after`` has that ``before`` had not, and the other way round; None: nothing, or another's permit."""
    if before is None or after is None or before.holder != after.holder:
        return None
    every = EVERY_AREA in {before.areas, after.areas}
    found = Changes(
        every_area_added=after.areas == EVERY_AREA != before.areas,
        every_area_removed=before.areas == EVERY_AREA != after.areas,
        added=() if every else tuple(sorted(set(after.areas) - set(before.areas))),
        removed=() if every else tuple(sorted(set(before.areas) - set(after.areas))),
        boxes_added=len(set(after.locks) - set(before.locks)),
        boxes_removed=len(set(before.locks) - set(after.locks)),
    )
    return found if found != Changes() else None
