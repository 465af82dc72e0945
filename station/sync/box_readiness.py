"""How an activation box stands: it has no mirror that could be missing or too old."""

from station.rules.facts import Hindrance, Now
from station.sync.readiness import Standing


class BoxStanding(Standing):
    """A clock, a certificate and a disk are all that a box needs."""

    def _hindrance(self, now: Now) -> Hindrance | None:
        if now.trust is None:
            return Hindrance.CLOCK
        if now.unix_s >= self._identity.claims.expires:
            return Hindrance.CERTIFICATE
        return Hindrance.DISK if self._store_failed else None
