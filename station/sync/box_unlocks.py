"""What an activation box forgets of wrong PINs: those of keys that a coordinator has unlocked since."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from station.ports import Change, Store
from station.records.claims import MAX_UINT32
from station.rules.attempts import AttemptCount

_log = logging.getLogger("station.pin")


async def take_up_unlocks(store: Store, objects: Iterable[Mapping[str, Any]]) -> None:
    """Forget the wrong PINs of each key whose ``unlocked_at`` is later than the last of them. Raises StoreFault.

    ``objects`` are as central sent them; nothing of them is kept. Who is not unlocked stays counted, however long ago.
    """
    for raw in objects:
        number, unlocked_at = raw.get("id"), raw.get("unlocked_at")
        if raw.get("type") != "key" or type(number) is not int or type(unlocked_at) is not int:
            continue
        if not 0 < number <= MAX_UINT32:
            continue
        count = await store.attempts(number)
        if count.failures and (count.last_at is None or count.last_at < unlocked_at):
            await store.commit(Change((), attempts=AttemptCount(number)))
            _log.info("key.unlocked key=%d", number)
