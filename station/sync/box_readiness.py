"""How an activation box stands: it has no mirror that could be missing or too old."""

from station.rules.facts import Now, OffOnlyReason
from station.sync.readiness import Readiness


class BoxReadiness(Readiness):
    """A clock, a certificate and a disk are all that a box needs."""

    def _knows_keys(self) -> bool:
        return True

    def _mirror_age_s(self) -> int | None:
        # What it has of central's is a blocklist and its own texts: the keys themselves say how old the rest is.
        return None

    def _off_only_reason(self, now: Now) -> OffOnlyReason | None:
        if self._is_blocked:
            return OffOnlyReason.BLOCKED
        if now.trust is None:
            return OffOnlyReason.CLOCK
        if now.unix_s >= self._identity.claims.expires:
            return OffOnlyReason.CERTIFICATE
        return OffOnlyReason.DISK if self._store_failed else None
