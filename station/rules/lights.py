"""The light that a key shows of itself, outside any lock.

Source: the signed-records contract, "The key's own light".
"""

from collections.abc import Mapping, Sequence

from station.records.claims import KeyRecord, Role, StationCertificate, Sync
from station.rules.locks import Light, Verifier, activation_of, content

SYNC_LIFETIME_S = 10 * 24 * 3600
"""How long a key keeps from its last real synchronisation."""

SYNCHRONISES = (Role.SYNC_STATION, Role.UPDATE_BOX)
"""The roles that may sign a ``sync/1``; an activation box knows nothing new to bring."""


def key_light(verifier: Verifier, central: Sequence[bytes], files: Mapping[str, bytes], now_s: int | None) -> Light:
    """What the key shows. Arguments as for `station.rules.locks.decide`."""
    if now_s is None:
        return Light.PURPLE_BLINKING
    sync = last_sync(verifier, central, files)
    # A sync without a readable ``id`` has no key to belong to: a bad key record is purple through here too.
    if sync is None or now_s - sync.issued > SYNC_LIFETIME_S:
        return Light.PURPLE_BLINKING
    active = activation_of(verifier, central, files, now_s).refusal is None
    return Light.BLUE_STEADY if active else Light.BLUE_BLINKING


def last_sync(verifier: Verifier, central: Sequence[bytes], files: Mapping[str, bytes]) -> Sync | None:
    """The key's ``sync``, when ``id`` verifies and it is this key's, signed by the station in ``cert``.

    That certificate may have expired since: it says who signed, and the age of the sync is judged by itself.
    """
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    certificate = verifier.verified(StationCertificate, content(files, "cert"), central)
    if key is None or certificate is None or certificate.role not in SYNCHRONISES:
        return None
    sync = verifier.verified(Sync, content(files, "sync"), [certificate.public_key])
    return sync if sync is not None and sync.key == key.key else None
