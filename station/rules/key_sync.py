"""The key's own ``sync``: when central last confirmed a station that it met, and whether its clock can be right.

Source: the signed-records contract, "A key's clock".
"""

from collections.abc import Mapping, Sequence

from station.records.claims import KeyRecord, Role, StationCertificate, Sync
from station.rules.locks import Verifier, content

SYNC_LIFETIME_S = 10 * 24 * 3600
"""How long a key keeps from its last real synchronisation."""

SYNCHRONISES = (Role.SYNC_STATION, Role.UPDATE_BOX)
"""The roles that may sign a ``sync/1``; an activation box knows nothing new to bring."""

CLOCK_BEHIND_SYNC_S = 300
"""How far a key's clock may be before its own sync: two clocks differ. Further, and it has lost power since."""


def last_sync(verifier: Verifier, central: Sequence[bytes], files: Mapping[str, bytes]) -> Sync | None:
    """The key's ``sync``, when ``id`` verifies and it names this key and the station in ``cert``, which signed it.

    That certificate may have expired since: it says who signed, and the age of the sync is judged by itself.
    """
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    certificate = verifier.verified(StationCertificate, content(files, "cert"), central)
    if key is None or certificate is None or certificate.role not in SYNCHRONISES:
        return None
    sync = verifier.verified(Sync, content(files, "sync"), [certificate.public_key])
    if sync is None or (sync.key, sync.station) != (key.key, certificate.station):
        return None
    return sync


def key_clock_unset(clock_s: int | None, sync: Sync | None) -> bool:
    """Whether a key's clock counts as unset, for station, box and its own light; a lock goes by other rules.

    ``clock_s``: the key's Unix seconds, None when it says that it is unset. ``sync``: its `last_sync`.
    """
    return clock_s is None or (sync is not None and clock_s < sync.issued - CLOCK_BEHIND_SYNC_S)
