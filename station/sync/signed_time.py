"""Asks central for the time, which it signs for this station's own nonce, and has the station's clock take it up."""

import logging
import os
from collections.abc import Sequence

from station.records.central_chain import CentralChain
from station.records.claims import TimeAnswer
from station.records.envelope import RecordError, verify
from station.sync.client import CentralClient, CentralRefused, CentralUnreachable
from station.sync.identity import Identity
from station.sync.refused_records import RefusalReports, RefusedRecord
from station.sync.timekeeping import Timekeeper

TIME_AGAIN_S = 1800
"""Central's signed time is asked for again after this long, so that it stays well under the hour of `SYNCED`."""

_log = logging.getLogger("station.clock")


def answered_time(record: bytes, links: Sequence[bytes], chain: CentralChain, nonce: bytes) -> TimeAnswer:
    """What central has signed for ``nonce``. ``links``: of the same answer. Raises RecordError."""
    answer = verify(TimeAnswer, record, chain.time_signers(links))
    if answer.nonce != nonce:
        raise RecordError("time_of_another_nonce")
    return answer


class SignedTime:
    """`ask_if_due` before a refresh of the mirror, `ask_again` where what central has signed contradicts the clock."""

    def __init__(self, link: CentralClient, time: Timekeeper, identity: Identity, reports: RefusalReports) -> None:
        self._link, self._time = link, time
        self._identity, self._reports = identity, reports
        self._asked = False

    async def ask_if_due(self) -> None:
        """Ask, unless the last answer is fresh enough and the clock is trusted. Raises CentralUnreachable.

        The first time also when it is: a time that was kept over a restart may have been wrong, and who restarts a
        station wants it mended. It is asked without a token, and throttled by address: the mirror of a station behind
        a busy one goes on without.
        """
        age_s, trusted = self._time.anchor_age_s(), self._time.now().trust is not None
        if self._asked and trusted and age_s is not None and 0 <= age_s < TIME_AGAIN_S:
            return
        try:
            await self.ask()
        except CentralRefused as error:
            _log.warning("clock.time_not_given %s", error)
        else:
            self._asked = True

    async def ask_again(self) -> None:
        """Ask however fresh the last answer is: what central has signed contradicts the clock.

        Raises CentralUnreachable.
        """
        self._asked = False
        await self.ask_if_due()

    async def ask(self) -> bool:
        """Ask now; whether the answer was believed. Raises CentralUnreachable, CentralRefused."""
        nonce = os.urandom(16)
        asked_s = self._time.readings().boottime_s
        record, links = await self._link.time(self._identity.site, nonce)
        try:
            answer = answered_time(record, links, self._identity.chain, nonce)
        except RecordError as error:
            # Not our central, or somebody in between who has kept an old answer: nothing else it says is worth more.
            await self._reports.refused(RefusedRecord("time", None, error.code))
            raise CentralUnreachable("central_time_invalid", reason=error.code) from None
        taken = await self._time.take_signed_time(answer.issued, asked_s)
        if taken is None:
            # Central itself, but too late: its changes are still worth having.
            await self._reports.refused(RefusedRecord("time", None, "time_too_late"))
            return False
        if taken.lowered_from_s is not None:
            _log.warning("clock.lowered from=%d to=%d", taken.lowered_from_s, answer.issued)
            await self._reports.record("clock_changed", from_s=taken.lowered_from_s, to_s=answer.issued)
        return True
