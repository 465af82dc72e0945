"""The light that a key shows of itself, outside any lock.

Source: the signed-records contract, "The key's own light".
"""

from collections.abc import Mapping, Sequence

from station.rules.key_sync import SYNC_LIFETIME_S, key_clock_unset, last_sync
from station.rules.locks import Light, Verifier, activation_of


def key_light(verifier: Verifier, central: Sequence[bytes], files: Mapping[str, bytes], clock_s: int | None) -> Light:
    """What the key shows. ``clock_s``: its own clock, the rest as for `station.rules.locks.decide`."""
    # A sync without a readable ``id`` has no key to belong to: a bad key record is purple through here too.
    sync = last_sync(verifier, central, files)
    if clock_s is None or sync is None or key_clock_unset(clock_s, sync) or clock_s - sync.issued > SYNC_LIFETIME_S:
        return Light.PURPLE_BLINKING
    # A key does not ask itself for a proof.
    active = activation_of(verifier, central, files, clock_s).refusal is None
    return Light.BLUE_STEADY if active else Light.BLUE_BLINKING
