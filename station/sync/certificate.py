"""The station's certificate: renewed from half of its life on, and kept in the database.

The credentials file keeps the one of the enrolment. It may be a systemd credential, which cannot be written.
"""

import logging

from station.ports import Store
from station.records.base64url import decoded, encoded
from station.records.claims import MAX_UINT64, StationCertificate
from station.records.envelope import RecordError, verified
from station.sync.client import CentralClient, CentralRefused
from station.sync.identity import Identity
from station.sync.timekeeping import Timekeeper

CERTIFICATE_NOTE = "certificate"
RENEW_AGAIN_S = 3600
"""A central that will not renew is asked once an hour: 30 days are left."""

_log = logging.getLogger("station.certificate")


class CertificateRenewal:
    """Renews the certificate of ``identity``; `load` it at the start."""

    def __init__(self, link: CentralClient, store: Store, time: Timekeeper, identity: Identity) -> None:
        self._link, self._store, self._time, self._identity = link, store, time, identity
        self._asked_s: float | None = None

    async def load(self) -> None:
        """Take up the renewed certificate of before, unless the enrolment's is the newer or another station's."""
        kept = await self._store.note(CERTIFICATE_NOTE)
        if not kept:
            return
        try:
            self._identity.renew(decoded(kept), MAX_UINT64)
        except (RecordError, ValueError):
            # After a new enrolment the note is of the key before.
            _log.info("certificate.kept_one_not_used")

    async def renew_if_due(self) -> None:
        """Ask for a new one when it is time. Raises CentralUnreachable, StoreFault, RecordError for a wrong answer."""
        claims, now = self._identity.claims, self._time.now()
        # One by an older key is worth nothing to locks once that is retired, and a box may not come back in time.
        newest = self._identity.central_keys[-1:]
        by_older_key = verified(StationCertificate, self._identity.certificate, newest) is None
        if now.trust is None or (now.unix_s < (claims.issued + claims.expires) // 2 and not by_older_key):
            return
        if self._asked_s is not None and now.mono_s - self._asked_s < RENEW_AGAIN_S:
            return
        self._asked_s = now.mono_s
        try:
            certificate = await self._link.certificate()
        except CentralRefused as error:
            _log.warning("certificate.not_renewed %s", error)
            return
        self._identity.renew(certificate, self._time.latest_issue_s())
        self._asked_s = None
        await self._store.note(CERTIFICATE_NOTE, encoded(certificate))
        await self._time.certificate_renewed(self._identity.claims.issued)
        _log.info("certificate.renewed expires=%d", self._identity.claims.expires)
