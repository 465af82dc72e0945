"""The technician's code, and what the technician's page shows."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import argon2

from station.display.screen import Technician
from station.ports import Store, StoreFault
from station.rules.clock import ClockDoubt
from station.runtime.past_visits import PastVisits
from station.secret import Secret
from station.sync.timekeeping import Timekeeper
from station.version import VERSION
from station.visit.entry import Entry
from station.visit.state import State


def hash_of(code: Secret[str]) -> str:
    """The Argon2id hash of a code, for ``display.technician_code``."""
    return argon2.PasswordHasher().hash(code.reveal())


class TechnicianCode:
    """A code of digits, known by its Argon2id hash only (`hash_of`)."""

    def __init__(self, encoded: str) -> None:
        self._encoded = encoded
        self._hasher = argon2.PasswordHasher()

    def __repr__(self) -> str:
        return "TechnicianCode(…)"

    async def is_right(self, entry: Entry) -> bool:
        """Whether it was typed. Takes tens of milliseconds, in a thread of its own."""
        with ThreadPoolExecutor(1) as thread:
            return await asyncio.get_running_loop().run_in_executor(thread, self._verify, entry)

    def _verify(self, entry: Entry) -> bool:
        try:
            return self._hasher.verify(self._encoded, entry.reveal())
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


async def page(
    store: Store,
    state: State,
    time: Timekeeper,
    visits: PastVisits,
    *,
    reader: str,
    reader_works: bool,
    central: str,
    config_version: str,
) -> Technician:
    """The page as it is now."""
    try:
        objects: int | None = (await store.mirror_state()).sum.count
        outbox: int | None = await store.pending_count()
    except StoreFault:
        objects = outbox = None
    now = time.now()
    return Technician(
        reader=reader,
        reader_works=reader_works,
        central=central,
        clock=now.trust if now.trust is not None else time.doubt() or ClockDoubt.NO_SOURCE,
        mirror_objects=objects,
        outbox_events=outbox,
        config_version=config_version,
        version=VERSION,
        certificate_expires=state.station.certificate_expires,
        visits=visits.newest_first(),
    )
