"""Asks central for the time, which it signs for this station's own nonce, and has the station's clock take it up."""

import os

from station.ports import Store
from station.records.claims import TimeAnswer
from station.records.envelope import RecordError, verify
from station.sync.client import CentralClient, CentralUnreachable
from station.sync.identity import Identity
from station.sync.intake import RefusedObject
from station.sync.refused_records import RefusalReports
from station.sync.timekeeping import Timekeeper

TIME_AGAIN_S = 1800
"""Central's signed time is asked for again after this long, so that it stays well under the hour of `SYNCED`."""


class SignedTime:
    """`ask_if_due` before a refresh of the mirror, `ask` where what central has signed is later than the clock."""

    def __init__(
        self, link: CentralClient, store: Store, time: Timekeeper, identity: Identity, reports: RefusalReports
    ) -> None:
        self._link, self._store, self._time = link, store, time
        self._identity, self._reports = identity, reports

    async def ask_if_due(self) -> None:
        """Ask, unless the last answer is fresh enough and the clock is trusted. Raises as `ask`."""
        age_s = self._time.anchor_age_s()
        if age_s is None or not 0 <= age_s < TIME_AGAIN_S or self._time.now().trust is None:
            await self.ask()

    async def ask(self) -> bool:
        """Ask now; whether the answer was believed. Raises CentralUnreachable, CentralRefused, StoreFault."""
        nonce = os.urandom(16)
        asked_s = self._time.readings().boottime_s
        record = await self._link.time(nonce)
        try:
            answer = verify(TimeAnswer, record, self._identity.central_keys)
            if answer.nonce != nonce:
                raise RecordError("time_of_another_nonce")
        except RecordError as error:
            # Not our central, or somebody in between who has kept an old answer: nothing else it says is worth more.
            await self._reports.refused(RefusedObject("time", None, error.code))
            raise CentralUnreachable("central_time_invalid", reason=error.code) from None
        if self._time.anchor(answer.issued, asked_s):
            await self._time.raise_floor(self._store, answer.issued)
            return True
        # Central itself, but too late, or with a clock that jumped: its changes are still worth having.
        await self._reports.refused(RefusedObject("time", None, "time_not_believed"))
        return False
